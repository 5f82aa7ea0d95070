/** The reports as one comment at GitHub. Pure. */
import { count, totals } from "./count-words.ts";
import { domainText, type Length, list, riskText } from "./domain-markdown.ts";
import { leavingRisks, withoutLeavingRisks } from "./leaving.ts";
import { code, codeBlock, fold } from "./markdown-text.ts";
import { named } from "./named.ts";
import { orderedDomains, type PlacedDomain } from "./report-order.ts";
import { cutStacks, stackTexts } from "./stack-markdown.ts";
import type { StackReport } from "./stack-report.ts";

export interface CommentOptions {
  /** In characters. @default 65,000: GitHub takes 65,536, and a hidden line is put before it */
  readonly limit?: number;
  /** Where a reader finds what did not fit. */
  readonly restUrl?: string | undefined;
  /** So many domains may leave the gateway, of all stacks together. @default 1 */
  readonly offboardAtMost?: number | undefined;
}

export interface RenderedComment {
  readonly comment: string;
  /** All of it, where the comment has not all. */
  readonly rest: string | undefined;
}

const LIMIT = 65_000;

/** The riskiest first, at length; what does not fit is shorter, then a line, then a number. */
export function renderComment(
  all: readonly StackReport[],
  { limit = LIMIT, restUrl, offboardAtMost }: CommentOptions = {},
): RenderedComment {
  const reports = withoutLeavingRisks(all);
  const begin = head(reports, offboardAtMost);
  const whole = everything(begin, reports);
  if (whole.length <= limit) return { comment: whole, rest: undefined };
  return { comment: fitted([begin, restWords(restUrl)], reports, limit), rest: whole };
}

function everything(begin: string, reports: readonly StackReport[]): string {
  const domains = orderedDomains(reports).map((domain) => domainText(domain, "full"));
  return joined([begin, ...stackTexts(reports), ...domains, ...foot(reports)]);
}

function joined(parts: readonly string[]): string {
  return parts.filter((part) => part !== "").join("\n\n");
}

/** For what joins the parts, and the words on what was left out. */
const RESERVE = 500;

function fitted(begin: readonly string[], reports: readonly StackReport[], limit: number): string {
  const first = [...begin, ...cutStacks(reports, limit / 3)];
  const last = [unchangedText(reports)];
  const room = limit - joined([...first, ...last]).length - RESERVE;
  const domains = orderedDomains(reports);
  const forNames = room * NAMES_SHARE;
  const chosen = choose(domains, room - forNames);
  const left = domains.slice(chosen.length).map(({ domain }) => code(domain.displayName));
  const more =
    left.length === 0
      ? ""
      : `And ${count(left.length, "domain")} more, with less risk than these${named(left, forNames)}.`;
  return joined([...first, ...grouped(chosen), more, ...last]);
}

/** Of the room, for the names of domains that do not even have a line. */
const NAMES_SHARE = 0.1;

interface Chosen {
  readonly text: string;
  readonly length: Length;
}

/** Of the room, so much goes to the riskiest at length, however many others there are. */
const LONG_SHARE = 0.7;

/** From the first one on as long as there is room; the others in a line; the last ones not at all. */
function choose(domains: readonly PlacedDomain[], room: number): Chosen[] {
  const lines = domains.map((domain) => domainText(domain, "line"));
  const inLines = lines.reduce((sum, text) => sum + lengthOf(text), 0);
  const forLong = Math.max(room * LONG_SHARE, room - inLines);
  const chosen: Chosen[] = [];
  let used = 0;
  let length: Length = "full";
  for (const [index, domain] of domains.entries()) {
    let text = domainText(domain, length);
    while (length !== "line" && used + lengthOf(text) > forLong) {
      length = length === "full" ? "short" : "line";
      text = length === "line" ? (lines[index] ?? "") : domainText(domain, length);
    }
    if (used + lengthOf(text) > room) break;
    used += lengthOf(text);
    chosen.push({ text, length });
  }
  return chosen;
}

/** With what joins it to the next. */
function lengthOf({ length }: string): number {
  return length + 2;
}

/** Lines stand together under a heading of their own. */
function grouped(chosen: readonly Chosen[]): string[] {
  const long = chosen.filter(({ length }) => length !== "line").map(({ text }) => text);
  const lines = chosen.filter(({ length }) => length === "line").map(({ text }) => text);
  return lines.length === 0 ? long : [...long, "### In short", lines.join("\n")];
}

function head(reports: readonly StackReport[], offboardAtMost: number | undefined): string {
  const risks = leavingRisks(reports, offboardAtMost);
  const failed = reports.filter(({ status }) => status === "failed").length;
  const incomplete = reports.filter(({ status }) => status === "incomplete").length;
  const warnings = [
    ...(failed > 0 ? [`${count(failed, "stack")} could not be previewed`] : []),
    ...(incomplete > 0 ? [`of ${count(incomplete, "stack")} not everything could be read`] : []),
  ];
  return joined([
    "## What happens to the mail",
    `${totals(reports)} Nothing has been changed yet${failed === reports.length ? "." : ": this is what a run would do."}`,
    warnings.length === 0
      ? ""
      : `> [!WARNING]\n> **Do not merge yet:** ${warnings.join(", and ")}.`,
    list(risks.map(riskText)),
  ]);
}

function foot(reports: readonly StackReport[]): string[] {
  return [unchangedText(reports), technicalText(reports)];
}

/** So many names are told. */
const NAMES = 30;

function unchangedText(reports: readonly StackReport[]): string {
  const names = reports.filter(({ status }) => status === "unchanged").map(({ stack }) => stack);
  const words =
    names.length === 0
      ? []
      : [
          `Nothing changes in ${count(names.length, "stack")}: ${names
            .slice(0, NAMES)
            .map((name) => code(name))
            .join(", ")}${names.length > NAMES ? ` and ${names.length - NAMES} more` : ""}.`,
        ];
  return joined([...words, EXPLAINED]);
}

const EXPLAINED =
  "<sub>A run is what makes the change: after the merge it starts by itself, or somebody starts it (`pulumi up`). The gateway is the host that mail passes on its way. Each risk, by its identifier, and each word is explained in `docs/report.md` of pulumi-mxhero.</sub>";

/** A line each for readers of Pulumi. */
function technicalText(reports: readonly StackReport[]): string {
  const changed = reports.filter(({ technical }) => technical.length > 0);
  if (changed.length === 0) return "";
  const lines = changed.flatMap(({ stack, technical }) => [`# ${stack}`, ...technical]);
  return fold("The technical difference, for readers of Pulumi", codeBlock(lines, "diff"));
}

function restWords(restUrl: string | undefined): string {
  const where =
    restUrl === undefined
      ? "in the artifact of this run"
      : `[in the artifact of this run](${link(restUrl)})`;
  return `This is not all of it, as it does not fit into a comment. Everything is ${where}.`;
}

/** A link's target out of which nothing breaks. */
function link(url: string): string {
  return encodeURI(url).replaceAll(
    /[()<>\\]/g,
    (character) => `%${character.charCodeAt(0).toString(16)}`,
  );
}
