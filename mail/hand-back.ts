/**
 * The next step of a hand-back, the mirror image of a takeover: the former MX are put beside the
 * gateway's, and the gateway's are removed when every name server has served both for the overlap.
 */
import { MailRuleError } from "./errors.ts";
import { type MxJournal, withoutClaim } from "./journal.ts";
import {
  formatMxSet,
  includesAllMx,
  includesMx,
  isNullMx,
  plainMx,
  type SortedMx,
  sameMx,
  sameMxSet,
  sortByHolder,
  wasMarked,
  type ZoneMx,
} from "./mx.ts";
import {
  claimDomain,
  journalStep,
  type MxGoal,
  type MxStep,
  type MxWorld,
  refuseContradiction,
  refuseOtherHolder,
} from "./mx-goal.ts";
import { openJournal } from "./open-journal.ts";

/**
 * The next step towards the former MX. With `keep` the domain stays a tenant's (a bypass): the journal
 * and all claims stay. @throws MailRuleError; `isNotHeld` tells that there is nothing to hand back
 */
export function nextHandBackStep(world: MxWorld, goal: MxGoal, keep: boolean): MxStep | undefined {
  const { domain, journal } = world;
  const sorted = sortForHandBack(world, goal);
  const hasGateway = sorted.ours.length + sorted.stale.length > 0;
  if (journal === undefined) return hasGateway ? openJournal(world, goal) : undefined;
  refuseOtherHolder(domain, journal, goal);
  const claimed = claimDomain(domain, journal, goal);
  if (claimed !== undefined) return claimed;
  const others = withoutClaim(journal.claims, goal.claim);
  if (!keep && others.length > 0) {
    const what = `leave ${domain} to the other resource that claims it`;
    return { ...journalStep(what, { ...journal, claims: others }), last: true };
  }
  const isReplaced = journal.phase === "bypassed" && goal.handBackTo !== undefined;
  const mayRestore = hasGateway || journal.phase === "held" || isReplaced;
  const restored = mayRestore ? restoreFormer(world, journal, sorted, goal) : undefined;
  if (restored !== undefined) return restored;
  return hasGateway
    ? removeGateways(journal, sorted, keep)
    : closeJournal(world, journal, sorted, keep);
}

/** What is to be put back is theirs, even where it is a target of the gateway by now. */
function sortForHandBack({ present, journal }: MxWorld, goal: MxGoal): SortedMx {
  const back = goal.handBackTo ?? journal?.former ?? [];
  const others = present.filter((mx) => !includesMx(back, mx));
  const { ours, stale, theirs } = sortByHolder(others, goal.wanted, goal.known);
  return { ours, stale, theirs: [...present.filter((mx) => includesMx(back, mx)), ...theirs] };
}

/** Puts the former MX beside the gateway's, unless a person has decided otherwise since. */
function restoreFormer(
  world: MxWorld,
  journal: MxJournal,
  sorted: SortedMx,
  goal: MxGoal,
): MxStep | undefined {
  if (decidedByOthers(world, journal, sorted, goal)) return undefined;
  const target = journalToRestore(journal, goal);
  // Where handBackTo stands in for the former MX, those that still stand go.
  const isDead = (mx: ZoneMx) => includesMx(journal.former, mx) && !includesMx(target.former, mx);
  const [dead, remaining] = [
    sorted.theirs.filter(isDead),
    sorted.theirs.filter((mx) => !isDead(mx)),
  ];
  const [only, ...rest] = target.former;
  const nullMx = only !== undefined && rest.length === 0 && isNullMx(only) ? only : undefined;
  const missing = target.former.filter((mx) => !includesMx(remaining, mx));
  const nothing = missing.length + dead.length === 0;
  if (nothing || (nullMx !== undefined && remaining.length > 0)) return undefined;
  if (goal.handBackTo === undefined) {
    refuseContradiction(world.domain, journal, goal);
    refuseChangedServer(world.domain, journal, goal);
  }
  const what = `put back ${formatMxSet(missing)}`;
  const [gateway, ...gateways] = [...sorted.ours, ...sorted.stale];
  if (nullMx !== undefined && gateway !== undefined) {
    // A null MX must stand alone (RFC 7505, section 3), so an MX of the gateway's becomes it.
    const patch = [{ id: gateway.id, to: nullMx }];
    return {
      what,
      after: "served",
      add: [],
      patch,
      remove: [...gateways, ...dead],
      journal: target,
    };
  }
  const hasNull = [...target.former, ...dead].some(isNullMx);
  if (gateway === undefined && dead.length > 0 && !hasNull) {
    // No MX of the gateway's stands beside them, so the new ones are served before the dead ones go.
    if (missing.length > 0) {
      return { what, after: "at-once", add: missing, patch: [], remove: [] };
    }
    const gone = `remove ${formatMxSet(dead)}`;
    return { what: gone, after: "overlap", add: [], patch: [], remove: dead, journal: target };
  }
  const after = dead.length > 0 ? "served" : "at-once";
  return { what, after, add: missing, patch: [], remove: dead, journal: target };
}

function journalToRestore(journal: MxJournal, goal: MxGoal): MxJournal {
  const { handBackTo, server } = goal;
  if (handBackTo === undefined) return { ...journal, phase: "returning" };
  const { inherited: _, ...rest } = journal;
  const former = handBackTo.map(
    (mx) => journal.former.find((known) => sameMx(known, mx)) ?? { ...plainMx(mx), ttl: 1 },
  );
  return { ...rest, phase: "returning", former, server, revision: journal.revision + 1 };
}

/**
 * A person has pointed the domain elsewhere since: ours are gone, or one of them was pointed elsewhere
 * (then it has its comment still). That one of ours is missing tells nothing, since an update may have
 * been killed before it was added. Or the former MX were edited while they stood beside ours. Their MX stay; nothing is put back.
 */
function decidedByOthers(
  { present, inherited }: MxWorld,
  { phase, former }: MxJournal,
  { stale, theirs }: SortedMx,
  goal: MxGoal,
): boolean {
  if (phase === "bypassed") {
    const chosenNull = theirs.some((mx) => isNullMx(mx) && !includesMx(former, mx));
    const inherits = present.length === 0 && inherited !== undefined;
    const isChosen = chosenNull || inherits || !includesAllMx(theirs, former);
    return goal.handBackTo === undefined || isChosen;
  }
  if (theirs.length === 0) return present.length === 0 && inherited !== undefined;
  if (phase === "held") {
    const hasGateway = stale.length > 0 || present.some((mx) => includesMx(goal.wanted, mx));
    return !hasGateway || theirs.some(wasMarked);
  }
  return goal.handBackTo === undefined || !includesAllMx(theirs, former);
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

function closeJournal(
  { inherited }: MxWorld,
  journal: MxJournal,
  { theirs }: SortedMx,
  keep: boolean,
): MxStep | undefined {
  if (keep) {
    if (journal.phase === "bypassed") return undefined;
    return journalStep("note that the gateway is bypassed", { ...journal, phase: "bypassed" });
  }
  const areCopies =
    journal.inherited !== undefined && inherited !== undefined && sameMxSet(theirs, journal.former);
  const wildcard = theirs.length > 0 ? journal.inherited : undefined;
  const stay = `remove the journal; the MX that ${wildcard} gave stay as the domain's own`;
  const keepAll = wildcard === undefined ? "remove the journal" : stay;
  return {
    what: areCopies ? `let ${inherited.name} answer again, remove the journal` : keepAll,
    after: "served",
    add: [],
    patch: [],
    remove: areCopies ? theirs : [],
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
