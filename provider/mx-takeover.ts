/**
 * The resource `MxTakeover`: a domain's MX point at the gateway; its delete puts the former MX back.
 *
 * Wiring only: what to do next is decided in mail/takeover.ts and mail/hand-back.ts.
 */
import { nextHandBackStep } from "../mail/hand-back.ts";
import { formatClaim } from "../mail/journal.ts";
import { formatMxSet, includesAllMx, sameMxSet } from "../mail/mx.ts";
import { isNotHeld, type MxStep, type MxWorld } from "../mail/mx-goal.ts";
import { applyMxSteps, mxWorld } from "./apply-mx-steps.ts";
import { newClaim } from "./claims.ts";
import { refuseClosed, refuseHandBack, refuseUnproven } from "./hand-back-conditions.ts";
import { inputChange } from "./input-changes.ts";
import { LiveDomain, readJournal, readMx, type View } from "./live-domain.ts";
import { manualTakeover } from "./manual-takeover.ts";
import { refuseNotAdmitted } from "./mta-sts.ts";
import { importTakeover, refresh, sayExtras } from "./mx-takeover-read.ts";
import {
  type MxTakeoverInputs as Inputs,
  mxTakeoverInputs,
  mxTakeoverOutputs,
  type MxTakeoverOutputs as Outputs,
} from "./mx-takeover-schema.ts";
import { goalOf, nextStep, outputsOf, predict, type Standing } from "./mx-takeover-state.ts";
import { openOrSay, zoneStill } from "./open-domain.ts";
import { refuseUnknownDomain } from "./probe-gateway.ts";
import { hintAtServer } from "./public-conditions.ts";
import { type Call, type Change, type ResourceKind, Unfinished } from "./resource.ts";
import { saySubdomains } from "./subdomain-mx.ts";
import { refuseTakeover } from "./takeover-conditions.ts";

export const mxTakeover: ResourceKind<Inputs, Outputs> = {
  type: "mxhero:index:MxTakeover",
  inputs: mxTakeoverInputs,
  outputs: mxTakeoverOutputs,

  diff(old, news) {
    return [...inputChanges(old, news), ...drift(old)];
  },

  async create(inputs, call) {
    if (inputs.dns === "manual") return manualTakeover.create(inputs, call);
    const live = await openOrSay(inputs, call, said(inputs));
    if (live === undefined) return { id: inputs.domain, outputs: {} };
    const claim = newClaim(call.urn);
    const outputs = await change(live, call, inputs, { claim: formatClaim(claim), mayClaim: true });
    return { id: inputs.domain, outputs };
  },

  async read(id, old, call) {
    if (old?.dns === "manual") return manualTakeover.read(old, call);
    const live = await LiveDomain.open(call, old ?? { domain: id }, old?.zone);
    const view = await live.observeShared();
    return old === undefined ? importTakeover(live, view, call) : refresh(live, view, old, call);
  },

  async update(_id, old, news, call) {
    if (news.dns === "manual") return manualTakeover.update(old, news, call);
    const live = await openOrSay(news, call, { ...said(news), ...zoneStill(old, news) });
    if (live === undefined) return {};
    return change(live, call, news, { claim: old.claim, mayClaim: false, old });
  },

  async delete(_id, old, call) {
    if (old.dns === "manual") return manualTakeover.delete(old, call);
    const live = await LiveDomain.open(call, old, old.zone);
    const goal = goalOf(old, { claim: old.claim, mayClaim: false, old });
    const next = (world: MxWorld) => nextHandBackStep(world, goal, false);
    try {
      const view = await live.observe();
      const world = await mxWorld(live, view);
      const wasAsked = await refuseUnproven({ live, world, goal, inputs: old, next, call });
      const after = await applyMxSteps(
        {
          live,
          call,
          overlapSeconds: old.overlapSeconds,
          next,
          beforeAdding: (exchanges) => refuseHandBack(live, exchanges, call),
          onWrite: () => undefined,
        },
        wasAsked ? undefined : view,
      );
      sayWhatStands(live, after, old, call);
    } catch (error) {
      if (!isNotHeld(error)) throw error;
      call.warn(`${error.message} The MX records of ${old.domain} were left as they are.`);
    }
  },
};

function said(inputs: Inputs) {
  return { what: "MX", plan: formatMxSet(inputs.bypass ? [] : inputs.mx) };
}

function firstLook(live: LiveDomain, { preview }: Call, isReadAgain: boolean) {
  if (preview) return live.observeShared();
  return isReadAgain ? live.observeWritten() : live.observe();
}

/** Create and update: brings the MX to what the inputs say, or in a preview says what that would be. */
async function change(live: LiveDomain, call: Call, inputs: Inputs, standing: Standing) {
  const goal = goalOf(inputs, standing);
  const next = (world: MxWorld) => nextStep(world, goal, inputs.bypass);
  // To ask a mail host takes a while, so that the zone is read again after it.
  const mayAsk = inputs.bypass || inputs.probeGateway;
  const view = await firstLook(live, call, mayAsk);
  const world = await mxWorld(live, view);
  if (inputs.bypass) await refuseClosed({ live, world, goal, inputs, next, call });
  else {
    await refuseTakeover(live, view, { ...world, old: standing.old }, inputs, call);
    await refuseUnknownDomain({ resolver: live.resolver, world, inputs, call });
  }
  if (call.preview) {
    hintAtServer(world, inputs, call);
    if (!inputs.bypass) await saySubdomains(live, world, goal, call);
    return { zone: live.zone, ...predict(world, next, inputs, standing, call) };
  }

  let written = false;
  const overlapSeconds = inputs.overlapSeconds;
  const beforeAdding = (exchanges: readonly string[]) =>
    inputs.bypass
      ? refuseHandBack(live, exchanges, call)
      : refuseNotAdmitted(live.resolver, inputs.domain, exchanges);
  let formerRemoved = false;
  const onWrite = (taken: MxStep) => {
    written = true;
    formerRemoved ||= removesFormer(taken);
  };
  try {
    const after = await applyMxSteps(
      { live, call, overlapSeconds, next, beforeAdding, onWrite },
      mayAsk ? undefined : view,
    );
    sayExtras(await mxWorld(live, after), goal, call);
    return outputsOf(live, after, inputs, { ...standing, formerRemoved });
  } catch (error) {
    if (!written) throw error;
    const after = await live.observe().catch(() => view);
    const outputs = outputsOf(live, after, inputs, standing);
    // Where this run has removed the former MX, some name server may serve them still.
    const kept = formerRemoved ? withoutLockDown(outputs) : outputs;
    throw new Unfinished(inputs.domain, kept, [unfinishedReason(error)], { cause: error });
  }
}

function removesFormer({ journal, remove, patch }: MxStep): boolean {
  const isHeld = journal !== undefined && journal !== "removed" && journal.phase === "held";
  return isHeld && remove.length + patch.length > 0;
}

function withoutLockDown(outputs: Outputs): Outputs {
  const { lockDownSafeFrom: _, ...kept } = outputs;
  return kept;
}

function unfinishedReason(error: unknown): string {
  const why = error instanceof Error ? error.message : String(error);
  return `${why} Mail keeps flowing, as no MX goes before its successor is served; run pulumi up again to go on.`;
}

function sayWhatStands(live: LiveDomain, view: View, old: Outputs, call: Call): void {
  const present = readMx(view);
  const { mx: journal } = readJournal(view);
  if (journal !== undefined) {
    const claims = journal.claims.map(formatClaim).join(", ");
    call.warn(
      `${live.domain} stays where it is: another resource of "${journal.holder}" holds it, too (claim ${claims}), and hands it back when it is deleted. If its state is lost, run pulumi import mxhero:index:MxTakeover for ${live.domain} in a stack, then destroy that.`,
    );
    return;
  }
  if (includesAllMx(present, old.before) || present.length === 0) return;
  call.warn(
    `The MX of ${live.domain} were changed by someone else since the takeover (${formatMxSet(present)}): left as they are; ${formatMxSet(old.before)} was not put back.`,
  );
}

/** Only another domain is another resource. */
function inputChanges(old: Outputs, news: Inputs): Change[] {
  const keys = [
    "organisation",
    "dns",
    "server",
    "mxLookup",
    "bypass",
    "overlapSeconds",
    "handBackTo",
    "spfTerms",
    "handBackConfirmed",
    "probeRecipient",
    "inactive",
    "zoneId",
    "credential",
  ] as const;
  const changes = keys.flatMap((key) => inputChange(key, old[key], news[key]));
  if (!sameMxSet(old.mx, news.mx)) changes.push({ path: "mx", kind: "update" });
  if (old.domain !== news.domain) changes.push({ path: "domain", kind: "update", replace: true });
  return changes;
}

/** What a refresh found to be different from what the resource had brought about. */
function drift(old: Outputs): Change[] {
  const expected = old.bypass ? old.before : old.mx;
  return sameMxSet(old.after, expected) ? [] : [{ path: "after", kind: "update" }];
}
