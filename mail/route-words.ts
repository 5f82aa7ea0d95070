/** A route and its changes in plain words, for a preview. No secret is among them. */
import type { RcptLookup, RelayLogin, RelayServer, Route, RouteRecord } from "./route.ts";
import { inactiveTimes, routeInForce, stageRefusal } from "./route-life.ts";
import { formatSendingIdentity } from "./sending-identity.ts";

/** A Relay Server as far as anybody may see it. */
export interface ShownRelayServer extends Pick<RelayServer, "host" | "port" | "tls"> {
  readonly login?: Pick<RelayLogin, "user">;
}

/** What becomes of a route: `new, Server mail.contoso.com`, `Server a → b, MX Lookup off → on`. */
export function describeRouteChange(before: Route | undefined, after: Route): string {
  if (before === undefined) return `new, ${fields(after).map(formatField).join(", ")}`;
  const former = new Map(fields(before));
  const changes = fields(after).flatMap(([name, text]) => {
    const was = former.get(name) ?? "";
    return was === text ? [] : [`${name} ${was} → ${text}`];
  });
  const others = [...listChange(before, after), ...passwordChange(before, after)];
  return [...changes, ...others].join(", ") || "unchanged";
}

/**
 * What senders will see of a route that becomes inactive, or active again, and when; empty where neither is so.
 *
 * @param before what is in the store
 */
export function describeInactivity(
  before: RouteRecord | undefined,
  { route, inactive }: { readonly route: Route; readonly inactive: boolean },
  now: Date,
): string {
  const was = before?.inactive;
  if (!inactive) return was === undefined ? "" : `active again (inactive since ${was.since})`;
  if (was !== undefined) return `inactive as before, refused for good from ${was.refuseFrom}`;
  const { refuseFrom } = inactiveTimes(now);
  return `inactive: mail to and from the domain is put off from now on (450 4.7.1), and refused from ${refuseFrom} (550 5.7.1), each time with ${route.fixIt}; the domain stays the organisation's`;
}

/**
 * What becomes of mail that still comes where the domain is to receive no more; empty where it receives as before.
 *
 * @param before what is in the store
 */
export function describeInboundEnd(
  before: RouteRecord | undefined,
  { route, inactive }: { readonly route: Route; readonly inactive: boolean },
  now: Date,
): string {
  const hasReceived = before !== undefined && routeInForce(before, now)?.route.inbound === true;
  if (!hasReceived || route.inbound || inactive) return "";
  if (stageRefusal(before, "inbound", now)?.action === "refuse") return "";
  return "mail that still comes is taken for one day, and refused after it";
}

function fields(route: Route): [name: string, text: string][] {
  return [
    ["Server", route.server],
    ["MX Lookup", route.mxLookup ? "on" : "off"],
    ["Rcpt Lookup", describeLookup(route.rcptLookup)],
    ["inbound", route.inbound ? "accepted" : "none"],
    ["outbound", route.outbound],
    ["Relay Server", describeRelay(route.relayServer)],
    ["senders", route.identities.map(formatSendingIdentity).join(" ") || "none"],
    ["probe recipient", route.probeRecipient],
    ["fix-it address", route.fixIt],
  ];
}

function formatField([name, text]: [name: string, text: string]): string {
  return `${name} ${text}`;
}

export function describeLookup(lookup: RcptLookup): string {
  return lookup.kind === "list" ? `list of ${lookup.recipients.length}` : lookup.kind;
}

/** Lists can be as long as each other and still differ. */
export function listChange(
  { rcptLookup: before }: Pick<Route, "rcptLookup">,
  { rcptLookup: after }: Pick<Route, "rcptLookup">,
): string[] {
  if (before.kind !== "list" || after.kind !== "list") return [];
  const [was, is] = [new Set(before.recipients), new Set(after.recipients)];
  const added = after.recipients.filter((recipient) => !was.has(recipient)).length;
  const gone = before.recipients.filter((recipient) => !is.has(recipient)).length;
  return added + gone === 0 ? [] : [`recipients: ${added} added, ${gone} removed`];
}

export function describeRelay(relay: ShownRelayServer | undefined): string {
  if (relay === undefined) return "none";
  const login = relay.login === undefined ? "no login" : `login ${relay.login.user}`;
  return `${relay.host}:${relay.port} (TLS ${relay.tls}, ${login})`;
}

function passwordChange(before: Route, after: Route): string[] {
  const [was, is] = [before.relayServer?.login, after.relayServer?.login];
  const isNew = was && is && was.user === is.user && was.secretVersion !== is.secretVersion;
  return isNew ? ["a new password for the Relay Server"] : [];
}
