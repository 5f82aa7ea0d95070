/**
 * Cloudflare's zones and DNS records, as far as the resources need them.
 *
 * The only module that loads the Cloudflare SDK, on first use: it costs 130 ms. Reads are repeated by
 * the SDK. Writes are not, since the API has no idempotency key: whether one was done is found out by
 * reading again (`WriteUncertain`).
 *
 * @see https://developers.cloudflare.com/api/resources/dns/subresources/records/
 */
import type Cloudflare from "cloudflare";
import { z } from "zod";
import { MailRuleError } from "../mail/errors.ts";
import { type Settings, tokenFor, tokenVariable } from "./settings.ts";
import { decodeText, encodeText } from "./txt-content.ts";

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

  constructor(retryAfterSeconds: number, options: ErrorOptions) {
    super("Cloudflare's rate limit is reached.", options);
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** Pages as large as a real answer ever gets: one request reads all. */
const RECORD_PAGE = 5_000;
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

type RecordFilter = Pick<Cloudflare.DNS.RecordListParams, "match" | "name" | "type">;

/** One Cloudflare account, seen with one token. */
export class CloudflareAccount {
  readonly #settings: Settings;
  readonly #credential: string | undefined;
  #client: Promise<Cloudflare> | undefined;

  /** @throws MailRuleError `token-missing` */
  constructor(settings: Settings, credential?: string) {
    this.#settings = settings;
    this.#credential = credential;
    if (tokenFor(settings, credential) === undefined) throw tokenMissing(credential);
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
    const name = { exact: domain, endswith: `_mxhero.${zone.name}` };
    return this.#list(zone, { match: "any", name });
  }

  /** The MX records of the whole zone. */
  listMx(zone: Pick<Zone, "id" | "name">): Promise<ZoneRecord[]> {
    return this.#list(zone, { type: "MX" });
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
   * Writes one batch; returns the records as they are now.
   *
   * @throws WriteUncertain, WriteRefusedForNow, MailRuleError
   */
  async writeBatch(zone: Pick<Zone, "id" | "name">, batch: Batch): Promise<ZoneRecord[]> {
    const client = await this.#connect();
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

  #list(zone: Pick<Zone, "id" | "name">, filter: RecordFilter) {
    return this.#read(`records of the zone ${zone.name}`, async (client) => {
      const records: ZoneRecord[] = [];
      const query = { zone_id: zone.id, per_page: RECORD_PAGE, ...filter };
      let page = await client.dns.records.list(query);
      for (;;) {
        records.push(...itemsOf(page).map(asRecord));
        // The SDK would ask for one more page to see that it is empty.
        if (page.result.length < (page.result_info.per_page ?? RECORD_PAGE)) return records;
        page = await page.getNextPage();
      }
    });
  }

  async #read<T>(what: string, read: (client: Cloudflare) => Promise<T>): Promise<T> {
    try {
      return await read(await this.#connect());
    } catch (error) {
      throw await this.#explain(error, what);
    }
  }

  #connect(): Promise<Cloudflare> {
    this.#client ??= import("cloudflare").then(({ default: Client }) => {
      const baseURL = this.#settings.cloudflareBaseUrl;
      const apiToken = tokenFor(this.#settings, this.#credential) ?? null;
      const plain = { apiToken, apiKey: null, apiEmail: null, userServiceKey: null };
      return new Client({ ...plain, maxRetries: 5, timeout: 30_000, ...(baseURL && { baseURL }) });
    });
    return this.#client;
  }

  async #explainWrite(error: unknown, what: string): Promise<Error> {
    const { APIError } = await import("cloudflare");
    const status = error instanceof APIError ? error.status : undefined;
    if (error instanceof APIError && status === 429) {
      const seconds = Number(error.headers?.get("retry-after"));
      return new WriteRefusedForNow(seconds > 0 ? seconds : 5, { cause: error });
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
    const { APIError } = await import("cloudflare");
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

function zoneGone(what: string, said: string, cause: unknown): MailRuleError {
  return new MailRuleError({
    code: "zone-gone",
    where: `Cloudflare, ${what}`,
    problem: `The API does not know it (any more): ${said}.`,
    fix: "If the zone was made anew or moved to another account, give its zoneId or credential and run pulumi up; if the domain is gone for good, take its resources out of the state with pulumi state delete.",
    cause,
  });
}

/** The items of a list. What has no page is no list, and proves no absence. */
function itemsOf<T>({ result, result_info }: { result: T[]; result_info: { page?: number } }): T[] {
  if (result_info.page === undefined) throw new Error("what should be a list has no page");
  return result;
}

async function describe(error: unknown): Promise<string> {
  const { APIError } = await import("cloudflare");
  if (!(error instanceof APIError)) return error instanceof Error ? error.message : String(error);
  const faults = apiFaults.parse(error.errors).map(({ code, message }) => `${code} ${message}`);
  if (faults.length > 0) return faults.join("; ");
  return error.status === undefined ? `nothing (${error.message})` : `HTTP ${error.status}`;
}

function tokenMissing(credential: string | undefined): MailRuleError {
  const configured =
    credential === undefined ? "mxhero:apiToken" : `mxhero:apiTokens.${credential}`;
  return new MailRuleError({
    code: "token-missing",
    problem: "No Cloudflare API token was given, so nothing can be read.",
    fix: `Set ${tokenVariable(credential)}, or the secret ${configured} in the stack's configuration.`,
  });
}

function asZone(zone: Cloudflare.Zones.Zone): CandidateZone {
  const { id, name, status = "unknown", type = "unknown", name_servers } = zone;
  return {
    id,
    name,
    status,
    type,
    nameServers: name_servers.map((server) => server.toLowerCase()),
  };
}

function asRecord(record: Cloudflare.DNS.RecordResponse): ZoneRecord {
  const { id, name, type, content = "", ttl, comment, tags } = record;
  const meta: unknown = record.meta;
  const priority = "priority" in record ? record.priority : undefined;
  return {
    id,
    name: name.toLowerCase(),
    type,
    content: type === "TXT" ? decodeText(content) : content.toLowerCase().replace(/\.$/, ""),
    priority: priority ?? 0,
    ttl,
    ...(comment && { comment }),
    ...(tags !== undefined && tags.length > 0 && { tags }),
    readOnly:
      typeof meta === "object" && meta !== null && "read_only" in meta && meta.read_only === true,
  };
}

function asParameters({ name, type, content, priority = 0, ttl, comment, tags }: NewRecord) {
  const shared = {
    name,
    ttl,
    ...(comment !== undefined && { comment }),
    ...(tags !== undefined && { tags: [...tags] }),
  };
  if (type === "TXT") return { ...shared, type, content: encodeText(content) };
  return { ...shared, type, content: content || ".", priority };
}
