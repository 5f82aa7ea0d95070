/** Brings a route to where it serves, step by step, or gives it up. */
import { MailRuleError } from "../mail/errors.ts";
import type { Claim } from "../mail/journal.ts";
import type { RouteRecord } from "../mail/route.ts";
import { giveUpRoute, type RouteContent } from "../mail/route-changes.ts";
import { releaseClaim } from "../mail/route-claim.ts";
import { routeStage } from "../mail/route-life.ts";
import {
  nextRouteStep,
  type RouteGoal,
  type RouteStep,
  type RouteWorld,
} from "../mail/route-steps.ts";
import { RouteConflict } from "../store/errors.ts";
import type { RouteStore } from "../store/route-store.ts";
import type { Call } from "./resource.ts";
import { proofRefused, SlotWaits } from "./route-waits.ts";

/** A run needs three writes. More than these mean that someone else changes the same route all the time. */
const MOST_WRITES = 12;

/** The domain, and the slots that are asked. */
export interface RoutePlace {
  readonly store: RouteStore;
  readonly domain: string;
  /** Left out in so many words. */
  readonly excludeSlots: readonly string[];
}

/**
 * The store as it is now.
 *
 * @throws MailRuleError `no-slot-registered`, `all-slots-excluded`
 */
export async function observeRoute(place: RoutePlace): Promise<RouteWorld> {
  const { store, domain, excludeSlots } = place;
  const [{ record, answers }, registered] = await Promise.all([
    store.readDomain(domain),
    store.slots(),
  ]);
  const all = registered.map(({ slot }) => slot);
  const slots = all.filter((slot) => !excludeSlots.includes(slot));
  if (slots.length === 0) throw withoutSlots(domain, all);
  return { record, answers, slots };
}

/** @throws MailRuleError if another organisation holds what the next write would take */
export async function refuseHeld(
  store: RouteStore,
  world: RouteWorld,
  goal: RouteGoal,
): Promise<RouteStep | undefined> {
  const step = nextRouteStep(world, goal, new Date());
  if (step?.kind === "write") await store.checkRoute(step.content);
  return step;
}

/**
 * Goes on until the route serves on all slots.
 *
 * @param onWrite called after each write, with what is in the store now
 * @throws MailRuleError where it may not be, or a slot refuses it or lags
 */
export async function applyRouteSteps(
  place: RoutePlace,
  goal: RouteGoal,
  call: Call,
  onWrite: (record: RouteRecord) => void,
): Promise<RouteWorld> {
  const { store, domain } = place;
  const waits = new SlotWaits(store, domain, call);
  let ownVersion: number | undefined;
  for (let writes = 0; writes < MOST_WRITES; ) {
    call.signal.throwIfAborted();
    const world = await observeRoute(place);
    const step = nextRouteStep(world, { ...goal, ownVersion }, new Date());
    if (step === undefined) return world;
    if (step.kind === "refused") {
      throw proofRefused(domain, step.proofs, world.record?.active !== undefined);
    }
    if (step.kind !== "write") {
      await waits.pass(step, world.answers);
      continue;
    }
    writes += 1;
    const written = await writeUnlessChanged(store, step.content, world.record);
    if (written === undefined) continue;
    if (step.proposed) ownVersion = written.proposed?.version;
    onWrite(written);
  }
  throw changedMeanwhile(domain);
}

/** What became of a domain that a resource no longer wants. */
export type Release = "gone" | "not-held" | "kept" | RouteRecord;

/** Takes a claim away; with the last one the route is given up. Idempotent. */
export async function releaseRoute(
  store: RouteStore,
  domain: string,
  claim: Claim,
): Promise<Release> {
  for (let writes = 0; writes < MOST_WRITES; writes += 1) {
    const now = new Date();
    const { record } = await store.readDomain(domain);
    if (record === undefined || routeStage(record, now) === "expired") return "gone";
    const release = releaseClaim(record, claim);
    if (release.kind === "not-held") return "not-held";
    if (release.kind === "last" && record.leaving && record.proposed === undefined) return record;
    const isLast = release.kind === "last";
    const content = isLast ? giveUpRoute(record, now) : { ...record, holder: release.holder };
    const written = await writeUnlessChanged(store, content, record);
    if (written !== undefined) return isLast ? written : "kept";
  }
  throw changedMeanwhile(domain);
}

async function writeUnlessChanged(
  store: RouteStore,
  content: RouteContent,
  read: RouteRecord | undefined,
): Promise<RouteRecord | undefined> {
  try {
    return await store.writeRoute(content, read?.revision);
  } catch (error) {
    if (error instanceof RouteConflict) return undefined;
    throw error;
  }
}

function changedMeanwhile(domain: string): MailRuleError {
  return new MailRuleError({
    code: "route-changed-meanwhile",
    where: `Route of ${domain}`,
    value: domain,
    problem: "Someone else changes the same route at the same time, again and again.",
    fix: "Keep the domain in one stack only, and let one run finish before the next begins.",
  });
}

function withoutSlots(domain: string, registered: readonly string[]): MailRuleError {
  const where = `Route of ${domain}`;
  if (registered.length > 0) {
    return new MailRuleError({
      code: "all-slots-excluded",
      where,
      value: registered.join(", "),
      problem: `All slots of the gateway (${registered.join(", ")}) are left out, so nobody would prove the route.`,
      fix: "Take a slot that runs out of excludeSlots.",
    });
  }
  return new MailRuleError({
    code: "no-slot-registered",
    where,
    problem: "The gateway has no slots, so nobody would prove the route nor use it.",
    fix: "Bring the gateway's stack up first, or name the gateway that has slots.",
  });
}
