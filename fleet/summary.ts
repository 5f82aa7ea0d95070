/** The last lines of a run over many stacks, as text and as Markdown, and the exit code. Pure. */
import type { StackReport } from "../report/stack-report.ts";
import { visible, visibleLines } from "../report/visible-text.ts";
import type { Changed, Outcome, StackOutcome } from "./change-stacks.ts";

/** As for every command: 0 all well, 1 something found or failed, 2 something could not be read. */
export const EXIT = { well: 0, found: 1, unread: 2 } as const;

/** `3 stacks: 1 changed, 1 failed, 1 unchanged.` */
export function previewSummary(reports: readonly StackReport[]): string {
  return summary(
    reports.map(({ status }) => status),
    "Nothing was changed.",
  );
}

/** A preview that failed is worse than one that could not read everything. Changes are what a preview is for. */
export function previewExit(reports: readonly StackReport[]): number {
  if (reports.some(({ status }) => status === "failed")) return EXIT.found;
  return reports.some(({ status }) => status === "incomplete") ? EXIT.unread : EXIT.well;
}

const WORST_FIRST: readonly Outcome[] = ["failed", "stopped", "waiting", "done", "unchanged"];

/** Why nothing was done, or each stack that is not done and why, then how many there are of each kind. */
export function changeSummary({ outcomes, refusals }: Changed): string {
  const sorted = outcomes.toSorted((a, b) => rank(a) - rank(b));
  const lines = sorted.flatMap(({ stack, outcome, problem }) =>
    problem === undefined ? [] : [`${visible(stack)}: ${outcome}. ${visibleLines(problem)}`],
  );
  const nothing = outcomes.every(({ outcome }) => outcome === "waiting" || outcome === "unchanged");
  const kinds = outcomes.map(({ outcome }) => outcome);
  return [
    ...refusals.map(({ message }) => visibleLines(message)),
    ...lines,
    summary(kinds, nothing ? "Nothing was changed." : goOn(outcomes)),
  ].join("\n");
}

export function changeExit({ outcomes, refusals }: Changed): number {
  const isDone = outcomes.every(({ outcome }) => outcome === "done" || outcome === "unchanged");
  return isDone && refusals.length === 0 ? EXIT.well : EXIT.found;
}

function rank({ outcome }: StackOutcome): number {
  return WORST_FIRST.indexOf(outcome);
}

function goOn(outcomes: readonly StackOutcome[]): string {
  const isOpen = outcomes.some(({ outcome }) => ["failed", "stopped", "waiting"].includes(outcome));
  return isOpen ? "Running again goes on." : "";
}

function summary(kinds: readonly string[], end: string): string {
  if (kinds.length === 0) return "No stack is concerned. Nothing was changed.";
  const counts = Object.entries(Object.groupBy(kinds, (kind) => kind)).map(
    ([kind, all = []]) => `${all.length} ${kind}`,
  );
  const stacks = kinds.length === 1 ? "1 stack" : `${kinds.length} stacks`;
  return `${stacks}: ${counts.toSorted().join(", ")}. ${end}`.trim();
}
