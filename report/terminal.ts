/** The reports for a terminal. Pure. */
import { styleText } from "node:util";
import { phraseOf, totals } from "./count-words.ts";
import { difference, spfDifference } from "./difference.ts";
import { NOT_READ_NOW } from "./domain-diff.ts";
import { leavingRisks, withoutLeavingRisks } from "./leaving.ts";
import { orderedDomains, orderedStacks, type PlacedDomain } from "./report-order.ts";
import type { RiskLevel } from "./risk-ids.ts";
import {
  type DomainReport,
  type Fault,
  type Risk,
  type StackReport,
  UNKNOWN,
} from "./stack-report.ts";
import { shortened, visible } from "./visible-text.ts";

export interface TerminalOptions {
  /** @default false */
  readonly isColoured?: boolean;
  /** So many domains may leave the gateway, of all stacks together. @default 1 */
  readonly offboardAtMost?: number | undefined;
}

type Paint = (colour: Colour, text: string) => string;
type Colour = "bold" | "red" | "yellow" | "green" | "gray";

/** In characters. */
const LONGEST_LINE = 1_000;

export function renderTerminal(
  all: readonly StackReport[],
  { isColoured = false, offboardAtMost }: TerminalOptions = {},
): string {
  const reports = withoutLeavingRisks(all);
  const paint: Paint = (colour, text) =>
    isColoured ? styleText(colour, text, { validateStream: false }) : text;
  const unchanged = reports.filter(({ status }) => status === "unchanged");
  const parts = [
    [
      totals(reports),
      ...leavingRisks(reports, offboardAtMost).flatMap((risk) => riskLines(risk, paint)),
    ],
    ...orderedStacks(reports).map((report) => stackLines(report, paint)),
    ...orderedDomains(reports).map((domain) => domainLines(domain, paint)),
    ...(unchanged.length === 0
      ? []
      : [[`Nothing changes in: ${unchanged.map(({ stack }) => visible(stack)).join(", ")}`]]),
    ["docs/report.md explains each risk."],
  ];
  return parts.map((lines) => lines.join("\n")).join("\n\n");
}

function stackLines({ stack, summary, faults, risks }: StackReport, paint: Paint): string[] {
  return [
    paint("bold", `Stack ${plain(stack)}`),
    `  ${plain(summary)}`,
    ...faults.flatMap((fault) => faultLines(fault, paint)),
    ...risks.flatMap((risk) => riskLines(risk, paint)),
  ];
}

function domainLines({ stack, domain }: PlacedDomain, paint: Paint): string[] {
  const { inboundPath, outboundPath, mx, spf, spfLookups } = domain;
  const title = `${plain(domain.displayName)} ${phraseOf(domain.change)}`;
  return [
    `${paint("bold", title)}  (stack ${plain(stack.stack)})`,
    `  ${plain(domain.summary)}`,
    ...domain.unread.flatMap((fault) => faultLines(fault, paint)),
    ...(domain.isFromState ? [`  ${paint("yellow", "!")} ${NOT_READ_NOW}`] : []),
    ...domain.risks.flatMap((risk) => riskLines(risk, paint)),
    ...(inboundPath ? wayLines("Mail to it", inboundPath) : []),
    ...(outboundPath ? wayLines("Mail from it", outboundPath) : []),
    ...(mx ? ["  MX", ...coloured(difference(mx.before, mx.after, "none"), paint)] : []),
    ...(spf
      ? ["  SPF", ...coloured(spfDifference(spf.before, spf.after, "no record"), paint)]
      : []),
    ...(spfLookups ? [`  SPF lookups then: ${lookupWords(spfLookups)}`] : []),
    ...settingLines(domain),
    ...domain.notices.map((notice) => `  * ${plain(notice)}`),
    ...domain.duration.map((words) => `  * ${plain(words)}`),
    ...stepLines(domain),
  ];
}

function plain(value: string): string {
  return shortened(visible(value), LONGEST_LINE);
}

function wayLines(title: string, { before, after }: { before: string; after: string }): string[] {
  if (before === UNKNOWN && after === UNKNOWN) return [`  ${title}: not known`];
  if (before === after) return [`  ${title}, as before: ${plain(after)}`];
  return [`  ${title}`, `    now:  ${plain(before)}`, `    then: ${plain(after)}`];
}

function coloured(lines: readonly string[], paint: Paint): string[] {
  return lines.map((line) => {
    const shown = `    ${plain(line)}`;
    if (line.startsWith("+")) return paint("green", shown);
    return line.startsWith("-") ? paint("red", shown) : shown;
  });
}

function lookupWords({ used, limit, byTerm }: NonNullable<DomainReport["spfLookups"]>): string {
  const terms = byTerm.map(({ term, lookups }) => `${plain(term)} ${lookups}`).join(", ");
  return `${used} of ${limit}${terms && `: ${terms}`}`;
}

function settingLines({ settings }: DomainReport): string[] {
  return settings.map(({ name, before, after }) =>
    before === ""
      ? `  ${name}: ${plain(after)}`
      : `  ${name}: ${plain(before)} → ${plain(after) || "nothing"}`,
  );
}

function stepLines({ steps }: DomainReport): string[] {
  if (steps.length === 0) return [];
  const lines = steps.flatMap(([title = "", ...rest], index) => [
    `    ${index + 1}. ${plain(title)}`,
    ...rest.map((line) => `    ${plain(line)}`),
  ]);
  return ["  What a person must do:", ...lines];
}

function faultLines({ code, where, problem, fix }: Fault, paint: Paint): string[] {
  const place = where === undefined ? "" : `${plain(where)}: `;
  const id = code === undefined ? "" : ` (${code})`;
  const line = `  ${paint("red", "!")} ${place}${plain(problem)}${id}`;
  return fix === undefined ? [line] : [line, `    → ${plain(fix)}`];
}

const COLOURS: Readonly<Record<RiskLevel, Colour>> = { high: "red", medium: "yellow", low: "gray" };

function riskLines({ id, level, text: words, fix }: Risk, paint: Paint): string[] {
  return [`  ${paint(COLOURS[level], level)} ${id}: ${plain(words)}`, `    → ${plain(fix)}`];
}
