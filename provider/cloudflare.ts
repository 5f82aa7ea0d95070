/**
 * Cloudflare's zones and DNS records, as far as the resources need them.
 *
 * The SDK is loaded on first use. Reads keep to the rate limit, and wait for it; the SDK repeats them after
 * other faults. Writes are sent once, since the API has no idempotency key: whether one was done is found out
 * by reading again (`WriteUncertain`).
 *
 * @see https://developers.cloudflare.com/api/resources/dns/subresources/records/
 */
import type { RecordListParams } from "cloudflare/resources/dns/records";
import { z } from "zod";
import { MailRuleError } from "../mail/errors.ts";
import {
  asParameters,
  asRecord,
  asZone,
  itemsOf,
  RECORD_PAGE,
  readPage,
} from "./cloudflare-records.ts";
import { rateLimitReached, tokenMissing, zoneGone } from "./cloudflare-refusals.ts";
import type { Cloudflare } from "./cloudflare-sdk.ts";
import { cloudflareSdk } from "./load-cloudflare-sdk.ts";
import { RequestPace } from "./request-pace.ts";
import type { Call } from "./resource.ts";
import { type Settings, tokenFor, tokenVariable } from "./settings.ts";
import { formatSeconds, sleepFor } from "./wait.ts";

/** Who asks: where the API is and with which token, when to stop waiting, and whom to tell. */
export type Caller = Pick<Call, "settings" | "signal" | "progress">;

export interface Zone {
  readonly id: string;
  readonly name: string;
  readonly nameServers: readonly string[];
}

/** A zone as Cloudflare has it, whether public DNS uses it or not. */
export interface CandidateZone extends Zone {
  readonly status: string;
  readonly type: string;
}

/** A record of the types that matter here. `content` of a TXT is decoded, that of others is a plain name. */
export interface ZoneRecord {
  readonly id: string;
  readonly name: string;
  readonly type: string;
  readonly content: string;
  readonly priority: number;
  readonly ttl: number;
  readonly comment?: string;
  readonly tags?: readonly string[];
  readonly readOnly: boolean;
  /** By Cloudflare. ISO 8601, UTC. */
  readonly created?: string;
  readonly modified?: string;
}

export interface NewRecord {
  readonly name: string;
  readonly type: "MX" | "TXT";
  readonly content: string;
  readonly priority?: number;
  readonly ttl: number;
  readonly comment?: string;
  readonly tags?: readonly string[];
}

/** One transaction. A patch keeps the comment and the tags that it does not name. */
export interface Batch {
  readonly deletes: readonly string[];
  readonly patches: readonly (NewRecord & { readonly id: string })[];
  readonly posts: readonly NewRecord[];
}

const RUN_AGAIN = "Run again: it goes on from what stands in the zone then.";

/** The write may or may not have been done, or the zone has changed since it was read. Reading again tells. */
export class WriteUncertain extends Error {
  override readonly name = "WriteUncertain";
  readonly fix = RUN_AGAIN;
}

/** The write was not done; it may be repeated after so many seconds. */
export class WriteRefusedForNow extends Error {
  override readonly name = "WriteRefusedForNow";
  readonly fix = RUN_AGAIN;
  readonly retryAfterSeconds: number;

  constructor(retryAfterSeconds: number, options?: ErrorOptions) {
    super("Cloudflare's rate limit is reached.", options);
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** As large as a real answer ever gets: one request reads all. */
const ZONE_PAGE = 50;

/**
 * What only a zone that was changed since it was read answers: a record is gone (81044), or another
 * stands in the way (81053 to 81058).
 *
 * @see https://developers.cloudflare.com/dns/manage-dns-records/troubleshooting/records-with-same-name/
 */
const CHANGED_MEANWHILE = new Set([81_044, 81_053, 81_054, 81_055, 81_056, 81_057, 81_058]);

/** Older answers wrap the fault of a record in 1004, and say in a chain what it is. */
const apiFault = z.object({ code: z.number(), message: z.string() });
const apiFaults = z
  .array(apiFault.extend({ error_chain: z.array(apiFault).default([]) }))
  .transform((faults) => faults.flatMap(({ error_chain, ...fault }) => [fault, ...error_chain]))
  .catch([]);

/** What a token that has not the form of one is answered with. */
const INVALID_HEADERS = 6003;

type RecordFilter = Pick<RecordListParams, "match" | "name" | "type">;

function domainFilter({ name: apex }: Pick<Zone, "name">, domain: string): RecordFilter {
  return { match: "any", name: { exact: domain, endswith: `_mxhero.${apex}` } };
}

/** A token's client: one for all resources of a run's phase. */
interface Connection {
  readonly pace: RequestPace;
  client?: Promise<Cloudflare>;
}

const connections = new WeakMap<Settings, Map<string, Connection>>();

/** Pauses of less than that are not worth a line, in milliseconds. */
const SHORT_WAIT_MS = 1000;

/** One Cloudflare account, seen with one token. */
export class CloudflareAccount {
  readonly #caller: Caller;
  readonly #credential: string | undefined;
  readonly #connection: Connection;

  /** @throws MailRuleError `token-missing` */
  constructor(caller: Caller, credential?: string) {
    const token = tokenFor(caller.settings, credential);
    if (token === undefined) throw tokenMissing(credential);
    this.#caller = caller;
    this.#credential = credential;
    this.#connection = connectionOf(caller.settings, token);
  }

  /** All zones of that name: one domain may lie in several accounts, and only one of them is live. */
  findZones(name: string): Promise<CandidateZone[]> {
    return this.#read(`zones named ${name}`, async (client) => {
      const page = await client.zones.list({ name, per_page: ZONE_PAGE });
      return itemsOf(page).map(asZone);
    });
  }

  getZone(id: string): Promise<CandidateZone> {
    return this.#read(`zone ${id}`, async (client) =>
      asZone(await client.zones.get({ zone_id: id })),
    );
  }

  /** The records at a name, and all journal records of the zone, in one request. */
  listDomain(zone: Pick<Zone, "id" | "name">, domain: string): Promise<ZoneRecord[]> {
    return this.#list(zone, domainFilter(zone, domain));
  }

  /** The MX records of the whole zone. */
  listMx(zone: Pick<Zone, "id" | "name">): Promise<ZoneRecord[]> {
    return this.#list(zone, { type: "MX" });
  }

  /** As `listDomain`, and the MX records of the whole zone, in one request. */
  listDomainAndMx(zone: Pick<Zone, "id" | "name">, domain: string): Promise<ZoneRecord[]> {
    return this.#list(zone, { ...domainFilter(zone, domain), type: "MX" });
  }

  /** The MX records at wildcard names. */
  listWildcardMx(zone: Pick<Zone, "id" | "name">): Promise<ZoneRecord[]> {
    return this.#list(zone, { type: "MX", name: { startswith: "*." } });
  }

  /** The records at a name and at all names below it. */
  listSubtree(zone: Pick<Zone, "id" | "name">, name: string): Promise<ZoneRecord[]> {
    return this.#list(zone, { match: "any", name: { exact: name, endswith: `.${name}` } });
  }

  /**
   * Writes one batch; returns the records as they are now. Never waits: what it was decided from may have
   * changed meanwhile.
   *
   * @throws WriteUncertain, WriteRefusedForNow, MailRuleError
   */
  async writeBatch(zone: Pick<Zone, "id" | "name">, batch: Batch): Promise<ZoneRecord[]> {
    const { pace } = this.#connection;
    const client = await this.#connect();
    if (pace.blockedFor > 0) throw new WriteRefusedForNow(pace.blockedFor / 1000);
    pace.count();
    try {
      const done = await client.dns.records.batch(
        {
          zone_id: zone.id,
          deletes: batch.deletes.map((id) => ({ id })),
          patches: batch.patches.map((patch) => ({ ...asParameters(patch), id: patch.id })),
          posts: batch.posts.map(asParameters),
        },
        { maxRetries: 0 },
      );
      return [...(done.patches ?? []), ...(done.posts ?? [])].map(asRecord);
    } catch (error) {
      throw await this.#explainWrite(error, `records of the zone ${zone.name}`);
    }
  }

  async #list(zone: Pick<Zone, "id" | "name">, filter: RecordFilter): Promise<ZoneRecord[]> {
    const query = { zone_id: zone.id, per_page: RECORD_PAGE, ...filter };
    const first = await this.#read(`records of the zone ${zone.name}`, async (client) =>
      readPage(await client.dns.records.list(query)),
    );
    const records = [...first.records];
    for (let { next } = first; next !== undefined; ) {
      const ask = next;
      const page = await this.#read(`records of the zone ${zone.name}`, async () =>
        readPage(await ask()),
      );
      records.push(...page.records);
      next = page.next;
    }
    return records;
  }

  async #read<T>(what: string, read: (client: Cloudflare) => Promise<T>): Promise<T> {
    const deadline = Date.now() + this.#caller.settings.waitSeconds * 1000;
    for (;;) {
      await this.#keepPace(what, deadline);
      try {
        return await read(await this.#connect());
      } catch (error) {
        if (!(await isRateLimited(error))) throw await this.#explain(error, what);
      }
    }
  }

  /** Waits until one more read fits into the limit, and counts it. @throws MailRuleError `rate-limit-reached` */
  async #keepPace(what: string, deadline: number): Promise<void> {
    const { pace } = this.#connection;
    for (let told = false; pace.readWait > 0; ) {
      const wait = pace.readWait;
      if (Date.now() + wait > deadline) {
        throw rateLimitReached(what, wait / 1000, this.#caller.settings.waitSeconds);
      }
      if (!told && wait >= SHORT_WAIT_MS) {
        const why = `waiting for Cloudflare's rate limit before reading ${what}`;
        this.#caller.progress(`${why} (${formatSeconds(wait / 1000)})`);
        told = true;
      }
      await sleepFor(wait, this.#caller);
    }
    pace.count();
  }

  #connect(): Promise<Cloudflare> {
    const connection = this.#connection;
    connection.client ??= cloudflareSdk().then(({ createCloudflare }) => {
      const baseURL = this.#caller.settings.cloudflareBaseUrl;
      const apiToken = tokenFor(this.#caller.settings, this.#credential) ?? null;
      const plain = { apiToken, apiKey: null, apiEmail: null, userServiceKey: null };
      return createCloudflare({
        ...plain,
        maxRetries: 5,
        timeout: 30_000,
        fetch: (url, init) => fetchInPace(connection.pace, url, init),
        ...(baseURL && { baseURL }),
      });
    });
    return connection.client;
  }

  async #explainWrite(error: unknown, what: string): Promise<Error> {
    const { APIError } = await cloudflareSdk();
    const status = error instanceof APIError ? error.status : undefined;
    if (status === 429) {
      return new WriteRefusedForNow(this.#connection.pace.blockedFor / 1000, { cause: error });
    }
    const said = await describe(error);
    if (status === undefined || status >= 500) {
      return new WriteUncertain(`Cloudflare, ${what}: the write was not confirmed (${said}).`, {
        cause: error,
      });
    }
    const faults = error instanceof APIError ? apiFaults.parse(error.errors) : [];
    if (faults.some(({ code }) => CHANGED_MEANWHILE.has(code))) {
      return new WriteUncertain(
        `Cloudflare, ${what}: changed by someone else meanwhile (${said}).`,
        { cause: error },
      );
    }
    return this.#explain(error, what);
  }

  async #explain(error: unknown, what: string): Promise<Error> {
    const { APIError } = await cloudflareSdk();
    const status = error instanceof APIError ? error.status : undefined;
    const faults = error instanceof APIError ? apiFaults.parse(error.errors) : [];
    const malformed = faults.some(({ code }) => code === INVALID_HEADERS);
    const refused = status === 401 || status === 403 || malformed;
    if (status === 404) return zoneGone(what, await describe(error), error);
    return new MailRuleError({
      code: refused ? "token-refused" : "cloudflare-error",
      where: `Cloudflare, ${what}`,
      problem: `The API answered: ${await describe(error)}.`,
      fix: refused
        ? `Give ${tokenVariable(this.#credential)} a valid token with Zone Read and DNS Write on that zone: no quotes or blanks around it, and not the Global API Key.`
        : "Nothing more was changed; correct what the API names, or run again when it is well.",
      cause: error,
    });
  }
}

function connectionOf(settings: Settings, token: string): Connection {
  const ofSettings = connections.get(settings) ?? new Map<string, Connection>();
  connections.set(settings, ofSettings);
  const connection = ofSettings.get(token) ?? { pace: paceOf(settings, token) };
  ofSettings.set(token, connection);
  return connection;
}

/** Stacks that want different shares of one token's limit share the smallest. */
function paceOf({ requestPaces, cloudflareShare }: Settings, token: string): RequestPace {
  const pace = requestPaces?.get(token) ?? new RequestPace(cloudflareShare);
  requestPaces?.set(token, pace);
  pace.limitShare(cloudflareShare);
  return pace;
}

/** The SDK would wait after a 429 by itself: unseen, uncounted, and longer than a cancelled run may last. */
async function fetchInPace(pace: RequestPace, url: string | URL | Request, init?: RequestInit) {
  const response = await fetch(url, init);
  pace.learn(response);
  if (response.status !== 429) return response;
  const { body, status, statusText } = response;
  const headers = new Headers(response.headers);
  headers.set("x-should-retry", "false");
  return new Response(body, { status, statusText, headers });
}

async function isRateLimited(error: unknown): Promise<boolean> {
  const { APIError } = await cloudflareSdk();
  return error instanceof APIError && error.status === 429;
}

async function describe(error: unknown): Promise<string> {
  const { APIError } = await cloudflareSdk();
  if (!(error instanceof APIError)) return error instanceof Error ? error.message : String(error);
  const faults = apiFaults.parse(error.errors).map(({ code, message }) => `${code} ${message}`);
  if (faults.length > 0) return faults.join("; ");
  return error.status === undefined ? `nothing (${error.message})` : `HTTP ${error.status}`;
}
