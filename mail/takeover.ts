/**
 * The next step of a takeover, decided from what the domain's zone holds now.
 *
 * There is no memory but the zone: after every step the world is looked at again, so that a run that
 * was killed anywhere is continued by the next one. Each step is one transaction. What is removed was
 * journalled before, and only when what stays was seen on every name server.
 */
import type { MxRecord } from "./dns.ts";
import { type FormerMx, includesClaim, type MxJournal, withClaim } from "./journal.ts";
import {
  formatMxSet,
  gatewayComment,
  includesMx,
  isNullMx,
  plainMx,
  type SortedMx,
  sameMxSet,
  sortByHolder,
  type ZoneMx,
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

/** The next step towards mail going to the gateway; `undefined` when nothing is left to do. @throws MailRuleError */
export function nextTakeoverStep(world: MxWorld, goal: MxGoal): MxStep | undefined {
  const { journal } = world;
  const sorted = sortByHolder(world.present, goal.wanted, goal.known);
  if (journal === undefined) return openJournal(world, goal, sorted);
  refuseOtherHolder(world.domain, journal, goal);
  if (!includesClaim(journal.claims, goal.claim)) {
    if (!goal.mayClaim) throw claimLost(world.domain, journal);
    const claims = withClaim(journal.claims, goal.claim);
    return journalStep(`claim ${world.domain} for this resource`, { ...journal, claims });
  }
  refuseContradiction(world.domain, journal, goal);
  const begun = beginAgain(journal, sorted);
  if (begun !== undefined) return journalStep("journal the MX that stand now", begun);
  return (
    swapNullMx(sorted, journal, goal) ??
    addOurs(sorted, journal, goal) ??
    removeTheirs(sorted, journal)
  );
}

/** MX beside the gateway's that a person added after the takeover. They are left alone. */
export function findExtraMx(world: MxWorld, goal: Pick<MxGoal, "wanted" | "known">): ZoneMx[] {
  if (world.journal?.phase !== "held") return [];
  return [...sortByHolder(world.present, goal.wanted, goal.known).theirs];
}

function openJournal(world: MxWorld, goal: MxGoal, { ours, stale, theirs }: SortedMx): MxStep {
  const onlyGateway = theirs.length === 0 && ours.length + stale.length > 0;
  if (onlyGateway) return journalFromCopy(world.domain, goal);
  const inherited = theirs.length === 0 ? world.inherited : undefined;
  const former = inherited?.mx ?? theirs.map(asFormer);
  return journalStep(`journal the present MX (${formatMxSet(former)})`, {
    holder: goal.holder,
    phase: "taking",
    revision: (goal.copy?.revision ?? 0) + 1,
    claims: [goal.claim],
    server: goal.server,
    former,
    ...(inherited !== undefined && { inherited: inherited.name }),
  });
}

/**
 * The journal with a new beginning, where the MX were put back, or moved away by a person, or edited
 * between the journal and the removal: what stands now is what a later hand-back restores.
 */
function beginAgain(journal: MxJournal, { ours, stale, theirs }: SortedMx): MxJournal | undefined {
  const { phase, former } = journal;
  const movedAway = phase === "held" && ours.length + stale.length === 0 && theirs.length > 0;
  const putBack = phase === "returning" || phase === "bypassed";
  const edited = theirs.length > 0 && !sameMxSet(theirs, former);
  if (!movedAway && !putBack && !(phase === "taking" && edited)) return undefined;
  if (!edited) return { ...journal, phase: "taking" };
  const { inherited: _, ...rest } = journal;
  const revision = journal.revision + 1;
  return { ...rest, phase: "taking", revision, former: theirs.map(asFormer) };
}

/** A null MX must stand alone (RFC 7505, section 3): it becomes ours instead of getting company. */
function swapNullMx(sorted: SortedMx, journal: MxJournal, goal: MxGoal): MxStep | undefined {
  const [only, ...others] = sorted.theirs;
  const [first, ...rest] = goal.wanted.filter((mx) => !includesMx(sorted.ours, mx)).map(asOurs);
  if (only === undefined || others.length > 0 || !isNullMx(only)) return undefined;
  if (journal.phase !== "taking" || first === undefined) return undefined;
  return {
    what: `replace the null MX by ${formatMxSet(goal.wanted)}`,
    after: "at-once",
    add: rest,
    patch: [{ id: only.id, to: first }],
    remove: [],
    journal: { ...journal, phase: "held" },
  };
}

function addOurs(sorted: SortedMx, journal: MxJournal, goal: MxGoal): MxStep | undefined {
  const missing = goal.wanted.filter((mx) => !includesMx(sorted.ours, mx)).map(asOurs);
  const copies = copiesToAdd(journal, sorted);
  if (missing.length + copies.length === 0) return undefined;
  const patch = missing.flatMap((to) => {
    const from = sorted.stale.find(({ exchange }) => exchange === to.exchange);
    return from === undefined ? [] : [{ id: from.id, to }];
  });
  const add = missing.filter((mx) => !patch.some(({ to }) => to === mx));
  const beside = journal.phase === "taking" ? ` beside ${formatMxSet(journal.former)}` : "";
  return {
    what: `add ${formatMxSet(missing.length > 0 ? missing : copies)}${beside}`,
    after: "at-once",
    add: [...add, ...copies],
    patch,
    remove: [],
  };
}

/** A record of the domain's own hides the wildcard, so the inherited MX stand beside ours as copies. */
function copiesToAdd({ inherited, phase, former }: MxJournal, { theirs }: SortedMx): FormerMx[] {
  if (inherited === undefined || phase !== "taking") return [];
  return former.filter((mx) => !includesMx(theirs, mx));
}

function removeTheirs({ stale, theirs }: SortedMx, journal: MxJournal): MxStep | undefined {
  const taking = journal.phase === "taking";
  const remove = taking ? [...stale, ...theirs] : stale;
  if (!taking && remove.length === 0) return undefined;
  return {
    what: remove.length === 0 ? "finish the takeover" : `remove ${formatMxSet(remove)}`,
    after: remove.length === 0 ? "served" : "overlap",
    add: [],
    patch: [],
    remove,
    ...(taking && { journal: { ...journal, phase: "held" as const } }),
  };
}

function asFormer({ ttl, comment, tags, ...mx }: ZoneMx): FormerMx {
  return {
    ...plainMx(mx),
    ttl,
    ...(comment !== undefined && comment !== "" && { comment }),
    ...(tags !== undefined && tags.length > 0 && { tags }),
  };
}

function asOurs(mx: MxRecord): FormerMx {
  const comment = gatewayComment(mx.exchange);
  return { ...plainMx(mx), ttl: 1, ...(comment !== "" && { comment }) };
}
