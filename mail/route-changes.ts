/**
 * How a domain's record goes on when its route is proposed, activated or given up. Whether the domain may
 * be held is decided before, by `route-claim.ts`.
 */
import type {
  FormerServer,
  NumberedRoute,
  OutboundWay,
  RcptLookup,
  Route,
  RouteHolder,
  RouteRecord,
} from "./route.ts";
import { LIST_MAXIMUM, listOctets } from "./route-faults.ts";
import {
  inactiveTimes,
  LEAVING,
  type LeavingLengths,
  leavingTimes,
  routeStage,
  stageRefusal,
} from "./route-life.ts";

/** The record's content; whoever writes it counts the revision. */
export type RouteContent = Omit<RouteRecord, "revision">;

/**
 * Proposes a version: that of before goes on serving, or leaving, until the new one is activated. What has
 * expired is forgotten. The version's number is the revision of this very write, so that no proof of
 * another version is ever taken for one of it.
 */
export function proposeRoute(
  record: RouteRecord | undefined,
  route: Route,
  holder: RouteHolder,
  now: Date,
): RouteContent {
  const proposed = { version: (record?.revision ?? 0) + 1, route };
  if (record === undefined || !isServed(record, now)) {
    return { domain: route.domain, holder, proposed };
  }
  const { domain, active, formerWay, leaving, inactive } = record;
  const formerServer = whatHolds(record.formerServer, now);
  return {
    domain,
    holder,
    ...(active && { active }),
    ...(formerWay && { formerWay }),
    ...(formerServer && { formerServer }),
    proposed,
    ...(leaving && { leaving }),
    ...(inactive && { inactive }),
  };
}

/** Makes the proposed version the one that serves; a route that was leaving, or inactive, serves again. */
export function activateRoute(record: RouteRecord, proven: NumberedRoute, now: Date): RouteContent {
  const { domain, holder } = record;
  const formerWay = proven.route.outbound === "none" ? lastWay(record) : undefined;
  const formerServer = proven.route.inbound ? undefined : lastServer(record, now);
  return {
    domain,
    holder,
    active: proven,
    ...(formerWay && { formerWay }),
    ...(formerServer && { formerServer }),
  };
}

function lastWay({ active, formerWay }: RouteRecord): OutboundWay | undefined {
  if (active === undefined || active.route.outbound === "none") return formerWay;
  const { outbound, relayServer } = active.route;
  return relayServer === undefined ? { outbound } : { outbound, relayServer };
}

function lastServer(record: RouteRecord, now: Date): FormerServer | undefined {
  const { active, formerServer } = record;
  if (active === undefined || !active.route.inbound) return whatHolds(formerServer, now);
  const { server, mxLookup, rcptLookup } = active.route;
  const after = (days: number) => new Date(now.getTime() + days * 86_400_000).toISOString();
  const isRefused = stageRefusal(record, "inbound", now)?.action === "refuse";
  const accepts = { rcptLookup: shortLookup(rcptLookup), until: after(REMEMBERED_DAYS) };
  return { server, mxLookup, until: after(QUEUE_LIFE_DAYS), ...(!isRefused && { accepts }) };
}

/** Resolvers may remember the gateway's MX for so long, where a person gave them a TTL of a day. */
const REMEMBERED_DAYS = 1;
/** Postfix's maximal_queue_lifetime, 5 days, and the day in which mail still comes in. */
const QUEUE_LIFE_DAYS = 6;

/**
 * The lookup as it is kept for a day. Beside two lists of the full length the store's item has room for half of one:
 * instead of a longer one the Server is asked.
 */
function shortLookup(lookup: RcptLookup): RcptLookup {
  const isLong = lookup.kind === "list" && listOctets(lookup.recipients) > LIST_MAXIMUM / 2;
  return isLong ? { kind: "probe" } : lookup;
}

/** Without what is over by now. */
function whatHolds(former: FormerServer | undefined, now: Date): FormerServer | undefined {
  if (former === undefined || new Date(former.until) <= now) return undefined;
  const { accepts, ...server } = former;
  return accepts === undefined || new Date(accepts.until) <= now ? server : former;
}

/** Sets the route inactive: a proposal is withdrawn, and a route that was leaving stays the organisation's. */
export function deactivateRoute(record: RouteRecord, holder: RouteHolder, now: Date): RouteContent {
  const { leaving: _, ...kept } = withdrawProposal(record);
  return { ...kept, holder, inactive: inactiveTimes(now) };
}

/** Takes the proposal back: what serves or is leaving does so as before. */
export function withdrawProposal(record: RouteRecord): RouteContent {
  const { proposed: _, revision: __, ...kept } = record;
  return kept;
}

/**
 * Gives the route up, and with it every proposal. Where it is leaving already, its times stay: whoever was
 * told them can rely on them.
 *
 * @param lengths of the stages. @default `LEAVING`
 */
export function giveUpRoute(
  record: RouteRecord,
  now: Date,
  lengths: LeavingLengths = LEAVING,
): RouteContent {
  const { leaving = leavingTimes(now, lengths) } = record;
  return { ...withdrawProposal(record), leaving };
}

function isServed(record: RouteRecord, now: Date): boolean {
  return routeStage(withoutProposal(record), now) !== "expired";
}

function withoutProposal(record: RouteRecord): RouteRecord {
  const { proposed: _, ...kept } = record;
  return kept;
}
