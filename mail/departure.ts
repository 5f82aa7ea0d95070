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

function decideWithoutMx({ mxGoneSince = "", outbound }: DepartureWorld, now: Date): Departure {
  const since = mxGoneSince === "" ? now.toISOString() : mxGoneSince;
  const forgotten = new Date(Date.parse(since) + MX_TTL_SECONDS * 1000);
  const stays = (why: string): Departure => ({ kind: "stays", why, mxGoneSince: since });
  if (now < forgotten) {
    return stays(`resolvers may remember its MX until ${forgotten.toISOString()}`);
  }
  if (outbound === undefined || outbound.kind === "quiet") return { kind: "leaves" };
  if (outbound.kind === "sending") {
    const { traffic, until } = outbound;
    return stays(
      `the domain still sends through it (${describeTraffic(traffic)}); without more mail it is quiet at ${until}`,
    );
  }
  if (outbound.kind === "queued") {
    return stays(`some of the domain's mail waits there: ${describeQueue(outbound.queue)}`);
  }
  const slots = outbound.silent.map(({ slot }) => slot).join(", ");
  return stays(
    `whether the domain still sends through it is not known: slot ${slots} does not tell`,
  );
}
