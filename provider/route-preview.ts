/** What a `Route` says: what a preview found, whom it leaves out, and what becomes of a route given up. */
import { MailRuleError } from "../mail/errors.ts";
import { formatNote } from "../mail/preview-note.ts";
import type { RouteRecord } from "../mail/route.ts";
import { routeInForce } from "../mail/route-life.ts";
import type { RouteGoal, RouteStep, RouteWorld } from "../mail/route-steps.ts";
import {
  describeInactivity,
  describeInboundEnd,
  describeRouteChange,
} from "../mail/route-words.ts";
import { observeRoute, type Release, refuseHeld } from "./apply-route-steps.ts";
import { partFromFormer } from "./former-gateways.ts";
import { refuseWhileLedHere } from "./inbound-end.ts";
import { withRouteStore } from "./open-route-store.ts";
import type { Call } from "./resource.ts";
import { sayLosses } from "./route-losses.ts";
import type { FormerGateway, RouteInputs, RouteOutputs, StorePlace } from "./route-schema.ts";
import { goalOf, includesOf, type Standing } from "./route-state.ts";
import { keepWayOut } from "./spf-first.ts";

/** Reads the store and says what would be done. Without credentials it says what it can. */
export async function previewRoute(
  inputs: RouteInputs,
  call: Call,
  standing: Standing,
): Promise<Partial<RouteOutputs>> {
  const goal = goalOf(inputs, standing, nextSecretVersion(inputs, standing));
  const { old, claim, formerGateways = [] } = standing;
  const certain = {
    ...(old && { claim }),
    formerIncludes: includesOf(formerGateways, inputs),
    ...(formerGateways.length === 0 && { formerGateways: [] }),
  };
  try {
    await withRouteStore(inputs.store, async (store) => {
      const world = await observeRoute({ ...inputs, store });
      const { route } = await keepWayOut(world.record, goal.route, inputs, call);
      const now = { ...goal, route };
      const step = await refuseHeld(store, world, now);
      if (step !== undefined) sayPlan(world, now, step, call);
      await refuseWhileLedHere(world.record, inputs, call);
      const { record } = world;
      await sayLosses(store, { record, after: goal.route, inputs, old }, call);
    });
    sayExcluded(inputs, call);
    return (await previewPartings(inputs, formerGateways, call))
      ? { ...(old && { claim }) }
      : certain;
  } catch (error) {
    if (!(error instanceof MailRuleError) || error.code !== "aws-credentials-missing") throw error;
    const unread = `Route of ${inputs.domain} not read: ${error.problem} ${error.fix} Planned, but not checked against the gateway: ${describeRouteChange(undefined, goal.route)}`;
    call.warn(formatNote("not-read", unread));
    return certain;
  }
}

/** @returns whether the domain leaves one: the run finds out anew, so that nothing is certain then */
async function previewPartings(
  inputs: RouteInputs,
  formers: readonly FormerGateway[],
  call: Call,
): Promise<boolean> {
  const partings = await partFromFormer(inputs, formers, call);
  const leaving = partings.filter(({ departure }) => departure.kind === "leaves");
  for (const { gateway } of leaving) {
    call.info(`Route of ${inputs.domain}: it leaves the former gateway (${gateway.store.table}).`);
  }
  return leaving.length > 0;
}

/** A new password gets another version; which one is known once it is written. */
function nextSecretVersion({ relayServer }: RouteInputs, { old, mayClaim }: Standing) {
  const isKept = old?.relayServer?.login?.password === relayServer?.login?.password && !mayClaim;
  return isKept ? old?.secretVersion : (old?.secretVersion ?? 0) + 1;
}

function sayPlan({ record, slots }: RouteWorld, goal: RouteGoal, step: RouteStep, call: Call) {
  const { route, inactive = false } = goal;
  const now = new Date();
  const before = record && routeInForce(record, now)?.route;
  const change = describeRouteChange(before, route);
  const again = record?.leaving && before ? " (it was leaving, and stays)" : "";
  const inactivity = describeInactivity(record, { route, inactive }, now);
  const isSame = change === "unchanged";
  const words = isSame && inactivity !== "" ? "" : `${change}${again}`;
  const isProven = step.kind !== "acknowledge" && !(inactive && isSame);
  const proof = `${countSlots(slots)} ${isProven ? "will prove it" : "take it over"}`;
  const inboundEnd = describeInboundEnd(record, { route, inactive }, now);
  const all = [words, inboundEnd, inactivity, proof].filter((text) => text !== "");
  call.info(`Route of ${route.domain}: ${all.join(", ")}`);
  if (route.inbound && route.rcptLookup.kind === "off") {
    const text = `Route of ${route.domain}: without Rcpt Lookup the gateway accepts mail for users that do not exist, and bounces it to senders that are often forged.`;
    call.warn(formatNote("no-rcpt-lookup", text));
  }
}

function countSlots(slots: readonly string[]): string {
  return `${slots.length} ${slots.length === 1 ? "slot" : "slots"} (${slots.join(", ")})`;
}

export function sayExcluded({ domain, excludeSlots }: RouteInputs, call: Call): void {
  if (excludeSlots.length === 0) return;
  const text = `Route of ${domain}: ${excludeSlots.join(", ")} left out by excludeSlots. Nothing is proven there, and mail that reaches such a slot may be refused.`;
  call.warn(formatNote("slot-left-out", text));
}

/** Says what became of a route that a resource no longer wants. */
export function sayRelease(
  { domain, store }: { readonly domain: string; readonly store: StorePlace },
  release: Release,
  call: Call,
): void {
  const where = `Route of ${domain} (${store.table})`;
  if (release === "gone") return;
  if (release === "not-held") {
    call.warn(`${where}: this resource does not hold it any more. It was left as it is.`);
  } else if (release === "kept") {
    call.info(`${where}: another resource of the organisation holds it, too. It goes on serving.`);
  } else {
    call.info(`${where}: ${describeEnd(release)}`);
  }
}

function describeEnd({ active, leaving }: RouteRecord): string {
  if (active === undefined || leaving === undefined) return "it never served, and is gone.";
  const { deferFrom, refuseFrom, expires } = leaving;
  return `it still delivers and relays until ${deferFrom}, then refuses for now, from ${refuseFrom} for good, and is gone on ${expires}.`;
}
