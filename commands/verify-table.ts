/** What `npm run verify` prints for a person: one line for each check, by domain. */
import { styleText } from "node:util";
import type { Check, CheckStatus } from "../mail/verify/check.ts";
import { visible } from "../report/visible-text.ts";
import type { StackVerdict } from "./verify-stack.ts";

const WORDS: Readonly<Record<CheckStatus, string>> = {
  well: "ok",
  notice: "note",
  wrong: "WRONG",
  unread: "NOT READ",
  skipped: "-",
};

const COLOURS = {
  well: "green",
  notice: "yellow",
  wrong: "red",
  unread: "magenta",
  skipped: "gray",
} as const satisfies Record<CheckStatus, string>;

/** @param isColoured only for a terminal */
export function verdictTable(verdict: StackVerdict, isColoured: boolean): string {
  const { stack, at, checks, domains } = verdict;
  const all = [...checks, ...domains.flatMap((domain) => domain.checks)];
  const widths = {
    status: widest(all.map(({ status }) => WORDS[status])),
    id: widest(all.map(({ id }) => id)),
  };
  const rows = (each: readonly Check[]) => each.flatMap((check) => row(check, widths, isColoured));
  const lines = [
    `Stack ${stack}: looked at ${count(domains.length, "domain")} at ${at}. Nothing was changed.`,
    "",
    ...(checks.length > 0 ? ["The stack and its gateway", ...rows(checks)] : []),
    ...domains.flatMap((domain) => [domain.domain, ...rows(domain.checks)]),
    "",
    summary(all),
  ];
  return lines.join("\n");
}

interface Widths {
  readonly status: number;
  readonly id: number;
}

function row({ status, id, text, fix }: Check, widths: Widths, isColoured: boolean): string[] {
  const plain = WORDS[status].padEnd(widths.status);
  const word = isColoured ? styleText(COLOURS[status], plain, { validateStream: false }) : plain;
  const indent = " ".repeat(widths.status + widths.id + 6);
  // A text of several lines stays in its column.
  const cell = text.split("\n").map(visible).join(`\n${indent}`);
  const line = `  ${word}  ${id.padEnd(widths.id)}  ${cell}`;
  return fix === undefined ? [line] : [line, `${indent}→ ${visible(fix)}`];
}

function summary(checks: readonly Check[]): string {
  const of = (status: CheckStatus) => checks.filter((check) => check.status === status).length;
  const parts = [
    `${of("well")} well`,
    ...(of("notice") > 0 ? [count(of("notice"), "notice")] : []),
    `${of("wrong")} wrong`,
    ...(of("unread") > 0 ? [`${of("unread")} not read`] : []),
    ...(of("skipped") > 0 ? [`${of("skipped")} not looked at`] : []),
  ];
  return `${count(checks.length, "check")}: ${parts.join(", ")}. docs/verify.md explains each.`;
}

function count(number: number, what: string): string {
  return number === 1 ? `1 ${what}` : `${number} ${what}s`;
}

function widest(texts: readonly string[]): number {
  return Math.max(0, ...texts.map(({ length }) => length));
}
