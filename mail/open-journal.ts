/** How a domain's journal begins, and begins again: from the MX that stand, or from what is remembered. */
import { type FormerMx, type MxJournal, sameFormerMx } from "./journal.ts";
import { formatMxSet, plainMx, sameMxSet, sortByHolder } from "./mx.ts";
import {
  answeringMx,
  formerUnknown,
  journalStep,
  type MxGoal,
  type MxStep,
  type MxWorld,
} from "./mx-goal.ts";

type Former = Pick<MxJournal, "former" | "inherited">;

/** The step that writes the first journal of a domain that has none. @throws MailRuleError `former-mx-unknown` */
export function openJournal(world: MxWorld, goal: MxGoal): MxStep {
  const standing = standingMx(world, goal);
  const revision = (goal.copy?.revision ?? 0) + 1;
  const begun = { holder: goal.holder, claims: [goal.claim], revision };
  const hasGateway = standing.former.length < answeringMx(world).length;
  if (hasGateway && (goal.copy !== undefined || standing.former.length === 0)) {
    const memory = recallFormer(world.domain, goal);
    const half = standing.former.length > 0 && sameMxSet(standing.former, memory.former);
    const what = `journal the MX to put back (${formatMxSet(memory.former)})`;
    return journalStep(what, { ...begun, phase: half ? "taking" : "held", ...memory });
  }
  const what = `journal the present MX (${formatMxSet(standing.former)})`;
  return journalStep(what, { ...begun, phase: "taking", server: goal.server, ...standing });
}

/**
 * The journal with a new beginning, where the MX were put back, or moved away by a person, or edited
 * between the journal and the removal: what stands now is what a later hand-back restores.
 */
export function reopenJournal(
  world: MxWorld,
  journal: MxJournal,
  goal: MxGoal,
): MxStep | undefined {
  const { phase, former, inherited: _, ...rest } = journal;
  const { present } = world;
  const standing = standingMx(world, goal);
  const movedAway =
    phase === "held" && present.length > 0 && standing.former.length === present.length;
  const putBack = phase === "returning" || phase === "bypassed";
  const edited = standing.former.length > 0 && !sameFormerMx(standing.former, former);
  if (!movedAway && !putBack && !(phase === "taking" && edited)) return undefined;
  const what = `journal the MX that stand now (${formatMxSet(standing.former)})`;
  const { server } = goal;
  // The same MX may come from a wildcard by now: then the journal must say so, or no copies are made.
  const { inherited } = standing;
  const same = !edited && (inherited === undefined || inherited === journal.inherited);
  if (same) return journalStep(what, { ...journal, phase: "taking", server });
  const revision = journal.revision + 1;
  return journalStep(what, { ...rest, phase: "taking", server, revision, ...standing });
}

/** The MX that answer now, without the gateway's. */
function standingMx(world: MxWorld, { wanted, known }: MxGoal): Former {
  const former = sortByHolder(answeringMx(world), wanted, known).theirs.map(asFormer);
  const { present, inherited } = world;
  return { former, ...(present.length === 0 && inherited && { inherited: inherited.name }) };
}

/**
 * What to put back where the gateway's MX stand and DNS holds no journal. MX beside them may be former
 * ones or a person's addition, so the state's copy is better evidence.
 */
function recallFormer(domain: string, goal: MxGoal): Former & Pick<MxJournal, "server"> {
  const { copy, handBackTo, server } = goal;
  if (copy !== undefined) {
    const { inherited } = copy;
    return { former: copy.former, server: copy.server, ...(inherited && { inherited }) };
  }
  if (handBackTo === undefined) throw formerUnknown(domain);
  return { former: handBackTo.map((mx) => ({ ...mx, ttl: 1 })), server };
}

function asFormer({ ttl, comment, tags, ...mx }: FormerMx): FormerMx {
  return {
    ...plainMx(mx),
    ttl,
    ...(comment !== undefined && comment !== "" && { comment }),
    ...(tags !== undefined && tags.length > 0 && { tags }),
  };
}
