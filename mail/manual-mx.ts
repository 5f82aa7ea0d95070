/**
 * The next change of a domain's MX where a person makes the changes, and public DNS is all that is seen.
 *
 * The steps are those of a takeover and a hand-back (mail/takeover.ts, mail/hand-back.ts), with one
 * difference: the journal lies in the state of the run, and a step is done when DNS shows it, so that it
 * may also be done by halves. What a step says of the journal alone is done at once.
 */
import type { MxRecord } from "./dns.ts";
import type { DnsChange } from "./dns-change.ts";
import { applyStep } from "./foresee.ts";
import { nextHandBackStep } from "./hand-back.ts";
import type { FormerMx } from "./journal.ts";
import {
  formatMx,
  includesAllMx,
  includesMx,
  plainMx,
  sortByHolder,
  sortMx,
  type ZoneMx,
} from "./mx.ts";
import type { MxGoal, MxStep, MxWorld } from "./mx-goal.ts";
import { nextTakeoverStep } from "./takeover.ts";
import { mxLine } from "./zone-file.ts";

/** More steps than ever stand between two changes. */
const STEP_LIMIT = 10;
/** "Automatic" at Cloudflare: here also that it is not known, since public DNS is not asked for TTLs. */
export const AUTOMATIC_TTL = 1;
/** What that stands for there, in seconds. */
const DEFAULT_TTL = 300;

export type NextStep = (world: MxWorld) => MxStep | undefined;

/** The domain with the journal that is to be remembered, and the step that a person must take; without one all is done. */
export interface ManualMx {
  readonly world: MxWorld;
  readonly step: MxStep | undefined;
}

/** The MX that name servers answer, which do so in any order; here in the order of preference. */
export function asZoneMx(served: readonly MxRecord[]): ZoneMx[] {
  return sortMx(served).map((mx) => ({ ...plainMx(mx), id: formatMx(mx), ttl: AUTOMATIC_TTL }));
}

/** @throws MailRuleError as the steps do */
export function nextManualMx(world: MxWorld, next: NextStep): ManualMx {
  let now = world;
  for (let taken = 0; taken < STEP_LIMIT; taken++) {
    const step = next(now);
    if (step === undefined || changesRecords(step)) return { world: now, step };
    now = applyStep(now, step, taken);
    if (step.last === true) break;
  }
  return { world: now, step: undefined };
}

/** A removal that has begun goes on: what is gone already is not missed, and not forgotten either. */
export function manualTakeover(goal: MxGoal): NextStep {
  return (world) => {
    const gone = removedHalfWay(world, goal) ? missing(world) : [];
    const step = nextTakeoverStep({ ...world, present: [...world.present, ...gone] }, goal);
    return step && { ...step, remove: step.remove.filter((mx) => !includesMx(gone, mx)) };
  };
}

/** A removal that has begun is taken back: all of the former MX are put back, not those that still stand. */
export function manualHandBack(goal: MxGoal, keep: boolean): NextStep {
  return (world) => {
    const { journal } = world;
    const half = journal !== undefined && removedHalfWay(world, goal);
    const known = half ? { ...world, journal: { ...journal, phase: "held" as const } } : world;
    return nextHandBackStep(known, goal, keep);
  };
}

/** The step as a person is to carry it out. */
export function mxChange(
  { world, step }: ManualMx,
  next: NextStep,
  overlapSeconds: number,
): DnsChange | undefined {
  if (step === undefined) return undefined;
  const { domain, present } = world;
  const patched = present.filter(({ id }) => step.patch.some((patch) => patch.id === id));
  const added = [...step.patch.map(({ to }) => to), ...step.add];
  const remove = [...step.remove, ...patched];
  return {
    domain,
    what: "MX",
    add: added.map((mx) => mxLine(domain, mx, ttlOf(mx))),
    remove: remove.map((mx) => mxLine(domain, mx)),
    mayGo: remove.length > 0 ? [] : removedNext(world, step, next).map((mx) => mxLine(domain, mx)),
    overlapSeconds: step.after === "overlap" ? overlapSeconds : 0,
  };
}

/** What the step after it removes of what stands now, if it does nothing else. */
function removedNext(world: MxWorld, step: MxStep, next: NextStep): readonly ZoneMx[] {
  const { step: second } = nextManualMx(applyStep(world, step, 0), next);
  if (second === undefined || second.add.length + second.patch.length > 0) return [];
  return second.remove.filter((mx) => includesMx(world.present, mx));
}

function ttlOf({ ttl }: FormerMx): number {
  return ttl === AUTOMATIC_TTL ? DEFAULT_TTL : ttl;
}

function changesRecords({ add, patch, remove }: MxStep): boolean {
  return add.length + patch.length + remove.length > 0;
}

/** Some of the former MX are gone, the gateway's stand, and nobody has added anything. */
function removedHalfWay(world: MxWorld, goal: MxGoal): boolean {
  const { present, journal } = world;
  if (journal?.phase !== "taking") return false;
  const { ours, stale, theirs } = sortByHolder(present, goal.wanted, goal.known);
  if (ours.length + stale.length === 0 || missing(world).length === 0) return false;
  return includesAllMx(journal.former, theirs);
}

function missing({ present, journal }: MxWorld): ZoneMx[] {
  const gone = (journal?.former ?? []).filter((mx) => !includesMx(present, mx));
  return gone.map((mx) => ({ ...mx, id: formatMx(mx) }));
}
