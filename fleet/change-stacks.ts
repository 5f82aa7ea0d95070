/** Does what was previewed: brings stacks up, or takes them off the gateway. */
import type { StackReport } from "../report/stack-report.ts";
import type { ChosenStack } from "./choose-stacks.ts";
import type { EngineOutcome } from "./engine.ts";
import { EngineFaults } from "./engine-faults.ts";
import type { FleetRun } from "./fleet-run.ts";
import { type Bounds, boundFaults, turnFaults } from "./guard.ts";
import { inWaves } from "./order.ts";
import { type PreviewedStack, previewStack, previewStacks } from "./preview-stacks.ts";
import type { Progress } from "./progress.ts";

/**
 * - `done`: all of it.
 * - `unchanged`: there was nothing to do.
 * - `failed`: some of it may be done; running again goes on.
 * - `stopped`: as `failed`, because the run was to stop.
 * - `waiting`: not begun.
 */
export type Outcome = "done" | "unchanged" | "failed" | "stopped" | "waiting";

export interface StackOutcome {
  readonly stack: string;
  readonly outcome: Outcome;
  /** Why, where it is not done. */
  readonly problem?: string;
}

export interface Changed {
  readonly reports: readonly StackReport[];
  readonly outcomes: readonly StackOutcome[];
  /** Why nothing, or nothing more, was done. */
  readonly refusals: readonly Error[];
}

/** Gateways first. A stack whose preview failed is left as it is. */
export async function upStacks(
  run: FleetRun,
  stacks: readonly ChosenStack[],
  bounds: Bounds,
): Promise<Changed> {
  const previewed = await previewStacks(run, stacks, bounds);
  const { gateways, others } = inWaves(previewed.map(withKind));
  const refusals = boundFaults(reportsOf(previewed), bounds);
  if (refusals.length > 0) return refused(previewed, refusals);

  const change = changing(run, "up", bounds);
  const first = await change(gateways);
  const hasNewGateway = first.some(({ outcome }) => outcome !== "unchanged");
  if (!hasNewGateway) {
    const outcomes = [...first, ...(await change(others))];
    return { reports: reportsOf(previewed), outcomes, refusals: [] };
  }
  // What a gateway's stack tells the others may be something else now.
  const again = await previewStacks(
    run,
    others.map(({ chosen }) => chosen),
    bounds,
  );
  const reports = reportsOf([...gateways, ...again]);
  const laterRefusals = boundFaults(reports, bounds);
  if (laterRefusals.length > 0) {
    const { outcomes } = refused(again, laterRefusals);
    return { reports, outcomes: [...first, ...outcomes], refusals: laterRefusals };
  }
  return { reports, outcomes: [...first, ...(await change(again))], refusals: [] };
}

/** Gateways last. */
export async function destroyStacks(
  run: FleetRun,
  stacks: readonly ChosenStack[],
  bounds: Bounds,
): Promise<Changed> {
  const previewed = await previewStacks(run, stacks, { ...bounds, leaving: true });
  const refusals = boundFaults(reportsOf(previewed), bounds);
  if (refusals.length > 0) return refused(previewed, refusals);
  const { gateways, others } = inWaves(previewed.map(withKind));
  const change = changing(run, "destroy", bounds);
  const outcomes = await change(others);
  const isFree = outcomes.every(({ outcome }) => outcome === "done" || outcome === "unchanged");
  const last = isFree ? await change(gateways) : gateways.map(asWaiting);
  return { reports: reportsOf(previewed), outcomes: [...outcomes, ...last], refusals: [] };
}

type Change = (previewed: readonly PreviewedStack[]) => Promise<StackOutcome[]>;

function changing(run: FleetRun, operation: "up" | "destroy", { offboardAtMost }: Bounds): Change {
  const options = { offboardAtMost, leaving: operation === "destroy" };
  return async (previewed) => {
    const due = previewed
      .filter(({ report }) => isDue(report))
      .map((each) => ({ ...each, stack: each.chosen.stack }));
    const outcomes = await run.each(operation, due, async (each, progress) => {
      const now = await previewStack(run, each.chosen, options, progress);
      const left = leftBeforeTurn(now, each, run.signal.aborted);
      const result = left ?? (await changeStack(run, each.chosen, operation, progress));
      return { outcome: result.outcome, result };
    });
    const byStack = new Map(
      outcomes.flatMap((each) => (each ? [[each.stack, each] as const] : [])),
    );
    return previewed.map((each) => {
      if (isDue(each.report)) return byStack.get(each.chosen.stack) ?? asWaiting(each);
      return leftAsItIs(each.report);
    });
  };
}

/** Why nothing is done when the stack's turn has come; `undefined`: what was previewed is done. */
function leftBeforeTurn(
  now: StackReport,
  previewed: PreviewedStack,
  wasStopped: boolean,
): StackOutcome | undefined {
  if (wasStopped) return asWaiting(previewed);
  const [fault] = turnFaults(now, previewed.report);
  if (fault !== undefined) return { stack: now.stack, outcome: "failed", problem: fault.message };
  return now.status === "unchanged" ? leftAsItIs(now) : undefined;
}

function isDue({ status }: StackReport): boolean {
  return status === "changed" || status === "incomplete";
}

async function changeStack(
  run: FleetRun,
  chosen: ChosenStack,
  operation: "up" | "destroy",
  progress: Progress,
): Promise<StackOutcome> {
  const { stack } = chosen;
  const faults = new EngineFaults();
  try {
    const outcome = await run.change(chosen, operation, progress, (event) => faults.see(event));
    return { stack, ...ended(outcome, faults, run.signal.aborted) };
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    return { stack, outcome: "failed", problem };
  }
}

/** A destroy that was stopped ends with 0, though resources remain. */
function ended(
  { exitCode, text }: EngineOutcome,
  { texts }: EngineFaults,
  wasStopped: boolean,
): Omit<StackOutcome, "stack"> {
  if (wasStopped) {
    return { outcome: "stopped", problem: "It was told to stop. Running again goes on." };
  }
  if (exitCode === 0) return { outcome: "done" };
  const problem = texts.length > 0 ? texts.join("\n") : text || "The engine ended without a word.";
  return { outcome: "failed", problem };
}

function leftAsItIs({ stack, status }: StackReport): StackOutcome {
  if (status === "unchanged") return { stack, outcome: "unchanged" };
  return { stack, outcome: "failed", problem: "Its preview failed, so nothing was done." };
}

function asWaiting({ chosen }: PreviewedStack): StackOutcome {
  return { stack: chosen.stack, outcome: "waiting" };
}

function refused(previewed: readonly PreviewedStack[], refusals: readonly Error[]): Changed {
  return { reports: reportsOf(previewed), outcomes: previewed.map(asWaiting), refusals };
}

function reportsOf(previewed: readonly PreviewedStack[]): StackReport[] {
  return previewed.map(({ report }) => report);
}

function withKind(previewed: PreviewedStack) {
  return { ...previewed, kind: previewed.chosen.kind };
}
