/** What `MxTakeover` wants by its inputs and its state, and what it stores of what the zone shows. */

import type { MxRecord } from "../mail/dns.ts";
import { foresee } from "../mail/foresee.ts";
import { nextHandBackStep } from "../mail/hand-back.ts";
import { type FormerMx, type MxJournal, parseClaim } from "../mail/journal.ts";
import { lockDownSafeFrom } from "../mail/lock-down.ts";
import { recogniseMailSystem } from "../mail/mail-system.ts";
import { formatMxSet, includesMx, plainMx, sortMx } from "../mail/mx.ts";
import { answeringMx, type MxGoal, type MxStep, type MxWorld } from "../mail/mx-goal.ts";
import { nextTakeoverStep } from "../mail/takeover.ts";
import { fingerprint } from "./claims.ts";
import { type LiveDomain, readJournal, readMx, type View } from "./live-domain.ts";
import type { MxTakeoverInputs, MxTakeoverOutputs } from "./mx-takeover-schema.ts";
import type { Call } from "./resource.ts";

/** With which right a resource acts. */
export interface Standing {
  readonly claim: string;
  readonly mayClaim: boolean;
  readonly old?: MxTakeoverOutputs;
  /** This run has removed the former MX. @default no */
  readonly formerRemoved?: boolean;
}

export function goalOf(inputs: MxTakeoverInputs, { claim, mayClaim, old }: Standing): MxGoal {
  return {
    holder: inputs.organisation,
    claim: parseClaim(claim),
    mayClaim,
    wanted: inputs.mx,
    known: knownMx(old),
    // After an import the Server may be unknown; then the journal's fingerprint stands for it.
    server: (inputs.server === "" && old?.journal.server) || fingerprint(inputs.server),
    handBackTo: inputs.handBackTo,
    copy: old?.journal,
  };
}

/** The gateway's MX of before, those of an update that was not finished among them. */
function knownMx(old: MxTakeoverOutputs | undefined) {
  return [...(old?.knownMx ?? []), ...(old?.mx ?? [])];
}

/** A bypass goes the way of a hand-back, and keeps the domain. */
export function nextStep(world: MxWorld, goal: MxGoal, bypass: boolean): MxStep | undefined {
  return bypass ? nextHandBackStep(world, goal, true) : nextTakeoverStep(world, goal);
}

/** What is certain of the outputs, and the change in words. */
export function predict(
  world: MxWorld,
  next: (world: MxWorld) => MxStep | undefined,
  inputs: MxTakeoverInputs,
  { claim, old }: Standing,
  call: Call,
): Partial<MxTakeoverOutputs> {
  const end = foresee(world, next);
  const former = (end.journal ?? old?.journal)?.former ?? world.present;
  const before = sortMx(inputs.handBackTo ?? former).map(plainMx);
  const after = sortMx(end.present).map(plainMx);
  if (next(world) !== undefined) {
    const now = answeringMx(world);
    const { name, role } = recogniseMailSystem(now);
    const system = role === "unknown" || role === "none" ? "" : ` (${name})`;
    call.info(`MX of ${inputs.domain}: ${formatMxSet(now)}${system} → ${formatMxSet(after)}`);
  }
  const known = { before, after, former: sortMx(former).map(asFormer) };
  return { ...known, ...(old !== undefined && { claim }) };
}

export function outputsOf(
  { zone: { id, name } }: LiveDomain,
  view: View,
  inputs: MxTakeoverInputs,
  standing: Standing,
): MxTakeoverOutputs {
  const { mx: journal } = readJournal(view);
  const outputs = outputsFrom({ present: readMx(view), journal }, inputs, standing);
  return { ...outputs, zone: { id, name } };
}

/** The outputs, wherever the domain's zone is. */
export function outputsFrom(
  { present, journal }: Pick<MxWorld, "present" | "journal">,
  inputs: MxTakeoverInputs,
  { claim, old, formerRemoved = false }: Standing,
): MxTakeoverOutputs {
  const former = (journal ?? old?.journal)?.former ?? present;
  const stands = ({ exchange }: MxRecord) => present.some((mx) => mx.exchange === exchange);
  const known = knownMx(old).filter((mx) => stands(mx) && !includesMx(inputs.mx, mx));
  return {
    ...inputs,
    claim,
    ...(known.length > 0 && { knownMx: known }),
    journal: copyOf(journal) ?? old?.journal ?? notYet(inputs, present),
    before: sortMx(inputs.handBackTo ?? former).map(plainMx),
    after: sortMx(present).map(plainMx),
    former: sortMx(former).map(asFormer),
    ...lockDownOf(journal, formerRemoved ? undefined : old),
  };
}

/**
 * Senders come through the gateway alone only once the former MX have left every cache. Where the state does
 * not say since when they are gone (the run that removed them was killed, an import), they may be gone since now.
 */
function lockDownOf(
  journal: MxJournal | undefined,
  old: MxTakeoverOutputs | undefined,
): Pick<MxTakeoverOutputs, "lockDownSafeFrom"> {
  if (journal?.phase !== "held") return {};
  const { lockDownSafeFrom: known = lockDownSafeFrom(new Date(), journal.former) } = old ?? {};
  return { lockDownSafeFrom: known };
}

type Copy = MxTakeoverOutputs["journal"];

/** Comments and tags are not for the state: the journal keeps them where they came from. */
function copyOf(journal: MxJournal | undefined): Copy | undefined {
  if (journal === undefined) return undefined;
  const { former, revision, server, inherited } = journal;
  const copy = { former: former.map(asFormer), revision, server };
  return inherited === undefined ? copy : { ...copy, inherited };
}

/** A domain that was bypassed from the start has no journal: nothing was taken. */
function notYet({ server }: MxTakeoverInputs, present: readonly FormerMx[]): Copy {
  return { former: present.map(asFormer), revision: 0, server: fingerprint(server) };
}

export function asFormer({ preference, exchange, ttl }: FormerMx) {
  return { preference, exchange, ttl };
}
