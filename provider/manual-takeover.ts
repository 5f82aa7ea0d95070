/**
 * `MxTakeover` where a person changes the records (`dns: manual`): public DNS is read on every delegated
 * name server, and a run stops at the change that is needed next.
 *
 * Wiring only: what the next change is is decided in mail/manual-mx.ts. The journal lies in the state.
 */
import type { MxRecord } from "../mail/dns.ts";
import { type DnsChange, describeDnsChange, dnsChangeNeeded } from "../mail/dns-change.ts";
import { type FormerMx, formatClaim, type MxJournal, parseClaim } from "../mail/journal.ts";
import { lockDownSafeFrom } from "../mail/lock-down.ts";
import {
  AUTOMATIC_TTL,
  asZoneMx,
  manualHandBack,
  mxChange,
  type NextStep,
  nextManualMx,
  manualTakeover as nextTakeover,
} from "../mail/manual-mx.ts";
import { formatMxSet, includesAllMx, sortByHolder } from "../mail/mx.ts";
import type { MxGoal, MxWorld } from "../mail/mx-goal.ts";
import { newClaim } from "./claims.ts";
import { unanswered } from "./dns.ts";
import { refuseClosed, refuseHandBack, refuseUnproven } from "./hand-back-conditions.ts";
import { inheritedRecords, refuseInherited } from "./inherited.ts";
import { refuseLostReplacements, replacementsChange, type TakeoverWorld } from "./lost-senders.ts";
import { refuseNotAdmitted } from "./mta-sts.ts";
import { sayExtras } from "./mx-takeover-read.ts";
import {
  type MxTakeoverInputs as Inputs,
  mxTakeoverInputs,
  type MxTakeoverOutputs as Outputs,
} from "./mx-takeover-schema.ts";
import { goalOf, outputsFrom, predict, type Standing } from "./mx-takeover-state.ts";
import { refuseUnknownDomain } from "./probe-gateway.ts";
import { hintAtServer, refuseBrokenPath, refuseUnsafeMove } from "./public-conditions.ts";
import { PublicDomain, refuseAlias } from "./public-domain.ts";
import { readPublicJournal, sayJournalLeft } from "./public-journal.ts";
import { type Call, Unfinished } from "./resource.ts";
import { servedAlike } from "./served-records.ts";

const SECONDS_PER_DAY = 86_400;

export const manualTakeover = {
  async create(inputs: Inputs, call: Call) {
    const claim = formatClaim(newClaim(call.urn));
    const outputs = await change(inputs, { claim, mayClaim: true }, call);
    return { id: inputs.domain, outputs };
  },

  async read(old: Outputs, call: Call) {
    const live = await PublicDomain.find(call.settings, old.domain);
    const standing = { claim: old.claim, mayClaim: false, old };
    const goal = goalOf(old, standing);
    const seen = await observe(live, old, call, false);
    const { world, step } = nextManualMx(seen, nextOf(goal, old.bypass));
    const outputs = outputsWith(world, old, standing);
    const half = world.journal?.phase === "taking" || world.journal?.phase === "returning";
    if (half && step !== undefined) {
      const reason = `The MX of ${old.domain} are half-way (${step.what} is next, by hand): run pulumi up to see the change, or pulumi destroy to go back.`;
      throw new Unfinished(old.domain, outputs, [reason]);
    }
    sayExtras(world, goal, call);
    return { inputs: mxTakeoverInputs.strip().parse(old), outputs };
  },

  update(old: Outputs, news: Inputs, call: Call): Promise<Partial<Outputs>> {
    return change(news, { claim: old.claim, mayClaim: false, old }, call);
  },

  async delete(old: Outputs, call: Call): Promise<void> {
    const live = await PublicDomain.find(call.settings, old.domain);
    const goal = goalOf(old, { claim: old.claim, mayClaim: false, old });
    const next = manualHandBack(goal, false);
    const world = await observe(live, old, call, true);
    await refuseUnproven({ live, world, goal, inputs: old, next, call });
    const needed = mxChange(nextManualMx(world, next), next, old.overlapSeconds);
    if (needed === undefined) {
      sayWhatStands(world, old, call);
      return sayJournalLeft(live, call);
    }
    await refuseHandBack(live, exchangesOf(world, next), call);
    throw dnsChangeNeeded(needed);
  },
};

/** Create and update: ends where the MX are as the inputs say, or at the change that a person must make. */
async function change(
  inputs: Inputs,
  standing: Standing,
  call: Call,
): Promise<Partial<Outputs> | Outputs> {
  const live = await PublicDomain.find(call.settings, inputs.domain);
  const goal = goalOf(inputs, standing);
  const next = nextOf(goal, inputs.bypass);
  const seen = await observe(live, standing.old, call, !call.preview);
  if (inputs.bypass) await refuseClosed({ live, world: seen, goal, inputs, next, call });
  else await refuseTakeover(live, { ...seen, old: standing.old }, inputs, call);
  const manual = nextManualMx(seen, next);
  const needed = mxChange(manual, next, inputs.overlapSeconds);
  if (call.preview) return preview(seen, next, needed, inputs, standing, call);
  const outputs = outputsWith(manual.world, inputs, standing);
  if (needed === undefined) {
    sayExtras(manual.world, goal, call);
    await sayJournalLeft(live, call);
    return outputs;
  }
  const adding = exchangesOf(seen, next);
  if (inputs.bypass) await refuseHandBack(live, adding, call);
  else await refuseNotAdmitted(live.resolver, inputs.domain, adding);
  const stop = dnsChangeNeeded(needed);
  throw new Unfinished(inputs.domain, outputs, [stop.message], { cause: stop });
}

function preview(
  seen: MxWorld,
  next: NextStep,
  needed: DnsChange | undefined,
  inputs: Inputs,
  standing: Standing,
  call: Call,
): Partial<Outputs> {
  hintAtServer(seen, inputs, call);
  const predicted = predict(seen, next, inputs, standing, call);
  if (needed !== undefined) call.info(describeDnsChange(needed));
  return predicted;
}

function nextOf(goal: MxGoal, bypass: boolean): NextStep {
  return bypass ? manualHandBack(goal, true) : nextTakeover(goal);
}

async function observe(
  live: PublicDomain,
  old: Outputs | undefined,
  call: Call,
  wait: boolean,
): Promise<MxWorld> {
  const { domain } = live;
  const served = await servedAlike(live, call, "MX", wait);
  const journal = old === undefined ? (await readPublicJournal(live)).mx : journalOf(old);
  const inherited = await inheritedRecords(live, "MX");
  if (inherited === undefined) return { domain, present: asZoneMx(served), journal };
  const { name, records } = inherited;
  return { domain, present: [], journal, inherited: { name, mx: asZoneMx(records) } };
}

/** What the state remembers; nothing where the domain's journal was in DNS, or is not begun. */
function journalOf({ organisation, claim, journal }: Outputs): MxJournal | undefined {
  const { phase, ...copy } = journal;
  if (phase === undefined) return undefined;
  return { ...copy, phase, holder: organisation, claims: [parseClaim(claim)] };
}

function outputsWith(world: MxWorld, inputs: Inputs, standing: Standing): Outputs {
  const { zone: _, lockDownSafeFrom: known, ...outputs } = outputsFrom(world, inputs, standing);
  const { phase: __, ...journal } = outputs.journal;
  const phase = world.journal?.phase;
  return {
    ...outputs,
    journal: phase === undefined ? journal : { ...journal, phase },
    ...(known !== undefined && {
      lockDownSafeFrom: standing.old?.lockDownSafeFrom ?? lockDownByDns(journal.former),
    }),
  };
}

/** Public DNS is not asked for TTLs: where one is not known, it is taken for a day. */
function lockDownByDns(former: readonly FormerMx[]): string {
  const longest = former.map((mx) => ({
    ttl: mx.ttl === AUTOMATIC_TTL ? SECONDS_PER_DAY : mx.ttl,
  }));
  return lockDownSafeFrom(new Date(), longest);
}

/** @throws MailRuleError with the reason and the way on */
async function refuseTakeover(
  live: PublicDomain,
  world: TakeoverWorld,
  inputs: Inputs,
  call: Call,
): Promise<void> {
  await refuseAlias(live);
  await refuseBrokenPath(live, inputs);
  if (includesAllMx(world.present, inputs.mx)) {
    if (!replacementsChange(world, inputs)) return;
    const sending = { ...world, texts: await readPublicTexts(live) };
    return refuseLostReplacements(live, sending, inputs, call);
  }
  // Inherited MX are copied; nothing else is.
  await refuseInherited(live, ["A", "AAAA", "TXT"]);
  await refuseUnsafeMove(live, { ...world, texts: await readPublicTexts(live) }, inputs, call);
  await refuseUnknownDomain({ resolver: live.resolver, world, inputs, call });
}

async function readPublicTexts({ domain, resolver }: PublicDomain): Promise<readonly string[]> {
  const { status, records } = await resolver(domain, "TXT");
  if (status === "servfail" || status === "timeout") throw unanswered(domain, "TXT", status);
  return records;
}

/** What the next step adds. */
function exchangesOf(world: MxWorld, next: NextStep): string[] {
  const { step } = nextManualMx(world, next);
  const added: readonly MxRecord[] = [
    ...(step?.add ?? []),
    ...(step?.patch ?? []).map(({ to }) => to),
  ];
  return added.map(({ exchange }) => exchange);
}

function sayWhatStands({ present, domain }: MxWorld, old: Outputs, call: Call): void {
  if (includesAllMx(present, old.before) || present.length === 0) return;
  const { theirs } = sortByHolder(present, old.mx);
  call.warn(
    `The MX of ${domain} were changed by someone else since the takeover (${formatMxSet(theirs)}): left as they are; ${formatMxSet(old.before)} was not put back.`,
  );
}
