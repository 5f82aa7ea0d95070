/**
 * Where a domain's outbound mail leaves to the world: the gateway must stand in the domain's SPF record before
 * mail leaves from it, or receivers fail it (RFC 7208 section 2.6.4).
 */
import type { OutboundWay, Route } from "./route.ts";

/** A way out, of which it counts whether a Relay Server stands in it. */
interface Way extends Pick<OutboundWay, "outbound"> {
  readonly relayServer?: object;
}

/** Whether a change of the route makes mail that is sent already leave from the gateway itself. */
export function beginsToLeaveHere(before: Way, after: Way): boolean {
  return before.outbound !== "none" && !leavesHere(before) && leavesHere(after);
}

function leavesHere({ outbound, relayServer }: Way): boolean {
  return outbound === "standard" && relayServer === undefined;
}

/** The way of a route that does not leave from the gateway itself, in words. */
export function describeWayOut({ relayServer }: Pick<Route, "relayServer">): string {
  return relayServer
    ? `the Relay Server ${relayServer.host}`
    : "the mail system (outbound: loopback)";
}

/** The route with another way out. */
export function withWayOut(route: Route, { outbound, relayServer }: OutboundWay): Route {
  const { relayServer: _, ...rest } = route;
  return { ...rest, outbound, ...(relayServer && { relayServer }) };
}
