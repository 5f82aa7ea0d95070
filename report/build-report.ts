/** From a preview to the report on a stack. Pure. */
import type { StackPreview } from "./preview-reader.ts";
import type { StackReport } from "./stack-report.ts";

export interface ReportContext {
  readonly stack: string;
  readonly kind: "tenant" | "gateway";
  /** So many domains may leave a gateway without that being a risk. @default 1 */
  readonly offboardAtMost?: number;
}

export function buildReport(preview: StackPreview, context: ReportContext): StackReport {
  return failedReport(context, new Error(preview.outcome.text));
}

/** The report on a stack that could not be previewed at all. */
export function failedReport({ stack, kind }: ReportContext, error: unknown): StackReport {
  const problem = error instanceof Error ? error.message : String(error);
  return {
    stack,
    kind,
    status: "failed",
    summary: "",
    domains: [],
    faults: [{ problem }],
    risks: [],
    technical: [],
    changeDigest: "",
  };
}
