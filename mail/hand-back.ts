/**
 * The next step of a hand-back, the mirror image of a takeover: the former MX are put beside the
 * gateway's, and the gateway's removed when every name server has served both.
 */

import { MailRuleError } from "./errors.ts";
import { includesClaim, type MxJournal, withoutClaim } from "./journal.ts";
import {
  formatMxSet,
  includesAllMx,
  includesMx,
  isNullMx,
  type SortedMx,
  sameMxSet,
  sortByHolder,
} from "./mx.ts";
import {
  claimLost,
  journalFromCopy,
  journalStep,
  type MxGoal,
  type MxStep,
  type MxWorld,
  refuseContradiction,
  refuseOtherHolder,
} from "./mx-goal.ts";

/**
 * The next step towards the former MX. With `keep` the domain stays a tenant's (a bypass): the journal
 * and all claims stay. @throws MailRuleError; `isNotHeld` tells that there is nothing to hand back
 */
export function nextHandBackStep(world: MxWorld, goal: MxGoal, keep: boolean): MxStep | undefined {
  const { domain, journal } = world;
  const sorted = sortByHolder(world.present, goal.wanted, goal.known);
  const gateways = [...sorted.ours, ...sorted.stale];
  if (journal === undefined) {
    return gateways.length === 0 ? undefined : journalFromCopy(domain, goal);
  }
  refuseOtherHolder(domain, journal, goal);
  if (!includesClaim(journal.claims, goal.claim)) throw claimLost(domain, journal);
  const others = withoutClaim(journal.claims, goal.claim);
  if (!keep && others.length > 0) {
    const what = `leave ${domain} to the other resource that claims it`;
    return { ...journalStep(what, { ...journal, claims: others }), last: true };
  }
  if (gateways.length === 0) return closeJournal(journal, sorted, keep);
  return restoreFormer(domain, journal, sorted, goal) ?? removeGateways(journal, sorted, keep);
}

/** Puts the former MX beside the gateway's, unless a person has decided otherwise since. */
function restoreFormer(
  domain: string,
  journal: MxJournal,
  sorted: SortedMx,
  goal: MxGoal,
): MxStep | undefined {
  const target = goal.handBackTo?.map((mx) => ({ ...mx, ttl: 1 })) ?? journal.former;
  const missing = target.filter((mx) => !includesMx(sorted.theirs, mx));
  if (missing.length === 0 || decidedByOthers(journal, sorted, goal)) return undefined;
  if (goal.handBackTo === undefined) {
    refuseContradiction(domain, journal, goal);
    refuseChangedServer(domain, journal, goal);
  }
  const returning: MxJournal = { ...journal, phase: "returning" };
  const [last, ...others] = [...sorted.ours, ...sorted.stale];
  const [nullMx] = missing.filter(isNullMx);
  if (nullMx !== undefined && last !== undefined) {
    const what = "put back the null MX";
    const patch = [{ id: last.id, to: nullMx }];
    return { what, after: "at-once", add: [], patch, remove: others, journal: returning };
  }
  const what = `put back ${formatMxSet(missing)}`;
  return { what, after: "at-once", add: missing, patch: [], remove: [], journal: returning };
}

/**
 * A person has pointed the domain elsewhere since: a part of ours was replaced after the takeover, or
 * the former MX were edited while they stood beside ours. Their MX stay; nothing is put back.
 */
function decidedByOthers({ phase, former }: MxJournal, sorted: SortedMx, goal: MxGoal): boolean {
  if (sorted.theirs.length === 0) return false;
  if (phase === "held") return !includesAllMx(sorted.ours, goal.wanted);
  return goal.handBackTo === undefined || !includesAllMx(sorted.theirs, former);
}

function removeGateways(journal: MxJournal, sorted: SortedMx, keep: boolean): MxStep {
  const remove = [...sorted.ours, ...sorted.stale];
  return {
    what: `remove the gateway's MX (${formatMxSet(remove)})`,
    after: sorted.theirs.length === 0 ? "served" : "overlap",
    add: [],
    patch: [],
    remove,
    journal: { ...journal, phase: keep ? "bypassed" : "returning" },
  };
}

function closeJournal(journal: MxJournal, { theirs }: SortedMx, keep: boolean): MxStep | undefined {
  if (keep) {
    if (journal.phase === "bypassed") return undefined;
    return journalStep("note that the gateway is bypassed", { ...journal, phase: "bypassed" });
  }
  const copies = journal.inherited !== undefined && sameMxSet(theirs, journal.former);
  return {
    what: copies
      ? `let ${journal.inherited} answer again, remove the journal`
      : "remove the journal",
    after: "served",
    add: [],
    patch: [],
    remove: copies ? theirs : [],
    journal: "removed",
    last: true,
  };
}

function refuseChangedServer(domain: string, journal: MxJournal, goal: MxGoal): void {
  if (journal.server === goal.server) return;
  throw new MailRuleError({
    code: "server-changed",
    where: `MX of ${domain}`,
    problem: `The domain's Server was changed after the takeover, so the former MX (${formatMxSet(journal.former)}) may lead nowhere.`,
    fix: "Give handBackTo with the MX of the present mail system, run pulumi up, then go on.",
  });
}
