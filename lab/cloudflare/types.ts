/** What a test says to the emulator of Cloudflare's API, and reads from it. */
import type { LabDns } from "../dns.ts";

export interface CloudflareOptions {
  /** The first two octets of the world's addresses, e.g. `127.3`. The emulator listens on `<net>.0.20:8787`. */
  readonly net: string;
  readonly dns: LabDns;
  /** @default Cloudflare's: 1,200 in 300 seconds */
  readonly rateLimit?: RateLimit;
  /** `chained` wraps a fault of a record in error 1004, as older answers do. @default "plain" */
  readonly validationErrors?: "plain" | "chained";
}

/**
 * Requests that a token may make in a window of time. Who makes more is answered 429, with `retry-after`, for the
 * time of a window. A shorter window with as many requests is Cloudflare's limit on a faster clock.
 */
export interface RateLimit {
  readonly requests: number;
  /** Whole ones: headers tell them. */
  readonly seconds: number;
}

export type ZoneStatus = "initializing" | "pending" | "active" | "moved";
export type ZoneType = "full" | "partial" | "secondary";
export type Plan = "free" | "pro" | "business" | "enterprise";

export interface ZoneSpec {
  readonly name: string;
  /** @default "active" */
  readonly status?: ZoneStatus;
  /** @default "full" */
  readonly type?: ZoneType;
  /** Sets the limits of comments, tags, TTL and the number of records. @default "free" */
  readonly plan?: Plan;
  /** Name of the account; accounts exist by being named. @default "Lab" */
  readonly account?: string;
  /** @default the lab's name servers for an active zone, names that answer nothing for any other */
  readonly nameServers?: readonly string[];
  /** See `AddZoneOptions.signedBroken`. @default false */
  readonly signedBroken?: boolean;
}

export type Permission = "zone:read" | "dns:read" | "dns:write";

export interface TokenSpec {
  /** Name in the request log, e.g. `operator`. */
  readonly name: string;
  /** Identifiers of the zones that the token reaches. @default "all" */
  readonly zones?: "all" | readonly string[];
  /** `dns:write` includes `dns:read`. @default ["zone:read", "dns:write"] */
  readonly permissions?: readonly Permission[];
  /** @default "active" */
  readonly status?: "active" | "disabled" | "expired";
}

/** A record as a test writes and compares it: no identifiers, no dates. */
export interface RecordSpec {
  /** Full name; `@` is the apex. */
  readonly name: string;
  readonly type: string;
  /** For SRV, CAA and TLSA it follows from `data`. */
  readonly content: string;
  /** Seconds; 1 is automatic. @default 1 */
  readonly ttl?: number;
  readonly priority?: number;
  /** The fields of SRV, CAA and TLSA, named as in Cloudflare's API. */
  readonly data?: Readonly<Record<string, string | number>>;
  readonly proxied?: boolean;
  readonly comment?: string;
  readonly tags?: readonly string[];
  /** Made by Email Routing: `meta.read_only`. @default false */
  readonly readOnly?: boolean;
}

/** One line of the log of requests. */
export interface LoggedRequest {
  /** Counts from 1. */
  readonly sequence: number;
  readonly time: Date;
  readonly method: string;
  /** Path and query below `/client/v4`, e.g. `/zones?name=contoso.test`. */
  readonly path: string;
  /** Parsed JSON, or `undefined`. */
  readonly body: unknown;
  /** `TokenSpec.name`; empty where the token is unknown. */
  readonly token: string;
  /** `read` and `write` as Cloudflare's permissions have it. */
  readonly kind: RequestKind;
  /** HTTP status; 0 where the connection was dropped; `undefined` while the request is under way. */
  readonly status: number | undefined;
}

export type RequestKind = "read" | "write";

/** One transaction that changed a zone. */
export interface Commit {
  /** Counts from 1 over all zones. */
  readonly sequence: number;
  readonly time: Date;
  readonly zone: string;
  /** `LoggedRequest.sequence`; `undefined` for `edit` and `seed`. */
  readonly request: number | undefined;
  readonly changes: readonly RecordChange[];
}

/** `before` is missing for a new record, `after` for a deleted one. */
export interface RecordChange {
  readonly before?: RecordSpec;
  readonly after?: RecordSpec;
}

/** Which requests something applies to. All conditions must hold; none: every request. */
export interface RequestMatch {
  readonly kind?: RequestKind;
  readonly method?: string;
  /** A regular expression for `LoggedRequest.path`. */
  readonly path?: string;
  /** `TokenSpec.name`. */
  readonly token?: string;
}

/** When something applies: the k-th matching request is `skip: k - 1`. */
export interface Occasion {
  readonly match?: RequestMatch;
  /** Matching requests to let pass first, counted from now. @default 0 */
  readonly skip?: number;
  /** How many matching requests are affected. @default 1 */
  readonly times?: number | "always";
}

/**
 * - `rate-limited`: 429 with `retry-after` (seconds).
 * - `error-before-commit`, `error-after-commit`: 500, nothing done or everything done.
 * - `dropped-before-commit`, `dropped-after-commit`: the connection is closed without an answer.
 * - `slow`: waits before it does anything.
 * - `token-expired`, `token-read-only`, `zone-missing`: answers as if it were so.
 * - `piecemeal`: a batch is published record by record, in the batch's order, that long apart. The
 *   API answers at once.
 * - `lagging-server`: the change reaches that name server (index into `LabDns.nameServers`) later.
 *
 * The last two match writes only.
 */
export type FaultEffect =
  | { readonly fault: "rate-limited"; readonly retryAfter?: number }
  | { readonly fault: "error-before-commit" | "error-after-commit" }
  | { readonly fault: "dropped-before-commit" | "dropped-after-commit" }
  | { readonly fault: "token-expired" | "token-read-only" | "zone-missing" }
  | { readonly fault: "slow"; readonly milliseconds: number }
  | { readonly fault: "piecemeal"; readonly milliseconds: number }
  | { readonly fault: "lagging-server"; readonly server: number; readonly milliseconds: number };

export type Fault = Occasion & FaultEffect;

/** A switched-on fault or hook. Disposing switches it off. */
export interface Switch extends Disposable {
  readonly id: string;
  /** How many requests it has affected. */
  readonly count: number;
}

/**
 * - `before`: the request has arrived; nothing has been read or written.
 *   Faults come after it: with `dropped-before-commit` on the same occasion, nothing is committed.
 * - `after`: what it asked for is committed and published, or refused; it is not answered yet.
 */
export type Moment = "before" | "after";

/** Changes by someone else: by record content, not by identifier. */
export interface Edit {
  /** Every record that has these values. It is an error if none has. */
  readonly remove?: readonly Pick<RecordSpec, "name" | "type" | "content">[];
  readonly add?: readonly RecordSpec[];
}

export interface LabCloudflare extends AsyncDisposable {
  /** For `CLOUDFLARE_BASE_URL`, e.g. `http://127.3.0.20:8787/client/v4`. */
  readonly url: string;
  /** The control interface over HTTP, e.g. `http://127.3.0.20:8787/lab`. */
  readonly labUrl: string;
  /** Returns the new zone's identifier. An active full zone is also created in the lab's DNS. */
  addZone(zone: ZoneSpec): Promise<string>;
  /** The zone no longer exists at Cloudflare, nor in the lab's DNS if it was active. */
  removeZone(zoneId: string): Promise<void>;
  /** Returns the new token. */
  addToken(token: TokenSpec): string;
  /** Changes an existing token, e.g. expires it. */
  updateToken(token: string, change: Partial<TokenSpec>): void;
  /** Another limit from now on; what was asked before does not count. */
  limitRequests(limit: RateLimit): void;
  /** Replaces all records of a zone; published when it returns. */
  seed(zoneId: string, records: readonly RecordSpec[]): Promise<void>;
  /** All records of a zone, sorted by name, type, priority and content. */
  snapshot(zoneId: string): readonly RecordSpec[];
  /** Someone else's edit: committed and published when it returns, without a request. */
  edit(zoneId: string, edit: Edit): Promise<void>;
  /** Everything asked of the API since the start or the last `clearLogs`. */
  readonly requests: readonly LoggedRequest[];
  readonly commits: readonly Commit[];
  clearLogs(): void;
  addFault(fault: Fault): Switch;
  /** Calls back at a chosen moment; the request waits for the promise. */
  intercept(
    moment: Moment,
    occasion: Occasion,
    callback: (request: LoggedRequest) => void | Promise<void>,
  ): Switch;
  /** Removes all faults and hooks. */
  clearFaults(): void;
  /** Resolves when delayed propagation (`piecemeal`, `lagging-server`) has been published everywhere. */
  settled(): Promise<void>;
}
