/** What a comment says of stacks as a whole: all of it, or what there is room for. */
import { count } from "./count-words.ts";
import { faultText, list, riskText } from "./domain-markdown.ts";
import { code, sentence } from "./markdown-text.ts";
import { named } from "./named.ts";
import { orderedStacks } from "./report-order.ts";
import type { Risk, StackReport } from "./stack-report.ts";

export function stackTexts(reports: readonly StackReport[]): string[] {
  return orderedStacks(reports).map((report) => toldOf(report).whole);
}

interface Entry {
  readonly text: string;
  readonly risk?: Risk;
}

/** What there is to tell of a stack. */
interface Told {
  readonly report: StackReport;
  readonly head: string;
  /** The high risks first. */
  readonly entries: readonly Entry[];
  readonly whole: string;
}

function toldOf(report: StackReport): Told {
  const { stack, summary, faults, risks } = report;
  const head = `### Stack ${code(stack)}\n\n${sentence(summary)}`;
  const ofFaults = faults.map((fault): Entry => ({ text: faultText(fault) }));
  const ofRisks = risks.map((risk): Entry => ({ text: riskText(risk), risk }));
  const lists = [ofFaults, ofRisks].map((each) => list(each.map(({ text }) => text)));
  return {
    report,
    head,
    entries: [
      ...ofRisks.filter(isHighRisk),
      ...ofFaults,
      ...ofRisks.filter((each) => !isHighRisk(each)),
    ],
    whole: parted([head, ...lists]),
  };
}

function isHighRisk({ risk }: Entry): boolean {
  return risk?.level === "high";
}

function parted(parts: readonly string[]): string {
  return parts.filter((part) => part !== "").join("\n\n");
}

/** It is longer than the room only where that has not even its head. */
function textOf({ head, entries, whole }: Told, room: number): string {
  if (whole.length <= room) return whole;
  const shown: string[] = [];
  const hidden: Entry[] = [];
  let left = room - head.length - moreWords(entries).length - 2 * BETWEEN;
  for (const entry of entries) {
    const length = list([entry.text]).length + 1;
    if (length > left) {
      hidden.push(entry);
      continue;
    }
    left -= length;
    shown.push(entry.text);
  }
  return parted([head, list(shown), moreWords(hidden)]);
}

/** The blank line between two parts. */
const BETWEEN = 2;

/** A high risk that has no room is told by its name at least. */
function moreWords(hidden: readonly Entry[]): string {
  const risks = hidden.flatMap(({ risk }) => risk ?? []);
  return hidden.length === 0 ? "" : `And ${hidden.length} more of this stack${highWords(risks)}.`;
}

function highWords(risks: readonly Risk[]): string {
  const ids = [...new Set(risks.filter(({ level }) => level === "high").map(({ id }) => id))];
  return ids.length === 0 ? "" : `, high ${ids.map((id) => code(id)).join(", ")}`;
}

/** In characters: so much of each stack is told where there is room for that. */
const LEAST = 600;
/** Of the room, for the names of stacks that do not fit. */
const NAMES_SHARE = 0.25;

/** A stack with much to say leaves room for the others; those that do not fit are named, the riskiest first. */
export function cutStacks(reports: readonly StackReport[], room: number): string[] {
  const all = orderedStacks(reports).map(toldOf);
  const length = all.reduce((sum, { whole }) => sum + whole.length + BETWEEN, 0);
  if (length <= room) return all.map(({ whole }) => whole);
  const byRisk = all.toSorted((a, b) => Number(hasHigh(b)) - Number(hasHigh(a)));
  const texts = fittedTexts(byRisk, room * (1 - NAMES_SHARE));
  const kept = all.flatMap((told) => texts.get(told) ?? []);
  const left = byRisk.filter((told) => !texts.has(told)).map(({ report }) => report);
  if (left.length === 0) return kept;
  const names = left.map(({ stack, risks }) => `${code(stack)}${highWords(risks)}`);
  const words = `And ${count(left.length, "stack")} more that failed or need a look`;
  return [...kept, `${words}${named(names, room * NAMES_SHARE)}.`];
}

function hasHigh({ entries }: Told): boolean {
  return entries.some(isHighRisk);
}

/** Of each that fits with the least, that; then each has a share of what is left, the shortest first. */
function fittedTexts(byRisk: readonly Told[], room: number): ReadonlyMap<Told, string> {
  let left = room;
  const chosen: { readonly told: Told; readonly least: number }[] = [];
  for (const told of byRisk) {
    const least = textOf(told, LEAST).length;
    if (least + BETWEEN > left) continue;
    left -= least + BETWEEN;
    chosen.push({ told, least });
  }
  const wants = ({ told, least }: (typeof chosen)[number]) => told.whole.length - least;
  const byLength = chosen.toSorted((a, b) => wants(a) - wants(b));
  return new Map(
    byLength.map(({ told, least }, index) => {
      const share = left / (byLength.length - index);
      const text = textOf(told, least + share);
      left -= Math.max(0, text.length - least);
      return [told, text] as const;
    }),
  );
}
