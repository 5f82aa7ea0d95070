/** Whose mail a change of a route would refuse from then on: it may only stop those who have stopped. */
import { parseIpAddress } from "./address-scope.ts";
import type { Route, SendingIdentity } from "./route.ts";
import { identitiesOverlap } from "./sending-identity.ts";

/** Whose mail is lost: everyone's, or that of clients that are known by their addresses. */
export type LostSenders =
  | { readonly kind: "all" }
  | { readonly kind: "some"; readonly isLost: (client: string) => boolean };

/** @returns undefined where nobody loses the right to send */
export function lostSenders(before: Route, after: Route): LostSenders | undefined {
  if (before.outbound === "none") return undefined;
  if (after.outbound === "none") return { kind: "all" };
  const kept = after.identities;
  const removed = before.identities.filter((identity) => !isAmong(identity, kept));
  if (removed.length === 0) return undefined;
  return { kind: "some", isLost: (client) => isLost(client, removed, kept) };
}

/** Networks are compared by their texts: a narrower one keeps its own clients, as `isLost` finds. */
function isAmong(identity: SendingIdentity, others: readonly SendingIdentity[]): boolean {
  return others.some((other) => nameOf(other) === nameOf(identity));
}

function nameOf(identity: SendingIdentity): string {
  return identity.kind === "network" ? identity.network : identity.fingerprint;
}

/**
 * A client without a network has shown a certificate. Which one is not known, so that it counts as lost where
 * any certificate goes.
 */
function isLost(
  client: string,
  removed: readonly SendingIdentity[],
  kept: readonly SendingIdentity[],
): boolean {
  if (isIn(client, kept)) return false;
  return isIn(client, removed) || removed.some(({ kind }) => kind === "certificate");
}

function isIn(client: string, identities: readonly SendingIdentity[]): boolean {
  const address = parseIpAddress(client);
  if (address === undefined) return false;
  const length = address.kind() === "ipv4" ? 32 : 128;
  const own: SendingIdentity = { kind: "network", network: `${address.toString()}/${length}` };
  return identities.some((other) => other.kind === "network" && identitiesOverlap(own, other));
}
