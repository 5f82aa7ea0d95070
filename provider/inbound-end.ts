/** A route stops to take inbound mail only once the domain's MX lead nobody to the gateway any more. */
import { MailRuleError } from "../mail/errors.ts";
import type { RouteRecord } from "../mail/route.ts";
import { routeInForce, stageRefusal } from "../mail/route-life.ts";
import { askForMx } from "./former-gateways.ts";
import type { Call } from "./resource.ts";
import type { RouteInputs } from "./route-schema.ts";

/**
 * The route changes before the MX do: mail that still comes would be refused for good.
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
  if (stageRefusal(before, "inbound", now) !== undefined) return;
  const { domain, gatewayHosts } = inputs;
  const served = await askForMx(domain, call);
  const all = served.flatMap((records) => records ?? []);
  const named = all.find(({ exchange }) => gatewayHosts.includes(exchange))?.exchange;
  const isKnown = served.length > 0 && !served.includes(undefined);
  if (named === undefined && isKnown) return;
  throw new MailRuleError({
    code: "inbound-still-led-here",
    where: `Route of ${domain}`,
    ...(named !== undefined && { value: named }),
    problem: `It is to take no more inbound mail, and ${named === undefined ? "not every name server of the domain says what its MX are" : `the domain's MX still names ${named}`}. Mail that comes would be refused. Nothing was changed.`,
    fix: "Take the MX back first: set bypass: true for the domain, run pulumi up, and wait until resolvers have forgotten the gateway (the TTL of its MX, 5 minutes by default). Then set inbound: none in its place.",
  });
}
