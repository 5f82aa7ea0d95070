/**
 * Whether too many domains would leave at once. A report counts those of its stack; whoever shows several counts all of
 * them, as a run does. Pure.
 */
import { count } from "./count-words.ts";
import { risk } from "./risk.ts";
import type { Risk, StackReport } from "./stack-report.ts";

/** As of a run that is not told otherwise. */
const AT_MOST = 1;

/** Empty where no more leave. @param atMost so many may @default 1 */
export function leavingRisks(
  reports: readonly Pick<StackReport, "domains">[],
  atMost = AT_MOST,
): Risk[] {
  const numbers = reports
    .map(({ domains }) => domains.filter(({ change }) => change === "offboard").length)
    .filter((number) => number > 0);
  const leaving = numbers.reduce((sum, number) => sum + number, 0);
  if (leaving <= atMost) return [];
  return [
    risk(
      "many-domains-leave",
      "high",
      `${leaving === 1 ? "1 domain" : `${leaving} domains`} would leave the gateway at once, of ${count(numbers.length, "stack")}.`,
      `See that all of them are meant. A run lets at most ${atMost} leave, unless it is told otherwise (--offboard-at-most ${leaving}).`,
    ),
  ];
}

/** Where all are counted, what a stack by itself counts is not told again. */
export function withoutLeavingRisks(reports: readonly StackReport[]): StackReport[] {
  return reports.map((report) => ({
    ...report,
    risks: report.risks.filter(({ id }) => id !== "many-domains-leave"),
  }));
}
