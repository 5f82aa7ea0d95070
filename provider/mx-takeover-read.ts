/** How `MxTakeover` reads a domain: for a refresh, and for an import. */
import { mxDrift } from "../mail/dns-drift.ts";
import { MailRuleError } from "../mail/errors.ts";
import { nextHandBackStep } from "../mail/hand-back.ts";
import { formatClaim, type MxJournal } from "../mail/journal.ts";
import { formatMxSet, gatewayComment, isMarked, plainMx, type ZoneMx } from "../mail/mx.ts";
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
  const drift = mxDrift(old.domain, old.after, world.present);
  if (drift !== undefined) call.warn(drift.text);
  sayExtras(world, goal, call);
  return { inputs: inputsOf(old), outputs };
}

function inputsOf(old: MxTakeoverOutputs): MxTakeoverInputs {
  return mxTakeoverInputs.strip().parse(old);
}

/**
 * An import needs the journal, which tells what to put back, and the comments of the gateway's MX: other
 * MX may be a person's, and what is imported is removed by a destroy.
 *
 * @throws MailRuleError `import-without-journal`, `import-without-gateway-mx`
 */
export function importTakeover(live: LiveDomain, view: View, call: Call) {
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
  const present = readMx(view);
  const mx = present.filter(isMarked).map(plainMx);
  if (mx.length === 0) throw withoutGatewayMx(live, journal, present);
  const former = journal.former.map(asFormer);
  const inputs = mxTakeoverInputs.parse({
    organisation: journal.holder,
    domain,
    mx,
    server: former.find(({ exchange }) => fingerprint(exchange) === journal.server)?.exchange ?? "",
  });
  const standing = { claim: formatClaim(claim), mayClaim: false };
  call.warn(
    `${domain} is imported with the claim ${standing.claim}, which is the one of the stack that took it over. If that stack still exists, remove the domain from its state (pulumi state delete): else a destroy of either hands the domain back.`,
  );
  sayExtras({ domain, present, journal }, goalOf(inputs, standing), call);
  return { inputs, outputs: outputsOf(live, view, inputs, standing) };
}

function withoutGatewayMx(
  { domain, journalName }: LiveDomain,
  { phase }: MxJournal,
  present: readonly ZoneMx[],
): MailRuleError {
  const isBypassed = phase === "bypassed";
  const mark = gatewayComment("<exchange>");
  return new MailRuleError({
    code: "import-without-gateway-mx",
    where: `MX of ${domain}`,
    problem: isBypassed
      ? "The gateway is bypassed, so that its MX are unknown; those that were before it are put back already."
      : `None of the MX (${formatMxSet(present)}) has the gateway's comment, so which of them are the gateway's is unknown.`,
    fix: isBypassed
      ? `Delete the TXT records at ${journalName} that say kind=mx and kind=was, then write the resource into the program and run pulumi up.`
      : `Give the gateway's MX the comment "${mark}" in Cloudflare's dashboard, then import again.`,
    value: domain,
  });
}

/** Says which MX stand beside the gateway's. */
export function sayExtras(world: MxWorld, goal: MxGoal, call: Call): void {
  const extra = findExtraMx(world, goal);
  if (extra.length === 0) return;
  call.warn(
    `${world.domain} also has ${formatMxSet(extra)}, which someone added after the takeover: left alone. Mail sent there goes around the gateway; remove it if it is not wanted.`,
  );
}
