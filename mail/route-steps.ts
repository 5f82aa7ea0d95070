/**
 * What is to be done next so that a route serves: propose it, let every slot prove it, activate it, let
 * every slot acknowledge it. Decided from what the route store shows alone, so that whoever comes after an
 * interruption goes on where it stopped.
 */
import { isDeepStrictEqual } from "node:util";
import { MailRuleError } from "./errors.ts";
import type {
  NumberedRoute,
  Route,
  RouteHolder,
  RouteProof,
  RouteRecord,
  SlotAnswer,
} from "./route.ts";
import {
  activateRoute,
  deactivateRoute,
  proposeRoute,
  type RouteContent,
} from "./route-changes.ts";
import { type Claimant, claimDomain } from "./route-claim.ts";
import { lifeStage } from "./route-life.ts";

/** What the route store shows of a domain and of the fleet. */
export interface RouteWorld {
  readonly record?: RouteRecord | undefined;
  readonly answers: readonly SlotAnswer[];
  /** The names of the fleet's slots, but for those that are left out. */
  readonly slots: readonly string[];
}

export interface RouteGoal {
  readonly claimant: Claimant;
  readonly route: Route;
  /** Its mail is refused until it is active again. @default false */
  readonly inactive?: boolean;
  /** The version that this run has proposed: if a slot refuses it, that is an answer, and no story of old. */
  readonly ownVersion?: number | undefined;
}

/** How far the slots are. */
export interface Progress {
  readonly done: readonly string[];
  readonly pending: readonly string[];
}

export type RouteStep =
  /** `proposed`: the content brings a new version. */
  | { readonly kind: "write"; readonly content: RouteContent; readonly proposed: boolean }
  | ({ readonly kind: "prove"; readonly version: number } & Progress)
  | { readonly kind: "refused"; readonly proofs: ReadonlyMap<string, RouteProof> }
  | ({ readonly kind: "acknowledge"; readonly revision: number } & Progress);

/**
 * Setting a route inactive needs no proof. Being active again does, as all that serves: the Server may be
 * another by now.
 *
 * @returns undefined when the route serves, or is inactive, on all slots
 * @throws MailRuleError as `claimDomain` does; `inactive-without-route`
 */
export function nextRouteStep(
  world: RouteWorld,
  goal: RouteGoal,
  now: Date,
): RouteStep | undefined {
  const { record } = world;
  const holder = claimDomain(record, goal.claimant, now);
  if (goal.inactive === true && record?.inactive === undefined) {
    const content = deactivateRoute(mustServe(record, goal, now), holder, now);
    return { kind: "write", content, proposed: false };
  }
  if (record !== undefined && isReached(record, goal)) {
    return settleStep(record, holder, world);
  }
  const { proposed } = record ?? {};
  if (record === undefined || !proposed || !isDeepStrictEqual(proposed.route, goal.route)) {
    return proposal(record, holder, goal, now);
  }
  if (!isDeepStrictEqual(record.holder, holder)) {
    return { kind: "write", content: { ...record, holder }, proposed: false };
  }
  const proofs = proofsOf(world, proposed.version);
  const failed = [...proofs].filter(([, { verdict }]) => verdict === "failed");
  if (failed.length > 0) {
    return proposed.version === goal.ownVersion
      ? { kind: "refused", proofs: new Map(failed) }
      : proposal(record, holder, goal, now);
  }
  const progress = split(world.slots, (slot) => proofs.get(slot)?.verdict === "proven");
  return progress.pending.length === 0
    ? { kind: "write", content: activated(record, proposed, goal, now), proposed: false }
    : { kind: "prove", version: proposed.version, ...progress };
}

function isReached({ active, leaving, inactive }: RouteRecord, goal: RouteGoal): boolean {
  if (leaving !== undefined || active === undefined) return false;
  const isInactive = inactive !== undefined;
  return isInactive === (goal.inactive ?? false) && isDeepStrictEqual(active.route, goal.route);
}

/** A new version of an inactive route is as inactive. */
function activated(record: RouteRecord, proven: NumberedRoute, goal: RouteGoal, now: Date) {
  const content = activateRoute(record, proven, now);
  const { inactive } = record;
  return goal.inactive === true && inactive !== undefined ? { ...content, inactive } : content;
}

/** The gateway would begin with refusing the mail of a domain whose MX are about to move to it. */
function mustServe(record: RouteRecord | undefined, { route }: RouteGoal, now: Date): RouteRecord {
  if (record?.active !== undefined && lifeStage(record, now) !== "expired") return record;
  throw new MailRuleError({
    code: "inactive-without-route",
    where: `Route of ${route.domain}`,
    value: route.domain,
    problem: "The domain is to be inactive, and the gateway does not serve it yet.",
    fix: "Delete the domain's entry until it is to be onboarded, or take inactive away.",
  });
}

/** The route is active: a proposal beside it is no longer wanted, and claims may change without a proof. */
function settleStep(
  { proposed, revision, ...kept }: RouteRecord,
  holder: RouteHolder,
  world: RouteWorld,
): RouteStep | undefined {
  if (proposed !== undefined || !isDeepStrictEqual(kept.holder, holder)) {
    return { kind: "write", content: { ...kept, holder }, proposed: false };
  }
  const { answers } = world;
  const progress = split(world.slots, (slot) =>
    answers.some((answer) => answer.slot === slot && (answer.acknowledged ?? 0) >= revision),
  );
  return progress.pending.length === 0 ? undefined : { kind: "acknowledge", revision, ...progress };
}

function proposal(
  record: RouteRecord | undefined,
  holder: RouteHolder,
  { route }: RouteGoal,
  now: Date,
): RouteStep {
  return { kind: "write", content: proposeRoute(record, route, holder, now), proposed: true };
}

/** What the slots say of this version. */
function proofsOf({ answers, slots }: RouteWorld, version: number): Map<string, RouteProof> {
  const proofs = answers.flatMap(({ slot, proof }) =>
    proof?.version === version && slots.includes(slot) ? [[slot, proof] as const] : [],
  );
  return new Map(proofs);
}

function split(slots: readonly string[], isDone: (slot: string) => boolean): Progress {
  return {
    done: slots.filter((slot) => isDone(slot)),
    pending: slots.filter((slot) => !isDone(slot)),
  };
}
