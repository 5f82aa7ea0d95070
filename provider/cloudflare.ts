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
import { explain, explainWrite, isRateLimited, WriteRefusedForNow } from "./cloudflare-errors.ts";
import {
  asParameters,
  asRecord,
  asZone,
  type Batch,
  type CandidateZone,
  itemsOf,
  RECORD_PAGE,
  readPage,
  type Zone,
  type ZoneRecord,
} from "./cloudflare-records.ts";
import { rateLimitReached, tokenMissing } from "./cloudflare-refusals.ts";
import type { Cloudflare } from "./cloudflare-sdk.ts";
import { cloudflareSdk } from "./load-cloudflare-sdk.ts";
import { RequestPace } from "./request-pace.ts";
import type { Call } from "./resource.ts";
import { type Settings, tokenFor } from "./settings.ts";
import { formatSeconds, sleepFor } from "./wait.ts";

/** Who asks: where the API is and with which token, when to stop waiting, and whom to tell. */
export type Caller = Pick<Call, "settings" | "signal" | "progress">;

/** As large as a real answer ever gets: one request reads all. */
const ZONE_PAGE = 50;

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
      throw await explainWrite(error, `records of the zone ${zone.name}`, {
        credential: this.#credential,
        blockedSeconds: pace.blockedFor / 1000,
      });
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
        if (!(await isRateLimited(error))) throw await explain(error, what, this.#credential);
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
