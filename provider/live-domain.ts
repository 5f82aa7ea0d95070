/**
 * A tenant's domain as it is now: the records at its name and its journal, read from Cloudflare, and
 * what its delegated name servers answer.
 */
import type { Resolver } from "../mail/dns.ts";
import { parentNames } from "../mail/domain-name.ts";
import { MailRuleError } from "../mail/errors.ts";
import { type Journal, type JournalRecord, journalName, parseJournal } from "../mail/journal.ts";
import type { ZoneMx } from "../mail/mx.ts";
import { chooseZone } from "./choose-zone.ts";
import { type Caller, CloudflareAccount } from "./cloudflare.ts";
import type { Batch, CandidateZone, Zone, ZoneRecord } from "./cloudflare-records.ts";
import { createResolver, findApex, findNameServers } from "./dns.ts";
import { cnameAtDomain, PublicDomain } from "./public-domain.ts";
import type { Settings } from "./settings.ts";

/** What a resource says of where its domain is. */
export interface DomainAddress {
  readonly domain: string;
  readonly zoneId?: string | undefined;
  readonly credential?: string | undefined;
}

/** Which zone a domain was found in. It is kept in the state, so that later runs need not search. */
export type KnownZone = Pick<Zone, "id" | "name">;

/** What one read of the zone has shown. */
export interface View {
  /** The records at the domain's name. */
  readonly records: readonly ZoneRecord[];
  /** The TXT records at the journal's name. */
  readonly journal: readonly ZoneRecord[];
}

/** What was read and written before. Zones do not move within one phase of one run. */
class Earlier {
  readonly zones = new Map<string, Promise<Zone>>();
  readonly shared = new Map<string, Promise<readonly ZoneRecord[]>>();
  readonly written = new Map<string, View>();
}

/** Each phase of each run has settings of its own, in one process or in several. */
const ofPhases = new WeakMap<Settings, Earlier>();

function earlierOf(settings: Settings): Earlier {
  const earlier = ofPhases.get(settings) ?? new Earlier();
  ofPhases.set(settings, earlier);
  return earlier;
}

export class LiveDomain extends PublicDomain {
  readonly zone: KnownZone;
  readonly journalName: string;
  readonly #account: CloudflareAccount;
  readonly #earlier: Earlier;

  private constructor(
    domain: string,
    zone: KnownZone,
    account: CloudflareAccount,
    { resolver, earlier }: { resolver: Resolver; earlier: Earlier },
  ) {
    super(domain, zone.name, resolver);
    this.#earlier = earlier;
    this.zone = zone;
    this.journalName = journalName(domain, zone.name);
    this.#account = account;
  }

  /**
   * Finds the domain's zone, or takes the one that the state knows.
   *
   * @throws MailRuleError `token-missing`, `token-refused`, `zone-missing`, `zone-not-live`,
   *   `domain-outside-zone`, `domain-not-delegated`, `dns-servfail`, `dns-timeout`
   */
  static async open(
    caller: Caller,
    address: DomainAddress,
    known?: KnownZone,
  ): Promise<LiveDomain> {
    const account = new CloudflareAccount(caller, address.credential);
    const resolver = createResolver(caller.settings.resolvers);
    const earlier = earlierOf(caller.settings);
    const zone = known ?? (await findZone(account, resolver, address, earlier.zones));
    return new LiveDomain(address.domain, zone, account, { resolver, earlier });
  }

  async observe(): Promise<View> {
    const records = await this.#account.listDomain(this.zone, this.domain);
    return this.#view(records);
  }

  /** As `observe`, but one read serves both resources of a domain: for a preview or a refresh. */
  async observeShared(): Promise<View> {
    return this.#view(await this.#readShared());
  }

  /** The MX records of all names in the zone, from the same read. */
  async observeZoneMx(): Promise<ZoneRecord[]> {
    return (await this.#readShared()).filter(({ type }) => type === "MX");
  }

  #readShared(): Promise<readonly ZoneRecord[]> {
    return once(this.#earlier.shared, this.#key, () =>
      this.#account.listDomainAndMx(this.zone, this.domain),
    );
  }

  /**
   * What the domain's last write has shown, once; as `observe` where there was none: for a first look,
   * where the zone is read again before anything is decided.
   */
  async observeWritten(): Promise<View> {
    const { written } = this.#earlier;
    const view = written.get(this.#key);
    written.delete(this.#key);
    return view ?? this.observe();
  }

  /** Writes one transaction; returns the view as it is with it, without reading again. */
  async write(view: View, batch: Batch): Promise<View> {
    this.#earlier.shared.delete(this.#key);
    const added = await this.#account.writeBatch(this.zone, batch);
    const gone = new Set([...batch.deletes, ...batch.patches.map(({ id }) => id)]);
    const kept = [...view.records, ...view.journal].filter(({ id }) => !gone.has(id));
    const after = this.#view([...kept, ...added]);
    this.#earlier.written.set(this.#key, after);
    return after;
  }

  /** The closest wildcard above the domain that has MX records. */
  async findWildcardMx(): Promise<{ name: string; mx: ZoneRecord[] } | undefined> {
    const records = await this.#account.listWildcardMx(this.zone);
    const names = parentNames(this.domain).map((parent) => `*.${parent}`);
    const name = names.find((wildcard) => records.some((record) => record.name === wildcard));
    return name === undefined
      ? undefined
      : { name, mx: records.filter((record) => record.name === name) };
  }

  /**
   * Whether a wildcard would answer for the domain once its own MX are gone: nothing else may stand at
   * or below the domain, nor at a name between it and the wildcard (RFC 4592, section 3.3.1).
   */
  async wouldInherit(wildcard: string): Promise<boolean> {
    const encloser = wildcard.slice("*.".length);
    const between = this.domain.slice(0, -encloser.length - 1);
    const top = `${between.slice(between.lastIndexOf(".") + 1)}.${encloser}`;
    const records = await this.#account.listSubtree(this.zone, top);
    const isOwn = ({ name, type }: ZoneRecord) => name === this.domain && type === "MX";
    // A list without the domain's own MX lists too little.
    return records.some(isOwn) && records.every(isOwn);
  }

  get #key(): string {
    return `${this.zone.id} ${this.domain}`;
  }

  #view(records: readonly ZoneRecord[]): View {
    return {
      records: records.filter(({ name }) => name === this.domain),
      journal: records.filter(({ name, type }) => name === this.journalName && type === "TXT"),
    };
  }
}

/** @throws MailRuleError `journal-damaged` */
export function readJournal({ journal }: View): Journal {
  return parseJournal(
    journal.map(({ content, ...record }): JournalRecord => ({ ...record, text: content })),
  );
}

export function readMx({ records }: View): ZoneMx[] {
  return records.filter(({ type }) => type === "MX").map(asMx);
}

/** What an MX record of a zone says. */
export function asMx({ content, priority, ...record }: ZoneRecord): ZoneMx & { name: string } {
  return { ...record, exchange: content, preference: priority };
}

export function readTexts({ records }: View): ZoneRecord[] {
  return records.filter(({ type }) => type === "TXT");
}

/**
 * Refuses a domain whose records can't be changed at all.
 *
 * @throws MailRuleError `cname-at-domain`, `read-only-record`
 */
export function refuseUnwritable(domain: string, { records }: View): void {
  const cname = records.find(({ type }) => type === "CNAME");
  if (cname !== undefined) {
    throw cnameAtDomain(domain, cname.content);
  }
  const fixed = records.find(({ type, readOnly }) => readOnly && (type === "MX" || type === "TXT"));
  if (fixed === undefined) return;
  throw new MailRuleError({
    code: "read-only-record",
    where: `DNS of ${domain}`,
    problem: `Its ${fixed.type} record (${fixed.content}) is read-only: Cloudflare's Email Routing manages it.`,
    fix: "Switch Email Routing off for the domain (Cloudflare dashboard, Email), then run again.",
    value: fixed.content,
  });
}

async function findZone(
  account: CloudflareAccount,
  resolver: Resolver,
  address: DomainAddress,
  zones: Earlier["zones"],
) {
  const { domain, zoneId, credential = "" } = address;
  const apex = await findApex(resolver, domain);
  return once(zones, [credential, zoneId, apex].join(" "), async () => {
    const delegated = await findNameServers(resolver, apex);
    const found: CandidateZone[] =
      zoneId === undefined ? await account.findZones(apex) : [await account.getZone(zoneId)];
    const nameServers = [...new Set(delegated.map(({ name }) => name))];
    return chooseZone(found, domain, { apex, nameServers });
  });
}

/** A failure is forgotten, so that the next one who asks tries again. */
function once<T>(cache: Map<string, Promise<T>>, key: string, make: () => Promise<T>): Promise<T> {
  const cached = cache.get(key);
  if (cached !== undefined) return cached;
  const made = make();
  cache.set(key, made);
  made.catch(() => cache.delete(key));
  return made;
}
