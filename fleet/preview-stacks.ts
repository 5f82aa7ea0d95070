/** Previews many stacks, and makes a report of each. What fails is a report, too, and stops nothing else. */
import { MailRuleError } from "../mail/errors.ts";
import { buildReport, failedReport, type ReportContext } from "../report/build-report.ts";
import { PreviewReader } from "../report/preview-reader.ts";
import type { StackReport } from "../report/stack-report.ts";
import type { ChosenStack } from "./choose-stacks.ts";
import type { FleetRun } from "./fleet-run.ts";
import type { Progress } from "./progress.ts";

export interface PreviewedStack {
  readonly chosen: ChosenStack;
  readonly report: StackReport;
}

export interface PreviewOptions {
  /** For the reports: so many domains may leave the gateway. */
  readonly offboardAtMost: number;
  /** All of them leave, whether they have a file or not. @default those whose file was removed */
  readonly leaving?: boolean;
}

/** In the order of the stacks. A stack whose file was removed is previewed as it is offboarded. */
export async function previewStacks(
  run: FleetRun,
  stacks: readonly ChosenStack[],
  options: PreviewOptions,
): Promise<PreviewedStack[]> {
  const reports = await run.each("Preview", stacks, async (chosen, progress) => {
    const report = await previewStack(run, chosen, options, progress);
    return { outcome: report.status, result: report };
  });
  return stacks.map((chosen, index) => ({
    chosen,
    report: reports[index] ?? failedReport(contextOf(chosen, options), notBegun(chosen)),
  }));
}

export async function previewStack(
  run: FleetRun,
  chosen: ChosenStack,
  options: PreviewOptions,
  progress: Progress,
): Promise<StackReport> {
  const context = contextOf(chosen, options);
  const isLeaving = options.leaving === true || !chosen.hasFile;
  try {
    // What leaves needs its state, not what its file says.
    if (chosen.faults.length > 0 && !isLeaving) return failedReport(context, faultsOf(chosen));
    const reader = new PreviewReader();
    const operation = isLeaving ? "preview-destroy" : "preview";
    const outcome = await run.preview(chosen, operation, progress, (event) => reader.see(event));
    return buildReport(reader.end(outcome), context);
  } catch (error) {
    return failedReport(context, error);
  }
}

function contextOf(
  { stack, kind }: ChosenStack,
  { offboardAtMost }: PreviewOptions,
): ReportContext {
  return { stack, kind: kind === "gateway" ? kind : "tenant", offboardAtMost };
}

function faultsOf({ faults }: ChosenStack): Error {
  const [first, ...others] = faults;
  if (first !== undefined && others.length === 0) return first;
  return new AggregateError(faults, faults.map(({ message }) => message).join("\n"));
}

function notBegun({ stack }: ChosenStack): MailRuleError {
  return new MailRuleError({
    code: "run-stopped",
    where: stack,
    problem: "The run was stopped before this stack's turn.",
    fix: "Run again.",
  });
}
