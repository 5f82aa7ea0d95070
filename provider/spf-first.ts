/** Mail keeps its way out through a Relay Server or the mail system until the SPF record names the gateway. */
import { MailRuleError } from "../mail/errors.ts";
import { formatNote } from "../mail/preview-note.ts";
import type { Route, RouteRecord } from "../mail/route.ts";
import { routeInForce } from "../mail/route-life.ts";
import { selectSpf } from "../mail/spf/index.ts";
import { hasAny } from "../mail/spf-claims.ts";
import { beginsToLeaveHere, describeWayOut, withWayOut } from "../mail/way-out.ts";
import { PublicDomain, proven } from "./public-domain.ts";
import type { Call } from "./resource.ts";
import type { RouteInputs } from "./route-schema.ts";

/** The route that may serve now, and whether a later run must change it. */
export interface RouteForNow {
  readonly route: Route;
  readonly awaitsSpf: boolean;
}

/**
 * The SPF record changes after the route, so that a change which needs it first takes two runs: this one leaves
 * the way out as it was, and the next one, which finds the gateway in the record, changes it.
 */
export async function keepWayOut(
  record: RouteRecord | undefined,
  route: Route,
  { sending }: RouteInputs,
  call: Call,
): Promise<RouteForNow> {
  // A domain that was leaving comes anew: nobody sends by its former way any more.
  const isHere = record !== undefined && record.leaving === undefined;
  const before = isHere ? routeInForce(record, new Date())?.route : undefined;
  const include = sending?.include;
  const begins = before !== undefined && beginsToLeaveHere(before, route);
  if (!begins || include === undefined) return { route, awaitsSpf: false };
  const missing = await whereMissing(route.domain, `include:${include}`, call);
  if (missing === undefined) return { route, awaitsSpf: false };
  const text = `Route of ${route.domain}: outbound mail still leaves through ${describeWayOut(before)}, for ${missing} does not have include:${include} in the domain's SPF record: receivers would fail what the gateway sends. Run pulumi up again once the record is out, and receivers have forgotten the one before (its TTL, 5 minutes by default): then mail leaves from the gateway.`;
  call.warn(formatNote("way-out-waits", text));
  return { route: withWayOut(route, before), awaitsSpf: true };
}

/** Who does not show the term: a name server, or the resolver, which may remember the record of before. */
async function whereMissing(domain: string, term: string, call: Call): Promise<string | undefined> {
  try {
    const live = await PublicDomain.find(call.settings, domain);
    const servers = await live.askNameServers("TXT");
    const without = servers.find((answer) => !names(proven(answer) ?? [], term));
    if (without !== undefined) return without.server.name;
    const { records } = await live.resolver(domain, "TXT");
    return names(records, term) ? undefined : "the resolver";
  } catch (error) {
    if (error instanceof MailRuleError) return `public DNS (${error.problem})`;
    throw error;
  }
}

function names(texts: readonly string[], term: string): boolean {
  const spf = selectSpf(texts);
  return spf.status === "one" && hasAny(spf.record, [term]);
}
