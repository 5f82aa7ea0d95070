/**
 * Who holds which names and sending identities, in blocks that are small enough to be read and written with
 * a route: as a route and the blocks that it touches change in one transaction, no two organisations come to
 * hold what overlaps. Pure.
 */
import { getDomain } from "tldts";
import { z } from "zod";
import type { MailRuleFault } from "../mail/errors.ts";
import type { SendingIdentity } from "../mail/route.ts";
import type { RouteContent } from "../mail/route-changes.ts";
import { claimFault, identityClaimFault } from "../mail/route-claim.ts";
import { identityBlock } from "../mail/sending-identity.ts";
import {
  expiry,
  type FoundItem,
  type Item,
  isAt,
  type Key,
  keyOf,
  numberOf,
  parseJson,
} from "./item.ts";

/** What one organisation's routes hold of a name or an identity. */
interface Holding {
  readonly organisation: string;
  /** How many routes hold it that were not given up. */
  readonly routes: number;
  /** The latest end of those that were: ISO 8601, UTC. Absent: none was. */
  readonly until?: string;
}

/** A block: who holds each domain, network or fingerprint in it, and how often it was written. */
export interface Block {
  readonly key: Key;
  /** 0: it does not exist yet. */
  readonly revision: number;
  readonly holdings: Readonly<Record<string, readonly Holding[]>>;
}

const holdingsSchema: z.ZodType<Block["holdings"]> = z.record(
  z.string(),
  z.array(
    z.strictObject({
      organisation: z.string(),
      routes: z.int().min(0),
      until: z.iso.datetime().exactOptional(),
    }),
  ),
);

/** Names below one registrable domain stand together: only those can be parent and subdomain. */
export function holdersKey(domain: string): Key {
  return keyOf("#holders", getDomain(domain) ?? domain);
}

/** The partition of all blocks of sending identities. */
export const IDENTITIES = "#identities";

export function identityKey(identity: SendingIdentity): Key {
  return keyOf(IDENTITIES, identityBlock(identity));
}

/** A block in which all was given up, or nothing stands, goes with the last of it. */
export function encodeBlock({ key, revision, holdings }: Block, now: Date): Item {
  const all = Object.values(holdings).flat();
  const isInUse = all.some(({ routes }) => routes > 0);
  const ends = [now.toISOString(), ...all.flatMap(({ until }) => until ?? [])].toSorted();
  return {
    ...key,
    revision: { N: `${revision}` },
    holdings: { S: JSON.stringify(holdings) },
    ...expiry(isInUse ? undefined : ends.at(-1)),
  };
}

export function decodeBlock(key: Key, items: readonly FoundItem[]): Block {
  const item = items.find((one) => isAt(one, key));
  if (item === undefined) return { key, revision: 0, holdings: {} };
  return { key, revision: numberOf(item, "revision"), holdings: decodeHoldings(item) };
}

export function decodeHoldings(item: FoundItem): Block["holdings"] {
  return parseJson(holdingsSchema, item, "holdings");
}

/** The blocks that a route stands in. */
export function blockKeys(route: RouteContent): Key[] {
  return distinct([holdersKey(route.domain), ...identitiesOf(route).map(identityKey)]);
}

/** The block after a route has followed another one. What has expired by now goes. */
export function moveHoldings(
  block: Block,
  before: RouteContent | undefined,
  after: RouteContent,
  now: Date,
): Block {
  const released = Object.entries(block.holdings).map(([name, holdings]) => {
    const isOwn = before !== undefined && isLive(before) && namesIn(block, before).includes(name);
    return [name, isOwn ? holdings.map((one) => release(one, before)) : holdings] as const;
  });
  const moved = new Map(released);
  for (const name of namesIn(block, after))
    moved.set(name, hold(name, moved.get(name) ?? [], after));
  const kept = [...moved].flatMap(([name, holdings]) => {
    const held = holdings.filter((one) => isHeld(one, now));
    return held.length === 0 ? [] : [[name, held] as const];
  });
  return { key: block.key, revision: block.revision + 1, holdings: Object.fromEntries(kept) };
}

/**
 * Why the route may not be written, given the blocks that it stands in.
 *
 * @param names of the organisation that writes it
 */
export function holdingFaults(
  route: RouteContent,
  names: readonly string[],
  blocks: readonly Block[],
  now: Date,
): MailRuleFault[] {
  const heldIn = (key: Key) =>
    Object.entries(blocks.find((block) => isAt(block.key, key))?.holdings ?? {}).flatMap(
      ([name, holdings]) =>
        holdings.map(({ organisation, routes, until }) =>
          routes > 0 ? { name, organisation } : { name, organisation, until },
        ),
    );
  const domains = heldIn(holdersKey(route.domain)).map((held) => ({ ...held, domain: held.name }));
  const identities = identitiesOf(route).map((identity) => {
    const held = heldIn(identityKey(identity));
    const others = held.map((one) => ({ ...one, identity: identityNamed(one.name) }));
    return identityClaimFault(identity, names, others, now);
  });
  return [claimFault(route.domain, names, domains, now), ...identities].flatMap(
    (fault) => fault ?? [],
  );
}

/** What the route's versions are recognised by. */
function identitiesOf({ active, proposed }: RouteContent): SendingIdentity[] {
  return distinct([active, proposed].flatMap((version) => version?.route.identities ?? []));
}

/** What the route holds in one block. */
function namesIn({ key }: Block, route: RouteContent): string[] {
  if (isAt(holdersKey(route.domain), key)) return [route.domain];
  const inBlock = identitiesOf(route).filter((identity) => isAt(identityKey(identity), key));
  return inBlock.map(nameOf);
}

function nameOf(identity: SendingIdentity): string {
  return identity.kind === "network" ? identity.network : identity.fingerprint;
}

function identityNamed(name: string): SendingIdentity {
  return name.includes("/")
    ? { kind: "network", network: name }
    : { kind: "certificate", fingerprint: name };
}

/** Whether it holds without an end: a proposal does, also where the version before it is leaving. */
export function isLive({ active, proposed, leaving }: RouteContent): boolean {
  return proposed !== undefined || (active !== undefined && leaving === undefined);
}

function release(holding: Holding, { holder }: RouteContent): Holding {
  if (holding.organisation !== holder.organisation) return holding;
  return { ...holding, routes: Math.max(0, holding.routes - 1) };
}

function hold(name: string, holdings: readonly Holding[], route: RouteContent): Holding[] {
  const { organisation } = route.holder;
  const own = holdings.find((one) => one.organisation === organisation);
  const { routes = 0, until } = own ?? {};
  const end = route.active && route.leaving ? [route.leaving.expires] : [];
  // A domain has one route, which says when it ends; an identity may be that of routes that ended before.
  const former = until === undefined || name === route.domain ? [] : [until];
  const ends = [...former, ...end].toSorted();
  const last = ends.at(-1);
  const next = {
    organisation,
    routes: isLive(route) ? routes + 1 : routes,
    ...(last !== undefined && { until: last }),
  };
  return [...holdings.filter((one) => one !== own), next];
}

function isHeld({ routes, until }: Holding, now: Date): boolean {
  return routes > 0 || (until !== undefined && new Date(until) > now);
}

function distinct<T>(values: readonly T[]): T[] {
  return [...new Map(values.map((value) => [JSON.stringify(value), value])).values()];
}
