/**
 * Postfix's maps, made of the routes. Which instance asks which map, and when, stands in main-cf.ts.
 *
 * All maps are LMDB files that are changed in place: a change takes effect at once, in open sessions too.
 */
import { isIP } from "node:net";
import { toUnicodeName } from "../../mail/domain-name.ts";
import type { RelayLogin, Route, RouteRecord } from "../../mail/route.ts";
import { endRefusal, routeInForce, stageRefusal } from "../../mail/route-life.ts";
import { PROBE_TRANSPORT, relayTransport, SERVER_TRANSPORT } from "./master-cf.ts";

export const MAP_NAMES = [
  "inbound-transport",
  "inbound-recipients",
  "inbound-probes",
  "relay-transport",
  "relay-passwords",
] as const;
export type MapName = (typeof MAP_NAMES)[number];

/** The only map that holds secrets. Its file is root's alone (0600): Postfix opens it as root. */
export const SECRET_MAP: MapName = "relay-passwords";

/** Key and value of each entry. */
export type MapEntries = ReadonlyMap<string, string>;

export interface MapEntry {
  readonly map: MapName;
  readonly key: string;
  readonly value: string;
}

/** The password of a login, from the secret store; `undefined` while it is not known. */
export type Passwords = (login: RelayLogin) => string | undefined;

/** All maps of all routes, as they are at `now`. */
export function renderMaps(
  records: Iterable<RouteRecord>,
  now: Date,
  passwords: Passwords,
): Readonly<Record<MapName, MapEntries>> {
  const maps = {
    "inbound-transport": new Map<string, string>(),
    "inbound-recipients": new Map<string, string>(),
    "inbound-probes": new Map<string, string>(),
    "relay-transport": new Map<string, string>(),
    "relay-passwords": new Map<string, string>(),
  };
  for (const record of records) {
    for (const { map, key, value } of mapEntries(record, now, passwords)) maps[map].set(key, value);
  }
  return maps;
}

/**
 * The entries of one domain: no other domain has the same map and key.
 *
 * An entry that would not be one line of a map's source is left out, so that no text of a route can become
 * another domain's entry.
 */
export function mapEntries(record: RouteRecord, now: Date, passwords: Passwords): MapEntry[] {
  const route = routeInForce(record, now)?.route;
  if (route === undefined) return [];
  const entries = [
    ...(route.inbound ? inboundEntries(route, record, now) : formerEntries(record, now)),
    ...outboundTransport(sendingRoute(route, record), passwords),
  ];
  return inEveryScript(route.domain, entries).filter(isOneLine);
}

/** The source of a map, for `postmap`. */
export function mapSource(entries: MapEntries): string {
  let source = "";
  for (const [key, value] of entries) source += `${key}\t${value}\n`;
  return source;
}

type Refusal = NonNullable<ReturnType<typeof stageRefusal>>;

/** What is said at RCPT (access(5)), and where mail goes (transport(5)). */
function inboundEntries(route: Route, record: RouteRecord, now: Date): MapEntry[] {
  const mayRefuse = record.leaving !== undefined || record.inactive !== undefined;
  const refusal = mayRefuse ? stageRefusal(record, "inbound", now) : undefined;
  if (refusal === undefined) return [serverTransport(route), ...recipients(route)];
  const ended = endRefusal(record, "inbound", now);
  const transport = ended === undefined ? serverTransport(route) : endTransport(route, ended);
  return [transport, answer(route.domain, accessReply(refusal))];
}

/** For mail that is in the queue when the route ends: `retry` keeps it, `error` returns it to the sender. */
function endTransport({ domain }: Route, { action, status, text }: Refusal): MapEntry {
  const name = action === "defer" ? "retry" : "error";
  return entry("inbound-transport", domain, `${name}:${status} ${text}`);
}

function serverTransport({ domain, ...server }: Pick<Route, "domain" | "server" | "mxLookup">) {
  return entry("inbound-transport", domain, `${SERVER_TRANSPORT}:${serverHop(server)}`);
}

/** Of a domain that receives no more: mail is still in the queue, and some may still come. */
function formerEntries(record: RouteRecord, now: Date): MapEntry[] {
  const { domain, formerServer } = record;
  if (formerServer === undefined || new Date(formerServer.until) <= now) return [];
  const { accepts, ...server } = formerServer;
  const transport = serverTransport({ domain, ...server });
  if (accepts === undefined || new Date(accepts.until) <= now) return [transport];
  const refusal = stageRefusal(record, "inbound", now);
  if (refusal !== undefined) return [transport, answer(domain, accessReply(refusal))];
  return [transport, ...recipients({ domain, ...server, rcptLookup: accepts.rcptLookup })];
}

function answer(recipient: string, value: string): MapEntry {
  return entry("inbound-recipients", recipient, value);
}

function recipients(
  route: Pick<Route, "domain" | "server" | "mxLookup" | "rcptLookup">,
): MapEntry[] {
  const { domain, rcptLookup } = route;
  if (rcptLookup.kind === "off") return [answer(domain, "OK")];
  if (rcptLookup.kind === "probe") {
    return [
      answer(domain, "reject_unverified_recipient, permit"),
      entry("inbound-probes", domain, `${PROBE_TRANSPORT}:${serverHop(route)}`),
    ];
  }
  const own = rcptLookup.recipients.filter((recipient) => recipient.endsWith(`@${domain}`));
  return [answer(domain, "550 5.1.1 no such mailbox"), ...own.map((known) => answer(known, "OK"))];
}

/** Where a domain's mail leaves to, as transport(5) and FILTER of access(5) take it; none: by MX. */
export function outboundHop(route: Route): string | undefined {
  const { outbound, relayServer } = route;
  if (outbound === "loopback") return `${relayTransport("opportunistic")}:${serverHop(route)}`;
  if (outbound === "none" || relayServer === undefined) return undefined;
  const { host, port, tls } = relayServer;
  return `${relayTransport(tls)}:[${host}]:${port}`;
}

/** With the way of before where the domain sends no more, for what is still in the queue. */
function sendingRoute(route: Route, { formerWay }: RouteRecord): Route {
  return route.outbound === "none" ? { ...route, ...formerWay } : route;
}

/**
 * By the sender's domain. Stays while mail is refused: what was accepted before is still in the queue.
 * A login without its password waits: sent without, the mail would bounce.
 */
function outboundTransport(route: Route, passwords: Passwords): MapEntry[] {
  const { domain, outbound, relayServer } = route;
  const transport = (value: string) => entry("relay-transport", `@${domain}`, value);
  const hop = outboundHop(route);
  if (hop === undefined) return [];
  const delivery = transport(hop);
  const login = outbound === "standard" ? relayServer?.login : undefined;
  if (login === undefined) return [delivery];
  const password = passwords(login);
  return password === undefined
    ? [transport("retry:4.3.5 the password of the Relay Server's login is not known yet")]
    : [delivery, entry("relay-passwords", `@${domain}`, `${login.user}:${password}`)];
}

function accessReply({ action, status, text }: Refusal): string {
  return `${action === "defer" ? "450" : "550"} ${status} ${text}`;
}

/** Brackets: no MX lookup. An address is never looked up. */
function serverHop({ server, mxLookup }: Pick<Route, "server" | "mxLookup">): string {
  return mxLookup && isIP(server) === 0 ? server : `[${server}]`;
}

function entry(map: MapName, key: string, value: string): MapEntry {
  return { map, key, value };
}

/** Addresses may come in Unicode (RFC 6531), and Postfix looks them up as they came. */
function inEveryScript(domain: string, entries: readonly MapEntry[]): readonly MapEntry[] {
  const unicode = domain.includes("xn--") ? toUnicodeName(domain) : domain;
  if (unicode === domain) return entries;
  return entries.flatMap((one) => [one, { ...one, key: one.key.replace(domain, unicode) }]);
}

function isOneLine({ key, value }: MapEntry): boolean {
  return !/[\s\p{Cc}]|^#|^$/u.test(key) && !/\p{Cc}/u.test(value);
}
