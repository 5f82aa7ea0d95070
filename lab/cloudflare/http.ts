/** Requests and answers of the emulated API: what a request carries along, and the envelope. */
import type { HttpBindings } from "@hono/node-server";
import type { Context } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { OpenRequest } from "./emulator.ts";
import { ApiError, internal } from "./errors.ts";
import type { Page } from "./list.ts";
import type { Effect } from "./switches.ts";
import type { Token } from "./tokens.ts";
import type { FaultEffect } from "./types.ts";

export interface ApiEnvironment {
  Bindings: HttpBindings;
  Variables: { request: OpenRequest; effects: readonly Effect[]; token: Token };
}

export type ApiContext = Context<ApiEnvironment>;

/** The path of the API's base address. */
export const basePath = "/client/v4";

export function success(c: ApiContext, result: unknown, messages: readonly object[] = []) {
  return c.json({ result, success: true, errors: [], messages });
}

export function successPage<T>(c: ApiContext, { items, info }: Page<T>, json: (item: T) => object) {
  const result = items.map(json);
  return c.json({ result, success: true, errors: [], messages: [], result_info: info });
}

/** @param chained wraps faults of a record in error 1004, as older answers do */
export function failure(c: ApiContext, cause: Error, chained: boolean): Response {
  const error = cause instanceof ApiError ? cause : internal();
  const faults = error.faults.map(({ code, message }) => ({ code, message }));
  const errors =
    chained && error.validation
      ? [{ code: 1004, message: "DNS Validation Error", error_chain: faults }]
      : faults;
  if (error.retryAfter !== undefined) c.header("retry-after", String(error.retryAfter));
  c.status(statusCode(error.status));
  return c.json({ result: null, success: false, errors, messages: [] });
}

/** The first fault of that kind that the request meets. */
export function fault<const F extends FaultEffect["fault"]>(
  effects: readonly Effect[],
  kind: F,
): Extract<FaultEffect, { readonly fault: F }> | undefined {
  return effects.find(
    (effect): effect is Extract<FaultEffect, { readonly fault: F }> =>
      "fault" in effect && effect.fault === kind,
  );
}

const statuses: readonly ContentfulStatusCode[] = [400, 401, 403, 404, 405, 429, 500];

function statusCode(status: number): ContentfulStatusCode {
  return statuses.find((known) => known === status) ?? 500;
}
