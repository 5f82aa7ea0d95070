/**
 * All routes, arranged for the question who a client is.
 *
 * A look-up takes one step for each prefix length that is in use, however many routes there are. What holds
 * at which time is not kept here: a record has its own times.
 *
 * Records are kept as texts: 100,000 of them as objects would take half as much memory again.
 */
import ipaddr from "ipaddr.js";
import type { RouteRecord, SendingIdentity } from "./route.ts";
import { networkOf } from "./sending-identity.ts";

/** Whom a mail server talks to. */
export interface Client {
  /** IPv4 or IPv6. */
  readonly address: string;
  /** SHA-256 of the certificate that the client proved to have, as hex pairs with colons. @default none */
  readonly fingerprint?: string | undefined;
}

/** So many records are kept as objects, and networks of so many clients. */
const MOST_ASKED = 1_000;

type Family = "ipv4" | "ipv6";

export class RelayIndex {
  readonly #records = new Map<string, string>();
  /** Of the domains that were asked for of late, as objects. */
  readonly #asked = new Map<string, RouteRecord>();
  /** Domains by a network or fingerprint in normal form. Mostly it is one, and a set takes ten times as much. */
  readonly #domains = new Map<string, string | Set<string>>();
  /** The networks of the addresses that were asked for of late, in all lengths in use. */
  readonly #networks = new Map<string, readonly string[]>();
  /** How many identities have a prefix length. */
  readonly #lengths = { ipv4: new Map<number, number>(), ipv6: new Map<number, number>() };

  /** How many domains it knows. */
  get size(): number {
    return this.#records.size;
  }

  /** Adds a record, in the place of the former one of its domain. */
  put(record: RouteRecord): void {
    this.remove(record.domain);
    this.#records.set(record.domain, JSON.stringify(record));
    for (const identity of identitiesOf(record)) {
      const key = identityKey(identity);
      const former = this.#domains.get(key);
      if (former === undefined) this.#domains.set(key, record.domain);
      else if (typeof former === "string") this.#domains.set(key, new Set([former, record.domain]));
      else former.add(record.domain);
      this.#count(identity, 1);
    }
  }

  remove(domain: string): void {
    const record = this.recordOf(domain);
    if (record === undefined) return;
    this.#records.delete(domain);
    this.#asked.delete(domain);
    for (const identity of identitiesOf(record)) {
      const key = identityKey(identity);
      const domains = this.#domains.get(key);
      if (typeof domains === "object") domains.delete(domain);
      if (domains === domain || (typeof domains === "object" && domains.size === 0)) {
        this.#domains.delete(key);
      }
      this.#count(identity, -1);
    }
  }

  /** The record of exactly this domain: a subdomain has none of its parent's. */
  recordOf(domain: string): RouteRecord | undefined {
    const asked = this.#asked.get(domain);
    if (asked !== undefined) return asked;
    const text = this.#records.get(domain);
    if (text === undefined) return undefined;
    const record = parseRecord(text);
    if (this.#asked.size >= MOST_ASKED) this.#asked.clear();
    this.#asked.set(domain, record);
    return record;
  }

  /** All of them. */
  *records(): Generator<RouteRecord> {
    for (const text of this.#records.values()) yield parseRecord(text);
  }

  /** Whatever of the client can be an identity: its networks in all lengths in use, its certificate. */
  keysOf({ address, fingerprint }: Client): ReadonlySet<string> {
    const keys = new Set(this.#networksOf(address));
    if (fingerprint !== undefined && fingerprint !== "") keys.add(fingerprint.toLowerCase());
    return keys;
  }

  #networksOf(address: string): readonly string[] {
    const asked = this.#networks.get(address);
    if (asked !== undefined) return asked;
    if (!ipaddr.isValid(address)) return [];
    const parsed = ipaddr.process(address);
    const lengths = [...this.#lengths[parsed.kind()].keys()];
    const networks = lengths.map((length) => networkOf(parsed, length));
    if (this.#networks.size >= MOST_ASKED) this.#networks.clear();
    this.#networks.set(address, networks);
    return networks;
  }

  /** The records that have any of these keys as an identity; a record may come twice. */
  *recordsOf(keys: ReadonlySet<string>): Generator<RouteRecord> {
    for (const key of keys) {
      const domains = this.#domains.get(key) ?? [];
      for (const domain of typeof domains === "string" ? [domains] : domains) {
        const record = this.recordOf(domain);
        if (record !== undefined) yield record;
      }
    }
  }

  #count(identity: SendingIdentity, change: 1 | -1): void {
    if (identity.kind === "certificate") return;
    const family: Family = identity.network.includes(":") ? "ipv6" : "ipv4";
    const lengths = this.#lengths[family];
    const length = Number(identity.network.slice(identity.network.indexOf("/") + 1));
    const former = lengths.get(length) ?? 0;
    const count = former + change;
    // A length comes into use, or goes out of it.
    if (former === 0 || count === 0) this.#networks.clear();
    if (count === 0) lengths.delete(length);
    else lengths.set(length, count);
  }
}

/** Of a text that was made here. */
function parseRecord(text: string): RouteRecord {
  return JSON.parse(text);
}

export function buildRelayIndex(records: Iterable<RouteRecord>): RelayIndex {
  const index = new RelayIndex();
  for (const record of records) index.put(record);
  return index;
}

/** An identity as the index finds it. */
export function identityKey(identity: SendingIdentity): string {
  return identity.kind === "certificate" ? identity.fingerprint : identity.network;
}

/** Each once, so that what was added is what is taken away. */
function identitiesOf({ active }: RouteRecord): SendingIdentity[] {
  const identities = active?.route.identities ?? [];
  return [...new Map(identities.map((identity) => [identityKey(identity), identity])).values()];
}
