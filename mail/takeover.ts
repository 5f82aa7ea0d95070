/**
 * The next step of a takeover, decided from what the domain's zone holds now.
 *
 * There is no memory but the zone: after every step the world is looked at again, so that a run that
 * was killed anywhere is continued by the next one. Each step is one transaction. What is removed was
 * journalled before, and only when what stays was seen on every name server.
 */
import type { MxRecord } from "./dns.ts";
import type { FormerMx, MxJournal } from "./journal.ts";
import {
  formatMxSet,
  gatewayComment,
  includesMx,
  isNullMx,
  plainMx,
  type SortedMx,
  sortByHolder,
  type ZoneMx,
} from "./mx.ts";
import {
  claimDomain,
  type MxGoal,
  type MxStep,
  type MxWorld,
  refuseContradiction,
  refuseOtherHolder,
} from "./mx-goal.ts";
import { openJournal, reopenJournal } from "./open-journal.ts";

/** The next step towards mail going to the gateway; `undefined` when nothing is left to do. @throws MailRuleError */
export function nextTakeoverStep(world: MxWorld, goal: MxGoal): MxStep | undefined {
  const { journal } = world;
  const sorted = sortByHolder(world.present, goal.wanted, goal.known);
  if (journal === undefined) return openJournal(world, goal);
  refuseOtherHolder(world.domain, journal, goal);
  const claimed = claimDomain(world.domain, journal, goal);
  if (claimed !== undefined) return claimed;
  refuseContradiction(world.domain, journal, goal);
  return (
    reopenJournal(world, journal, goal) ??
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

/** A null MX must stand alone (RFC 7505, section 3): it becomes ours instead of getting company. */
function swapNullMx(sorted: SortedMx, journal: MxJournal, goal: MxGoal): MxStep | undefined {
  const [only, ...others] = sorted.theirs;
  const [first, ...rest] = goal.wanted.filter((mx) => !includesMx(sorted.ours, mx)).map(asOurs);
  if (only === undefined || others.length > 0 || !isNullMx(only)) return undefined;
  if (journal.phase !== "taking" || first === undefined) return undefined;
  return {
    what: `replace the null MX by ${formatMxSet(goal.wanted)}`,
    after: "served",
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
  const { patch, add } = reuseStale(missing, sorted.stale);
  const beside = journal.phase === "taking" ? ` beside ${formatMxSet(journal.former)}` : "";
  return {
    what: `add ${formatMxSet(missing.length > 0 ? missing : copies)}${beside}`,
    after: patch.length > 0 ? "served" : "at-once",
    add: [...copies, ...add],
    patch,
    remove: [],
  };
}

/** A target whose preference changed is patched, each stale record at most once; the others are added. */
function reuseStale(missing: readonly FormerMx[], stale: readonly ZoneMx[]) {
  const unused = [...stale];
  const patch: { id: string; to: FormerMx }[] = [];
  const add: FormerMx[] = [];
  for (const to of missing) {
    const index = unused.findIndex(({ exchange }) => exchange === to.exchange);
    const [from] = index < 0 ? [] : unused.splice(index, 1);
    if (from === undefined) add.push(to);
    else patch.push({ id: from.id, to });
  }
  return { patch, add };
}

/** A record of the domain's own hides the wildcard, so the inherited MX stand beside ours as copies; a null MX never does. */
function copiesToAdd({ inherited, phase, former }: MxJournal, { theirs }: SortedMx): FormerMx[] {
  if (inherited === undefined || phase !== "taking") return [];
  return former.filter((mx) => !includesMx(theirs, mx) && !isNullMx(mx));
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

function asOurs(mx: MxRecord): FormerMx {
  return { ...plainMx(mx), ttl: 1, comment: gatewayComment(mx.exchange) };
}
