/** What a comment says of one domain, in three lengths. */
import { phraseOf } from "./count-words.ts";
import { difference, spfDifference } from "./difference.ts";
import { NOT_READ_NOW } from "./domain-diff.ts";
import { code, codeBlock, fold, sentence } from "./markdown-text.ts";
import type { PlacedDomain } from "./report-order.ts";
import {
  type DomainReport,
  type Fault,
  type Risk,
  type StackReport,
  UNKNOWN,
} from "./stack-report.ts";
import { steps, stepTitles } from "./steps-markdown.ts";

/**
 * - `full`: all of it.
 * - `short`: without what is folded away, and what people notice.
 * - `line`: one line.
 */
export type Length = "full" | "short" | "line";

export function domainText({ stack, domain }: PlacedDomain, length: Length): string {
  if (length === "line") return domainLine(stack, domain);
  const isFull = length === "full";
  return [
    `### ${code(domain.displayName)} ${phraseOf(domain.change)}${badge(domain)}`,
    `Stack ${code(stack.stack)}${organisation(stack)}. ${sentence(domain.summary)}`,
    ...unread(domain),
    ...(domain.isFromState ? [`**Not read now.** ${sentence(NOT_READ_NOW)}`] : []),
    ...section("Risks", domain.risks.map(riskText)),
    ...ways(domain),
    ...records(domain),
    ...settings(domain),
    ...(isFull ? section("What people notice", domain.notices.map(sentence)) : []),
    ...section("How long it takes", domain.duration.map(sentence)),
    ...(domain.steps.length > 0
      ? [`**What a person must do**\n\n${stepTitles(domain.steps)}`]
      : []),
    ...(isFull && domain.steps.length > 0
      ? [fold("Each step in full, with the commands", steps(domain.steps))]
      : []),
  ].join("\n\n");
}

function domainLine({ stack }: StackReport, domain: DomainReport): string {
  const ids = domain.risks.map(({ id, level }) => `${level} ${code(id)}`).join(", ");
  const read = domain.unread.length > 0 ? " **Not everything could be read.**" : "";
  const now = domain.isFromState ? " DNS was not read for it." : "";
  return `- ${code(domain.displayName)} ${phraseOf(domain.change)} (stack ${code(stack)})${ids && `: ${ids}`}.${read}${now}`;
}

function badge({ risks, unread: missing }: DomainReport): string {
  if (missing.length > 0) return ": not safe";
  const [worst] = risks;
  return worst === undefined ? "" : `: ${worst.level} risk`;
}

function organisation({ organisation: name }: StackReport): string {
  return name === undefined ? "" : `, organisation ${code(name)}`;
}

function unread({ unread: faults }: DomainReport): string[] {
  if (faults.length === 0) return [];
  return [
    `**Not everything could be read, or something was refused: this domain is not safe.**\n\n${list(faults.map(faultText))}`,
  ];
}

export function faultText({ code: id, where, problem, fix }: Fault): string {
  const place = where === undefined ? "" : `${code(where)}: `;
  const remedy = fix === undefined ? "" : ` **What to do:** ${sentence(fix)}`;
  return `${place}${sentence(problem)}${remedy}${id === undefined ? "" : ` (${code(id)})`}`;
}

const LEVELS = { high: "High", medium: "Medium", low: "Low" } as const;

export function riskText({ id, level, text, fix }: Risk): string {
  return `**${LEVELS[level]}** (${code(id)}): ${sentence(text)} **What to do:** ${sentence(fix)}`;
}

function section(title: string, entries: readonly string[]): string[] {
  return entries.length === 0 ? [] : [`**${title}**\n\n${list(entries)}`];
}

export function list(entries: readonly string[]): string {
  return entries.map((entry) => `- ${entry}`).join("\n");
}

function ways({ inboundPath, outboundPath }: DomainReport): string[] {
  const entries = [
    ...(inboundPath === undefined ? [] : [way("to it", inboundPath)]),
    ...(outboundPath === undefined ? [] : [way("from it", outboundPath)]),
  ];
  return section("The way of its mail", entries);
}

function way(direction: string, { before, after }: { before: string; after: string }): string {
  if (before === UNKNOWN && after === UNKNOWN) return `Mail ${direction}: not known`;
  if (before === after) return `Mail ${direction}, as before: ${code(after)}`;
  return `Mail ${direction}, now: ${code(before)}<br>then: ${code(after)}`;
}

function records({ mx, spf, spfLookups }: DomainReport): string[] {
  if (isSame(mx) && isSame(spf)) {
    return mx === undefined && spf === undefined ? [] : ["Its DNS records stay as they are."];
  }
  const lines = [
    ...(mx === undefined ? [] : ["# MX", ...difference(mx.before, mx.after, "none")]),
    ...(spf === undefined ? [] : ["# SPF", ...spfDifference(spf.before, spf.after, "no record")]),
  ];
  const uses = spfLookups?.byTerm.map(({ term, lookups }) => `${code(term)} ${lookups}`).join(", ");
  const budget =
    spfLookups === undefined
      ? []
      : [`SPF lookups then: ${spfLookups.used} of ${spfLookups.limit}${uses && ` (${uses})`}.`];
  return [
    ...(lines.length === 0 ? [] : [`**Its DNS records**\n\n${codeBlock(lines, "diff")}`]),
    ...budget,
  ];
}

/** Nobody can say so of what is not known. */
function isSame(values: DomainReport["mx"] | DomainReport["spf"]): boolean {
  if (values === undefined) return true;
  const [before, after] = [String(values.before), String(values.after)];
  return before === after && !before.includes(UNKNOWN);
}

function settings({ settings: all }: DomainReport): string[] {
  const entries = all.map(({ name, before, after }) =>
    before === ""
      ? `${sentence(name)}: ${sentence(after)}`
      : `${sentence(name)}: ${sentence(before)} → ${after === "" ? "nothing" : sentence(after)}`,
  );
  return section("At the gateway", entries);
}
