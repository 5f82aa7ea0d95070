/** A route stops to take inbound mail, or leaves, only once the domain's MX lead nobody to the gateway any more. */
import { MailRuleError } from "../mail/errors.ts";
import { parseClaim } from "../mail/journal.ts";
import type { RouteRecord } from "../mail/route.ts";
import { releaseClaim } from "../mail/route-claim.ts";
import { routeInForce, stageRefusal } from "../mail/route-life.ts";
import type { RouteStore } from "../store/route-store.ts";
import { askForMx } from "./former-gateways.ts";
import type { Call } from "./resource.ts";
import type { RouteInputs, RouteOutputs } from "./route-schema.ts";

/**
 * The route changes before the MX do: mail that still comes would be refused for good, a day later.
 *
 * @throws MailRuleError `inbound-still-led-here`: then nothing was changed
 */
export async function refuseWhileLedHere(
  before: RouteRecord | undefined,
  inputs: RouteInputs,
  call: Call,
): Promise<void> {
  const now = new Date();
  const route = before && routeInForce(before, now)?.route;
  if (before === undefined || route?.inbound !== true || inputs.inbound) return;
  // What is refused already cannot be lost.
  if (stageRefusal(before, "inbound", now)?.action === "refuse") return;
  const { domain, gatewayHosts } = inputs;
  const { named, isAsked, what } = await lookForMx(domain, gatewayHosts, call);
  if (what === undefined && isAsked) return;
  throw new MailRuleError({
    code: "inbound-still-led-here",
    where: `Route of ${domain}`,
    ...(named !== undefined && { value: named }),
    problem: `It is to take no more inbound mail, and ${what ?? SILENT}. Mail that comes would be refused a day later. Nothing was changed.`,
    fix: "Take the MX back first: set bypass: true for the domain, and run pulumi up. Then set inbound: none in its place; mail of senders that remember the gateway's MX is taken for one day more.",
  });
}

/**
 * A route that leaves refuses mail some days later. In a destroy the MX are back by then; where someone else has the
 * MX, or the program does not know them any more, they may lead here still.
 *
 * @param hosts the names of the gateway that keeps its routes in `store`
 * @throws MailRuleError `mx-still-names-gateway`: then the route was not changed
 */
export async function refuseEndWhileNamed(
  store: RouteStore,
  hosts: readonly string[],
  { domain, claim }: Pick<RouteOutputs, "domain" | "claim">,
  call: Call,
): Promise<void> {
  const { record } = await store.readDomain(domain);
  const isLast = record && releaseClaim(record, parseClaim(claim)).kind === "last";
  if (record === undefined || !isLast || record.leaving || !takesInbound(record)) return;
  // Where no name server is found at all, nothing is to hold a domain that may be gone.
  const { named, what } = await lookForMx(domain, hosts, call);
  if (what === undefined) return;
  if (call.settings.inboundGivenUp.includes(domain)) {
    call.warn(
      `Route of ${domain}: ${what}, and MXHERO_INBOUND_GIVEN_UP names the domain: its mail is refused some days from now.`,
    );
    return;
  }
  throw new MailRuleError({
    code: "mx-still-names-gateway",
    where: `Route of ${domain}`,
    ...(named !== undefined && { value: named }),
    problem: `The gateway is to give the domain up, and ${what}: all mail that comes here would be refused some days later. The route was not changed.`,
    fix: `Let the MX name another host first, and see that all name servers answer; where the domain stays at this gateway, name the gateway by its stack in mail:gateway. If the domain's mail does not matter any more, say so in the environment: MXHERO_INBOUND_GIVEN_UP=${domain}.`,
  });
}

const SILENT = "not every name server of the domain says what its MX are";

interface MxLook {
  /** A host of the gateway that the MX name. */
  readonly named: string | undefined;
  /** Whether the domain has name servers that could be asked. */
  readonly isAsked: boolean;
  /** Why senders may be led here; undefined: no name server leads them here. */
  readonly what: string | undefined;
}

async function lookForMx(domain: string, hosts: readonly string[], call: Call): Promise<MxLook> {
  const served = await askForMx(domain, call);
  const all = served.flatMap((records) => records ?? []);
  const named = all.find(({ exchange }) => hosts.includes(exchange))?.exchange;
  const silent = served.includes(undefined) ? SILENT : undefined;
  const what = named === undefined ? silent : `the domain's MX still names ${named}`;
  return { named, isAsked: served.length > 0, what };
}

function takesInbound(record: RouteRecord): boolean {
  const now = new Date();
  const isRefused = stageRefusal(record, "inbound", now)?.action === "refuse";
  return !isRefused && routeInForce(record, now)?.route.inbound === true;
}
