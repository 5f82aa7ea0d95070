/** API tokens: what they reach, and how often they may ask. */
import { randomBytes, randomUUID } from "node:crypto";
import { malformedToken, missingToken, tooManyRequests } from "./errors.ts";
import type { CloudflareOptions, Permission, TokenSpec } from "./types.ts";

export interface Token extends Required<TokenSpec> {
  readonly id: string;
}

export type RateLimit = NonNullable<CloudflareOptions["rateLimit"]>;

export class Tokens {
  readonly #tokens = new Map<string, Token>();
  readonly #windows = new Map<string, { readonly start: number; requests: number }>();
  readonly #rateLimit: RateLimit;

  constructor(rateLimit: RateLimit) {
    this.#rateLimit = rateLimit;
  }

  add(spec: TokenSpec): string {
    const token = randomBytes(20).toString("hex");
    const { zones = "all", permissions = ["zone:read", "dns:write"], status = "active" } = spec;
    this.#tokens.set(token, { id: newId(), name: spec.name, zones, permissions, status });
    return token;
  }

  update(token: string, change: Partial<TokenSpec>): void {
    const former = this.#tokens.get(token);
    if (former === undefined) throw new Error("no such token");
    this.#tokens.set(token, { ...former, ...change });
  }

  /** The token of a request, or `undefined` if nobody knows it. @throws {ApiError} */
  identify(authorization: string | undefined): Token | undefined {
    if (authorization === undefined) throw missingToken();
    const [, token] = /^Bearer ([\w-]{40,})$/.exec(authorization) ?? [];
    if (token === undefined) throw malformedToken();
    return this.#tokens.get(token);
  }

  /** The name for the log. */
  nameOf(authorization: string | undefined): string {
    return this.#tokens.get(authorization?.replace(/^Bearer /, "") ?? "")?.name ?? "";
  }

  /** Counts a request. @throws {ApiError} 429 with the seconds until the window ends */
  count({ id }: Token): void {
    const { requests, seconds } = this.#rateLimit;
    const now = Date.now();
    let window = this.#windows.get(id);
    if (window === undefined || now >= window.start + seconds * 1000) {
      window = { start: now, requests: 0 };
      this.#windows.set(id, window);
    }
    window.requests += 1;
    if (window.requests <= requests) return;
    throw tooManyRequests(requests, seconds, Math.ceil(window.start / 1000 + seconds - now / 1000));
  }
}

/** Whether the token may do that in the zone. Writing includes reading. */
export function allows(token: Token, zone: string, permission: Permission): boolean {
  const { zones, permissions } = token;
  const granted =
    permissions.includes(permission) ||
    (permission === "dns:read" && permissions.includes("dns:write"));
  return granted && (zones === "all" || zones.includes(zone));
}

function newId(): string {
  return randomUUID().replaceAll("-", "");
}
