/**
 * The resource `MxTakeover`: a domain's MX point at the gateway; its delete puts the former MX back.
 *
 * Wiring only: what to do next is decided in mail/takeover.ts and mail/hand-back.ts.
 */
import type { z } from "zod";
import { MailRuleError } from "../mail/errors.ts";
import { nextHandBackStep } from "../mail/hand-back.ts";
import { type FormerMx, formatClaim, type MxJournal, parseClaim } from "../mail/journal.ts";
import { formatMxSet, includesAllMx, plainMx, sameMxSet, sortMx } from "../mail/mx.ts";
import { isNotHeld, type MxGoal, type MxStep, type MxWorld } from "../mail/mx-goal.ts";
import { findExtraMx, nextTakeoverStep } from "../mail/takeover.ts";
import { applyMxSteps, mxWorld } from "./apply-mx-steps.ts";
import { fingerprint, newClaim } from "./claims.ts";
import { inputChange } from "./input-changes.ts";
import { LiveDomain, readJournal, readMx, type View } from "./live-domain.ts";
import { refuseNotAdmitted } from "./mta-sts.ts";
import { mxTakeoverInputs, mxTakeoverOutputs } from "./mx-takeover-schema.ts";
import { openOrSay } from "./open-domain.ts";
import { type Call, type Change, type ResourceKind, Unfinished } from "./resource.ts";
import { refuseTakeover } from "./takeover-conditions.ts";

export type Inputs = z.output<typeof mxTakeoverInputs>;
export type Outputs = z.output<typeof mxTakeoverOutputs>;

export const mxTakeover: ResourceKind<Inputs, Outputs> = {
  type: "mxhero:index:MxTakeover",
  inputs: mxTakeoverInputs,
  outputs: mxTakeoverOutputs,

  diff(old, news) {
    return [...inputChanges(old, news), ...drift(old)];
  },

  async create(inputs, call) {
    const live = await openOrSay(inputs, call, said(inputs));
    if (live === undefined) return { id: inputs.domain, outputs: {} };
    const claim = newClaim(call.urn);
    const outputs = await change(live, call, inputs, { claim: formatClaim(claim), mayClaim: true });
    return { id: inputs.domain, outputs };
  },

  async read(id, old, call) {
    const live = await LiveDomain.open(call.settings, old ?? { domain: id }, old?.zone);
    const view = await live.observeShared();
    return old === undefined ? importTakeover(live, view) : refresh(live, view, old, call);
  },

  async update(_id, old, news, call) {
    const live = await openOrSay(news, call, { ...said(news), zone: old.zone });
    if (live === undefined) return {};
    return change(live, call, news, { claim: old.claim, mayClaim: false, old });
  },

  async delete(_id, old, call) {
    const live = await LiveDomain.open(call.settings, old, old.zone);
    const goal = goalOf(old, { claim: old.claim, mayClaim: false, old });
    try {
      const view = await applyMxSteps({
        live,
        call,
        overlapSeconds: old.overlapSeconds,
        next: (world) => nextHandBackStep(world, goal, false),
        beforeAdding: (exchanges) => refuseHandBack(live, exchanges, call),
        onWrite: () => undefined,
      });
      sayWhatStands(live, view, old, call);
    } catch (error) {
      if (!isNotHeld(error)) throw error;
      call.warn(`${error.message} The MX records of ${old.domain} were left as they are.`);
    }
  },
};

function said(inputs: Inputs) {
  return { what: "MX", plan: formatMxSet(inputs.bypass ? [] : inputs.mx) };
}

interface Standing {
  readonly claim: string;
  readonly mayClaim: boolean;
  readonly old?: Outputs;
}

/** Create and update: brings the MX to what the inputs say, or in a preview says what that would be. */
async function change(live: LiveDomain, call: Call, inputs: Inputs, standing: Standing) {
  const goal = goalOf(inputs, standing);
  const next = (world: MxWorld) => nextStep(world, goal, inputs.bypass);
  const view = call.preview ? await live.observeShared() : await live.observe();
  const world = await mxWorld(live, view);
  if (!inputs.bypass) await refuseTakeover(live, view, world, inputs, call);
  const step = next(world);
  if (call.preview) return predict(live, world, step, inputs, standing, call);

  let written = false;
  const overlapSeconds = inputs.overlapSeconds;
  const beforeAdding = (exchanges: readonly string[]) =>
    inputs.bypass
      ? refuseHandBack(live, exchanges, call)
      : refuseNotAdmitted(live.resolver, inputs.domain, exchanges);
  const onWrite = () => {
    written = true;
  };
  try {
    const after = await applyMxSteps(
      { live, call, overlapSeconds, next, beforeAdding, onWrite },
      view,
    );
    sayExtras(await mxWorld(live, after), goal, call);
    return outputsOf(live, after, inputs, standing);
  } catch (error) {
    if (!written) throw error;
    const after = await live.observe().catch(() => view);
    const outputs = outputsOf(live, after, inputs, standing);
    throw new Unfinished(inputs.domain, outputs, [unfinishedReason(error)], { cause: error });
  }
}

/** Senders knew these MX before: a policy that nobody can read now is no reason to stay on the gateway. */
async function refuseHandBack(
  { resolver, domain }: LiveDomain,
  exchanges: readonly string[],
  call: Call,
): Promise<void> {
  try {
    await refuseNotAdmitted(resolver, domain, exchanges);
  } catch (error) {
    if (!(error instanceof MailRuleError) || error.code !== "mta-sts-unreadable") throw error;
    call.warn(`${error.where}: ${error.problem} The MX are put back all the same.`);
  }
}

function nextStep(world: MxWorld, goal: MxGoal, bypass: boolean): MxStep | undefined {
  return bypass ? nextHandBackStep(world, goal, true) : nextTakeoverStep(world, goal);
}

function unfinishedReason(error: unknown): string {
  const why = error instanceof Error ? error.message : String(error);
  return `${why} Mail keeps flowing, as no MX goes before its successor is served; run pulumi up again to go on.`;
}

function goalOf(inputs: Inputs, { claim, mayClaim, old }: Standing): MxGoal {
  return {
    holder: inputs.organisation,
    claim: parseClaim(claim),
    mayClaim,
    wanted: inputs.mx,
    known: old?.mx ?? [],
    server: fingerprint(inputs.server),
    handBackTo: inputs.handBackTo,
    copy: old?.journal,
  };
}

/** What is certain of the outputs, and the change in words. */
function predict(
  live: LiveDomain,
  world: MxWorld,
  step: MxStep | undefined,
  inputs: Inputs,
  { claim, old }: Standing,
  call: Call,
): Partial<Outputs> {
  const journal = step?.journal === "removed" ? undefined : (step?.journal ?? world.journal);
  const former = journal?.former ?? world.present;
  const before = sortMx(inputs.handBackTo ?? former).map(plainMx);
  const stays = inputs.bypass
    ? before
    : [...inputs.mx, ...findExtraMx(world, { wanted: inputs.mx, known: old?.mx ?? [] })];
  const after = sortMx(stays).map(plainMx);
  if (step !== undefined) {
    const now = world.inherited?.mx ?? world.present;
    call.info(`MX of ${inputs.domain}: ${formatMxSet(now)} → ${formatMxSet(after)}`);
  }
  return { zone: live.zone, before, after, ...(old !== undefined && { claim }) };
}

function outputsOf(
  live: LiveDomain,
  view: View,
  inputs: Inputs,
  { claim, old }: Standing,
): Outputs {
  const { mx: journal } = readJournal(view);
  const present = readMx(view);
  const former = (journal ?? old?.journal)?.former ?? present;
  return {
    ...inputs,
    zone: { id: live.zone.id, name: live.zone.name },
    claim,
    journal: copyOf(journal) ?? old?.journal ?? notYet(inputs, present),
    before: sortMx(inputs.handBackTo ?? former).map(plainMx),
    after: sortMx(present).map(plainMx),
  };
}

type Copy = Outputs["journal"];

/** Comments and tags are not for the state: the journal keeps them where they came from. */
function copyOf(journal: MxJournal | undefined): Copy | undefined {
  if (journal === undefined) return undefined;
  const { former, revision, server, inherited } = journal;
  const copy = { former: former.map(asFormer), revision, server };
  return inherited === undefined ? copy : { ...copy, inherited };
}

/** A domain that was bypassed from the start has no journal: nothing was taken. */
function notYet({ server }: Inputs, present: readonly FormerMx[]): Copy {
  return { former: present.map(asFormer), revision: 0, server: fingerprint(server) };
}

function asFormer({ preference, exchange, ttl }: FormerMx) {
  return { preference, exchange, ttl };
}

function refresh(live: LiveDomain, view: View, old: Outputs, call: Call) {
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

function inputsOf(old: Outputs): Inputs {
  return mxTakeoverInputs.strip().parse(old);
}

/** An import needs the journal: only it tells the gateway's MX from the mail system's. */
function importTakeover(live: LiveDomain, view: View) {
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

function sayExtras(world: MxWorld, goal: MxGoal, call: Call): void {
  const extra = findExtraMx(world, goal);
  if (extra.length === 0) return;
  call.warn(
    `${world.domain} also has ${formatMxSet(extra)}, which someone added after the takeover: left alone. Mail sent there goes around the gateway; remove it if it is not wanted.`,
  );
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
    "server",
    "mxLookup",
    "bypass",
    "overlapSeconds",
    "handBackTo",
    "spfTerms",
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
