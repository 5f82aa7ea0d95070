/**
 * When a domain that has moved to another gateway may leave the former one: once nobody is led there by its
 * MX, and nothing goes out through it any more. Until then both know it, and SPF names both.
 */
import type { MxRecord } from "./dns.ts";
import type { OutboundState } from "./outbound-quiet.ts";
import { describeQueue, describeTraffic } from "./outbound-words.ts";

/**
 * For so long a resolver keeps an MX record that pointed at the gateway: Cloudflare's automatic TTL, with which
 * such records are written. One that was given a longer TTL by hand is served by the route while it is leaving.
 */
export const MX_TTL_SECONDS = 300;

/** What is seen of a domain at its former gateway. */
export interface DepartureWorld {
  /** The MX that each delegated name server has; `undefined`: it gave no answer. None: nobody could be asked. */
  readonly served: readonly (readonly MxRecord[] | undefined)[];
  /** The former gateway's names, but for those that the present one has, too. */
  readonly formerHosts: readonly string[];
  /** Since when no name server names it, as an earlier run saw it. ISO 8601, UTC. */
  readonly mxGoneSince?: string | undefined;
  /** Of the mail that goes out there; `undefined`: none may, or nobody needs to know. */
  readonly outbound?: OutboundState | undefined;
  /** Of inbound mail that the mail system hands over there; `undefined`: it hands none over. */
  readonly inbound?: OutboundState | undefined;
}

export type Departure =
  | { readonly kind: "leaves" }
  /** `mxGoneSince`: what the next run is to know. */
  | { readonly kind: "stays"; readonly why: string; readonly mxGoneSince?: string };

export function decideDeparture(world: DepartureWorld, now: Date): Departure {
  const { served, formerHosts } = world;
  if (served.length === 0 || served.some((records) => records === undefined)) {
    return { kind: "stays", why: "not every name server of the domain says what its MX are" };
  }
  const named = served
    .flatMap((records) => records ?? [])
    .find(({ exchange }) => formerHosts.includes(exchange));
  if (named !== undefined) {
    return { kind: "stays", why: `the domain's MX still names ${named.exchange}` };
  }
  return decideWithoutMx(world, now);
}

function decideWithoutMx(world: DepartureWorld, now: Date): Departure {
  const { mxGoneSince = "", outbound, inbound } = world;
  const since = mxGoneSince === "" ? now.toISOString() : mxGoneSince;
  const forgotten = new Date(Date.parse(since) + MX_TTL_SECONDS * 1000);
  const stays = (why: string): Departure => ({ kind: "stays", why, mxGoneSince: since });
  if (now < forgotten) {
    return stays(`resolvers may remember its MX until ${forgotten.toISOString()}`);
  }
  const why =
    whyHeld(outbound, "the domain still sends through it") ??
    whyHeld(inbound, "mail for the domain is still handed over to it");
  return why === undefined ? { kind: "leaves" } : stays(why);
}

/** @returns undefined where nothing passes any more, or nobody needs to know */
function whyHeld(state: OutboundState | undefined, passes: string): string | undefined {
  if (state === undefined || state.kind === "quiet") return undefined;
  if (state.kind === "sending") {
    return `${passes} (${describeTraffic(state.traffic)}); without more mail it is quiet at ${state.until}`;
  }
  if (state.kind === "queued") {
    return `some of the domain's mail waits there: ${describeQueue(state.queue)}`;
  }
  const slots = state.silent.map(({ slot }) => slot).join(", ");
  return `whether ${passes} is not known: slot ${slots} does not tell`;
}
