/**
 * Who holds which names and sending identities, in blocks that are small enough to be read and written with
 * a route: as a route and the blocks that it touches change in one transaction, no two tenants can come to
 * hold what overlaps. Pure.
 */
import ipaddr from "ipaddr.js";
import { getDomain } from "tldts";
import { z } from "zod";
import type { RouteRecord, SendingIdentity } from "../mail/route.ts";
import { type FoundItem, type Item, type Key, keyOf, numberOf, parseJson } from "./item.ts";

/** Who holds a name or an identity. */
export interface Holding {
  readonly organisation: string;
  /** How many routes hold it that were not given up. */
  readonly routes: number;
  /** The end of the last one that was given up: ISO 8601, UTC. Absent: none was. */
  readonly until?: string;
}

/** A block: holdings by domain, network or fingerprint, and how often it was written. */
export interface Block {
  readonly key: Key;
  /** 0: it does not exist yet. */
  readonly revision: number;
  readonly holdings: Readonly<Record<string, Holding>>;
}

const holdingsSchema: z.ZodType<Block["holdings"]> = z.record(
  z.string(),
  z.strictObject({
    organisation: z.string(),
    routes: z.int().min(0),
    until: z.iso.datetime().exactOptional(),
  }),
);

/** Names below one registrable domain stand together: only those can be parent and subdomain. */
export function holdersKey(domain: string): Key {
  return keyOf("#holders", getDomain(domain) ?? domain);
}

/** Networks that overlap stand in one block: /16 of IPv4, /32 of IPv6. Larger ones are no identities. */
export function identityKey(identity: SendingIdentity): Key {
  return keyOf("#identities", blockName(identity));
}

function blockName(identity: SendingIdentity): string {
  if (identity.kind === "certificate") return identity.fingerprint;
  const [address] = ipaddr.parseCIDR(identity.network);
  const bits = address.kind() === "ipv4" ? 16 : 32;
  const bytes = address.toByteArray().map((byte, index) => (index < bits / 8 ? byte : 0));
  return `${ipaddr.fromByteArray(bytes).toString()}/${bits}`;
}

export function encodeBlock({ key, revision, holdings }: Block): Item {
  return { ...key, revision: { N: `${revision}` }, holdings: { S: JSON.stringify(holdings) } };
}

export function decodeBlock(key: Key, item: FoundItem | undefined): Block {
  if (item === undefined) return { key, revision: 0, holdings: {} };
  return {
    key,
    revision: numberOf(item, "revision"),
    holdings: parseJson(holdingsSchema, item, "holdings"),
  };
}

/** What a record says of who holds what. */
type Holder = Omit<RouteRecord, "revision">;

/** The blocks that a record stands in. */
export function blockKeys(record: Holder): Key[] {
  return distinct(namesOf(record).map(({ key }) => key));
}

/** The block after a record has followed another one. What has expired by now goes. */
export function moveHoldings(
  block: Block,
  before: Holder | undefined,
  after: Holder,
  now: Date,
): Block {
  const holdings = new Map(Object.entries(block.holdings));
  const inBlock = ({ key }: Named) => sameKey(key, block.key);
  if (before !== undefined && isLive(before)) {
    for (const { name } of namesOf(before).filter(inBlock)) release(holdings, name, before);
  }
  for (const { name } of namesOf(after).filter(inBlock)) hold(holdings, name, after, now);
  const kept = [...holdings].filter(([, holding]) => isHeld(holding, now));
  return { ...block, revision: block.revision + 1, holdings: Object.fromEntries(kept) };
}

export function isHeld({ routes, until }: Holding, now: Date): boolean {
  return routes > 0 || (until !== undefined && new Date(until) > now);
}

/** A name or an identity, and the block that it stands in. */
interface Named {
  readonly key: Key;
  readonly name: string;
}

/** What a record holds: its domain, and the identities of all its versions. */
function namesOf({ domain, active, proposed }: Holder): Named[] {
  const identities = [active, proposed].flatMap((version) => version?.route.identities ?? []);
  return distinct([
    { key: holdersKey(domain), name: domain },
    ...identities.map((identity) => ({
      key: identityKey(identity),
      name: identity.kind === "network" ? identity.network : identity.fingerprint,
    })),
  ]);
}

/** Whether it holds without an end: a proposal does, also where the version before it is leaving. */
function isLive({ active, proposed, leaving }: Holder): boolean {
  return proposed !== undefined || (active !== undefined && leaving === undefined);
}

function release(holdings: Map<string, Holding>, name: string, { holder }: Holder): void {
  const holding = holdings.get(name);
  if (holding?.organisation !== holder.organisation) return;
  holdings.set(name, { ...holding, routes: Math.max(0, holding.routes - 1) });
}

function hold(holdings: Map<string, Holding>, name: string, record: Holder, now: Date): void {
  const { organisation } = record.holder;
  const found = holdings.get(name);
  const own = found?.organisation === organisation ? found : { organisation, routes: 0 };
  if (isLive(record)) {
    holdings.set(name, { ...own, routes: own.routes + 1 });
    return;
  }
  const ends = record.active && record.leaving ? [record.leaving.expires] : [];
  const until = [own, ...ends.map((end) => ({ until: end }))]
    .flatMap((one) => ("until" in one && one.until !== undefined ? one.until : []))
    .toSorted()
    .at(-1);
  const holding = { ...own, ...(until !== undefined && { until }) };
  if (isHeld(holding, now) || found === own) holdings.set(name, holding);
}

function sameKey(one: Key, other: Key): boolean {
  return one.pk.S === other.pk.S && one.sk.S === other.sk.S;
}

function distinct<T>(values: readonly T[]): T[] {
  return [...new Map(values.map((value) => [JSON.stringify(value), value])).values()];
}
