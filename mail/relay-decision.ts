/**
 * Who may relay: the answer to Postfix's policy request, one for each recipient.
 *
 * A client is known by its address or its certificate, and may send as those domains alone whose routes name
 * it. Whatever is not known is refused; where nothing at all is known, the sender is asked to come again.
 */
import { domainOfAddress } from "./mail-address.ts";
import { type Client, identityKey, type RelayIndex } from "./relay-index.ts";
import type { Route, RouteRecord } from "./route.ts";
import { routeInForce, stageRefusal } from "./route-life.ts";

/** What of a policy request decides (http://www.postfix.org/SMTPD_POLICY_README.html). */
export interface RelayRequest {
  /** `client_address` and `ccert_fingerprint`. */
  readonly client: Client;
  /** `sender`: the address of MAIL FROM, `""` for the null sender. */
  readonly sender: string;
}

export type RelayDecision =
  /** `way`: of a null sender, the route whose way its mail goes; none: by the recipients' MX. */
  | { readonly action: "permit"; readonly way?: Route }
  /** `reply`: reply code, enhanced status code and text, as access(5) takes them. */
  | { readonly action: "defer" | "refuse"; readonly reply: string };

/** @param index of all routes; `undefined` as long as they are not known. */
export function decideRelay(
  index: RelayIndex | undefined,
  { client, sender }: RelayRequest,
  now: Date,
): RelayDecision {
  if (index === undefined) {
    return { action: "defer", reply: "451 4.3.0 The gateway is still loading the routes" };
  }
  const keys = index.keysOf(client);
  if (sender === "") return decideNullSender(index.recordsOf(keys), client, now);
  const record = index.recordOf(domainOfAddress(sender));
  if (record === undefined || routeInForce(record, now) === undefined) {
    return refused("The sender's domain is not known to this gateway");
  }
  return stageDecision(record, now) ?? decideSender(record, keys, client);
}

/** Of a domain that serves. */
function decideSender(
  { domain, active }: RouteRecord,
  keys: ReadonlySet<string>,
  client: Client,
): RelayDecision {
  if (active === undefined || active.route.outbound === "none") {
    return refused(`${domain} does not send mail through this gateway`);
  }
  const isKnown = active.route.identities.some((identity) => keys.has(identityKey(identity)));
  return isKnown
    ? { action: "permit" }
    : refused(`${clientWords(client)} is not a sending identity of ${domain}`);
}

/** A bounce names no domain, so that the identity must be of one organisation alone. */
function decideNullSender(
  records: Iterable<RouteRecord>,
  client: Client,
  now: Date,
): RelayDecision {
  const organisations = new Set<string>();
  const serving: Route[] = [];
  let refusal: RelayDecision | undefined;
  for (const record of records) {
    const route = routeInForce(record, now)?.route;
    if (route === undefined || route.outbound === "none") continue;
    organisations.add(record.holder.organisation);
    if (organisations.size > 1) {
      return refused(`${clientWords(client)} is shared, so that it needs a sender address`);
    }
    const decision = stageDecision(record, now);
    if (decision === undefined) serving.push(route);
    refusal ??= decision;
  }
  // One domain that is served is enough, whatever became of the others.
  if (serving.length > 0) return { action: "permit", ...wayOfNullSender(serving) };
  return refusal ?? refused(`${clientWords(client)} is not a sending identity of any domain`);
}

/**
 * By MX would be past what an organisation has its mail go through. Where its domains go different ways, it is
 * the first of those names that has a way of its own. Not one with a login: Postfix finds logins by the sender.
 */
function wayOfNullSender(routes: readonly Route[]): { readonly way?: Route } {
  const own = routes.filter(
    ({ outbound, relayServer }) =>
      outbound === "loopback" || (relayServer !== undefined && relayServer.login === undefined),
  );
  const [way] = own.toSorted((one, other) => (one.domain < other.domain ? -1 : 1));
  return way === undefined ? {} : { way };
}

/** What is answered because the domain was given up; `undefined` where it is served. */
function stageDecision(record: RouteRecord, now: Date): RelayDecision | undefined {
  const refusal = stageRefusal(record, "outbound", now);
  if (refusal === undefined) return undefined;
  const { action, status, text } = refusal;
  return { action, reply: `${action === "defer" ? "450" : "550"} ${status} ${text}` };
}

function clientWords({ address, fingerprint }: Client): string {
  return fingerprint === undefined || fingerprint === ""
    ? `The host [${address}]`
    : `The host [${address}] with its certificate`;
}

function refused(text: string): RelayDecision {
  return { action: "refuse", reply: `550 5.7.1 ${text}` };
}
