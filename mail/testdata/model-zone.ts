/** A small model of a domain in its zone, on which steps are carried out as one transaction each. */
import type { MxRecord } from "../dns.ts";
import { MailRuleError } from "../errors.ts";
import { nextHandBackStep } from "../hand-back.ts";
import {
  type FormerMx,
  formatMxJournal,
  type JournalText,
  type MxJournal,
  parseJournal,
} from "../journal.ts";
import { formatMx, sameMx, type ZoneMx } from "../mx.ts";
import type { JournalCopy, MxGoal, MxStep, MxWorld } from "../mx-goal.ts";
import { nextTakeoverStep } from "../takeover.ts";

export const DOMAIN = "contoso.test";

export interface ModelZone {
  readonly mx: readonly ZoneMx[];
  /** The journal's TXT records, in no particular order. */
  readonly texts: readonly JournalText[];
  readonly wildcard?: { readonly name: string; readonly mx: readonly FormerMx[] } | undefined;
}

/** `10 mail.example.com`; the null MX is `0 `. */
export function mxOf(text: string): MxRecord {
  const [preference, exchange = ""] = text.split(" ");
  return { preference: Number(preference), exchange };
}

/** Records with the TTL 3600, unless they are given in full. */
export function zoneWith(...records: (string | FormerMx)[]): ModelZone {
  const mx = records.map((record) =>
    typeof record === "string" ? { ...mxOf(record), ttl: 3_600 } : record,
  );
  return addMx({ mx: [], texts: [] }, mx);
}

export function addMx(zone: ModelZone, records: readonly FormerMx[]): ModelZone {
  const mx = [...zone.mx];
  for (const record of records) {
    if (mx.some((other) => sameMx(other, record))) throw new Error(`${formatMx(record)} exists`);
    const highest = Math.max(0, ...mx.map(({ id }) => Number(id)));
    mx.push({ ...record, id: String(highest + 1) });
  }
  return { ...zone, mx };
}

/** A person's edit. */
export function withoutMx(zone: ModelZone, ...texts: string[]): ModelZone {
  const gone = texts.map(mxOf);
  return { ...zone, mx: zone.mx.filter((mx) => !gone.some((other) => sameMx(mx, other))) };
}

export function journalOf({ texts }: ModelZone): MxJournal | undefined {
  return parseJournal(texts.map((text, id) => ({ ...text, id: String(id) }))).mx;
}

export function worldOf(zone: ModelZone): MxWorld {
  const { mx: present, wildcard: inherited } = zone;
  return { domain: DOMAIN, present, journal: journalOf(zone), inherited };
}

export function copyOf(journal: MxJournal): JournalCopy {
  const { former, revision, server, inherited } = journal;
  return { former, revision, server, inherited };
}

/** @throws Error as Cloudflare refuses a batch: what is changed must exist, what is added must not */
export function applyStep(zone: ModelZone, step: MxStep): ModelZone {
  const touched = [...step.remove, ...step.patch].map(({ id }) => id);
  if (new Set(touched).size < touched.length) throw new Error("a record is changed twice");
  for (const id of touched) {
    if (!zone.mx.some((mx) => mx.id === id)) throw new Error(`record ${id} does not exist`);
  }
  const removed = new Set(step.remove.map(({ id }) => id));
  const mx = zone.mx
    .filter(({ id }) => !removed.has(id))
    .map((record) => {
      const patch = step.patch.find(({ id }) => id === record.id);
      return patch === undefined ? record : { ...patch.to, id: record.id };
    });
  const texts = step.journal === "removed" ? [] : journalTexts(zone, step);
  return addMx({ ...zone, mx, texts }, step.add);
}

function journalTexts({ texts }: ModelZone, { journal }: MxStep): readonly JournalText[] {
  if (journal === undefined || journal === "removed") return texts;
  return formatMxJournal(journal).toReversed();
}

export type NextStep = (world: MxWorld) => MxStep | undefined;

export const takeover =
  (goal: MxGoal): NextStep =>
  (world) =>
    nextTakeoverStep(world, goal);
export const handBack =
  (goal: MxGoal): NextStep =>
  (world) =>
    nextHandBackStep(world, goal, false);
export const bypass =
  (goal: MxGoal): NextStep =>
  (world) =>
    nextHandBackStep(world, goal, true);

const STEP_LIMIT = 10;

export interface Run {
  readonly zone: ModelZone;
  readonly steps: readonly MxStep[];
  readonly finished: boolean;
  readonly refusal?: MailRuleError;
}

/** Carries out at most so many steps, as a run that is killed then. @throws Error where it never ends */
export function runSteps(zone: ModelZone, next: NextStep, most = Number.POSITIVE_INFINITY): Run {
  const steps: MxStep[] = [];
  let now = zone;
  try {
    while (steps.length < most) {
      const step = next(worldOf(now));
      if (step === undefined) return { zone: now, steps, finished: true };
      if (steps.length === STEP_LIMIT) throw new Error(`it never ends: ${step.what}`);
      now = applyStep(now, step);
      steps.push(step);
      if (step.last === true) return { zone: now, steps, finished: true };
    }
  } catch (error) {
    if (!(error instanceof MailRuleError)) throw error;
    return { zone: now, steps, finished: false, refusal: error };
  }
  return { zone: now, steps, finished: false };
}

/** To the end. @throws MailRuleError */
export function run(zone: ModelZone, next: NextStep): ModelZone {
  const { zone: ended, refusal } = runSteps(zone, next);
  if (refusal !== undefined) throw refusal;
  return ended;
}

/** Without what only the model knows, in a fixed order. */
export function recordsOf({ mx }: ModelZone): FormerMx[] {
  return mx
    .map((record): FormerMx => {
      const { id: _, ...plain } = record;
      return plain;
    })
    .toSorted((a, b) => (formatMx(a) < formatMx(b) ? -1 : 1));
}

/** In words, in a fixed order: `10 mail.example.com.` */
export function mxTexts(zone: ModelZone): string[] {
  return recordsOf(zone).map(formatMx);
}

/** The goal of the examples: one gateway host for the organisation contoso. */
export const GOAL: MxGoal = {
  holder: "contoso",
  claim: { resource: "9f86d081", generation: "a3c1f2e4" },
  mayClaim: true,
  wanted: [mxOf("10 mx1.gateway.test")],
  known: [],
  server: "2c26b46b",
};

/** What a later call of the same resource wants: it has its claim, and the state has a copy. */
export function laterGoal(zone: ModelZone, change: Partial<MxGoal> = {}): MxGoal {
  const journal = journalOf(zone);
  const copy = journal === undefined ? undefined : copyOf(journal);
  return { ...GOAL, mayClaim: false, known: GOAL.wanted, copy, ...change };
}

/** Google Workspace's older set, with what a person wrote beside it. */
export const GOOGLE: readonly FormerMx[] = [
  {
    preference: 1,
    exchange: "aspmx.l.google.com",
    ttl: 3_600,
    comment: "Google",
    tags: ["owner:it"],
  },
  { preference: 5, exchange: "alt1.aspmx.l.google.com", ttl: 3_600, comment: "Google" },
  { preference: 5, exchange: "alt2.aspmx.l.google.com", ttl: 3_600 },
  { preference: 10, exchange: "alt3.aspmx.l.google.com", ttl: 300 },
  { preference: 10, exchange: "alt4.aspmx.l.google.com", ttl: 1, tags: ["site:2", "owner:it"] },
];

/** A domain with one MX of its own, and one that inherits it from a wildcard. */
export const OWN = zoneWith("10 mail.contoso.test");
const wildcard = { name: "*.test", mx: [{ ...mxOf("10 mail.contoso.test"), ttl: 600 }] };
export const INHERITS: ModelZone = { ...zoneWith(), wildcard };

/** The former MX and the gateway's in the examples, as zone files have them. */
export const MAIL = "10 mail.contoso.test.";
export const OURS = "10 mx1.gateway.test.";

/** The MX after each step. */
export function history(zone: ModelZone, steps: readonly MxStep[]): string[][] {
  let now = zone;
  return steps.map((step) => {
    now = applyStep(now, step);
    return mxTexts(now);
  });
}
