/** How `MxTakeover` reads a domain: for a refresh, and for an import. */
import { MailRuleError } from "../mail/errors.ts";
import { nextHandBackStep } from "../mail/hand-back.ts";
import { formatClaim } from "../mail/journal.ts";
import { formatMxSet, includesAllMx, plainMx } from "../mail/mx.ts";
import type { MxGoal, MxWorld } from "../mail/mx-goal.ts";
import { findExtraMx } from "../mail/takeover.ts";
import { fingerprint } from "./claims.ts";
import { type LiveDomain, readJournal, readMx, type View } from "./live-domain.ts";
import {
  type MxTakeoverInputs,
  type MxTakeoverOutputs,
  mxTakeoverInputs,
} from "./mx-takeover-schema.ts";
import { asFormer, goalOf, nextStep, outputsOf } from "./mx-takeover-state.ts";
import { type Call, Unfinished } from "./resource.ts";

/** The resource as the zone has it; `undefined` where nothing of it is left. */
export function refresh(live: LiveDomain, view: View, old: MxTakeoverOutputs, call: Call) {
  const { mx: journal } = readJournal(view);
  const goal = goalOf(old, { claim: old.claim, mayClaim: false, old });
  const world: MxWorld = { domain: old.domain, present: readMx(view), journal };
  const outputs = outputsOf(live, view, old, { claim: old.claim, mayClaim: false, old });
  try {
    if (journal === undefined && nextHandBackStep(world, goal, false) === undefined) {
      return old.bypass ? { inputs: inputsOf(old), outputs } : undefined;
    }
    const half = journal?.phase === "taking" || journal?.phase === "returning";
    if (half && nextStep(world, goal, old.bypass) !== undefined) {
      const reason = `The MX of ${old.domain} are half-way (${journal.phase}): run pulumi up to go on, or pulumi destroy to go back.`;
      throw new Unfinished(old.domain, outputs, [reason]);
    }
  } catch (error) {
    if (!(error instanceof MailRuleError)) throw error;
    call.warn(error.message);
  }
  sayExtras(world, goal, call);
  return { inputs: inputsOf(old), outputs };
}

function inputsOf(old: MxTakeoverOutputs): MxTakeoverInputs {
  return mxTakeoverInputs.strip().parse(old);
}

/** An import needs the journal: only it tells the gateway's MX from the mail system's. */
export function importTakeover(live: LiveDomain, view: View) {
  const { domain } = live;
  const { mx: journal } = readJournal(view);
  const [claim, ...others] = journal?.claims ?? [];
  if (journal === undefined || claim === undefined || others.length > 0) {
    throw new MailRuleError({
      code: "import-without-journal",
      where: `MX of ${domain}`,
      problem:
        others.length > 0
          ? `Several resources claim the domain (${[claim, ...others].map((c) => c && formatClaim(c)).join(", ")}).`
          : `There is no journal at ${live.journalName}, so what to put back is unknown.`,
      fix: "Write the resource into the program instead and run pulumi up: it adopts what is there (with handBackTo where only the gateway's MX are left).",
      value: domain,
    });
  }
  const former = journal.former.map(asFormer);
  const present = readMx(view);
  const mx = present.filter((record) => !includesAllMx(former, [record])).map(plainMx);
  const inputs = mxTakeoverInputs.parse({
    organisation: journal.holder,
    domain,
    mx,
    server: former.find(({ exchange }) => fingerprint(exchange) === journal.server)?.exchange ?? "",
    bypass: journal.phase === "bypassed",
  });
  return {
    inputs,
    outputs: outputsOf(live, view, inputs, { claim: formatClaim(claim), mayClaim: false }),
  };
}

/** Says which MX stand beside the gateway's. */
export function sayExtras(world: MxWorld, goal: MxGoal, call: Call): void {
  const extra = findExtraMx(world, goal);
  if (extra.length === 0) return;
  call.warn(
    `${world.domain} also has ${formatMxSet(extra)}, which someone added after the takeover: left alone. Mail sent there goes around the gateway; remove it if it is not wanted.`,
  );
}
