/** Logs every request of the API, and lets faults and hooks at it. */
import { setTimeout as sleep } from "node:timers/promises";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import type { MiddlewareHandler } from "hono";
import type { Emulator } from "./emulator.ts";
import { internal, rateLimited } from "./errors.ts";
import { type ApiContext, type ApiEnvironment, basePath, failure, fault } from "./http.ts";
import type { Effect } from "./switches.ts";
import type { Moment } from "./types.ts";

/** Outermost: makes the entry in the log and finds what the request will meet. */
export function log(emulator: Emulator): MiddlewareHandler<ApiEnvironment> {
  return async (c, next) => {
    const { pathname, search } = new URL(c.req.url);
    const { method } = c.req;
    const request = emulator.log({
      method,
      path: pathname.slice(basePath.length) + search,
      body: parsed(await c.req.text()),
      token: emulator.tokens.nameOf(c.req.header("authorization")),
      kind: method === "GET" ? "read" : "write",
    });
    c.set("request", request);
    c.set("effects", emulator.switches.take(request));
    await next();
    request.status = c.res === RESPONSE_ALREADY_SENT ? 0 : c.res.status;
  };
}

/** Faults and hooks around what the API does with the request. */
export const disturb: MiddlewareHandler<ApiEnvironment> = async (c, next) => {
  const effects = c.get("effects");
  await sleep(fault(effects, "slow")?.milliseconds ?? 0);
  await callBack(c, effects, "before");
  if (fault(effects, "dropped-before-commit")) {
    replaceAnswer(c, drop(c));
    return;
  }
  if (fault(effects, "error-before-commit")) throw internal();
  const limited = fault(effects, "rate-limited");
  if (limited) throw rateLimited(limited.retryAfter ?? 1);
  await next();
  await callBack(c, effects, "after");
  if (fault(effects, "dropped-after-commit")) replaceAnswer(c, drop(c));
  else if (fault(effects, "error-after-commit")) replaceAnswer(c, failure(c, internal(), false));
};

async function callBack(c: ApiContext, effects: readonly Effect[], moment: Moment) {
  for (const effect of effects) {
    if ("moment" in effect && effect.moment === moment) await effect.callback(c.get("request"));
  }
}

/** Closes the connection without an answer. */
function drop(c: ApiContext): Response {
  c.env.incoming.socket.destroy();
  return RESPONSE_ALREADY_SENT;
}

function replaceAnswer(c: ApiContext, answer: Response): void {
  // Hono merges the headers of the former answer into the new one unless it is removed first.
  c.res = undefined;
  c.res = answer;
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
