/** API tokens: what they reach, and how often they may ask. */
import { randomBytes, randomUUID } from "node:crypto";
import { malformedToken, missingToken } from "./errors.ts";
import type { Permission, RateLimit, TokenSpec } from "./types.ts";

export interface Token extends Required<TokenSpec> {
  readonly id: string;
}

/** What a token has left of its limit. */
export interface Allowance {
  readonly limit: RateLimit;
  readonly exceeded: boolean;
  readonly remaining: number;
  /** Seconds until the window ends, rounded up. */
  readonly resetsIn: number;
}

interface Window {
  /** In milliseconds. */
  ends: number;
  requests: number;
}

export class Tokens {
  readonly #tokens = new Map<string, Token>();
  readonly #windows = new Map<string, Window>();
  #rateLimit: RateLimit;

  constructor(rateLimit: RateLimit) {
    this.#rateLimit = rateLimit;
  }

  /** Another limit, for all tokens, from now on. */
  limit(rateLimit: RateLimit): void {
    this.#rateLimit = rateLimit;
    this.#windows.clear();
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

  /**
   * Counts a request. Who exceeds the limit is blocked for the time of a window, counted from then on.
   *
   * @see https://developers.cloudflare.com/fundamentals/api/reference/limits/
   */
  count({ id }: Token): Allowance {
    const limit = this.#rateLimit;
    const now = Date.now();
    let window = this.#windows.get(id);
    if (window === undefined || now >= window.ends) {
      window = { ends: now + limit.seconds * 1000, requests: 0 };
      this.#windows.set(id, window);
    }
    window.requests += 1;
    if (window.requests === limit.requests + 1) window.ends = now + limit.seconds * 1000;
    const resetsIn = Math.ceil((window.ends - now) / 1000);
    const remaining = Math.max(0, limit.requests - window.requests);
    return { limit, exceeded: window.requests > limit.requests, remaining, resetsIn };
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
