/** STUB of FLEET */
import { createHash } from "node:crypto";
import type { StackPreview } from "./preview-reader.ts";
import type { StackReport } from "./stack-report.ts";
export interface ReportContext {
  readonly stack: string;
  readonly kind: "tenant" | "gateway";
  readonly offboardAtMost?: number;
}
export function buildReport(p: StackPreview, c: ReportContext): StackReport {
  const events = p.events ?? [];
  const ops = events.flatMap((e) =>
    e.resourcePreEvent && e.resourcePreEvent.metadata.op !== "same"
      ? [
          e.resourcePreEvent.metadata.op +
            " " +
            e.resourcePreEvent.metadata.urn +
            JSON.stringify(e.resourcePreEvent.metadata.detailedDiff ?? {}),
        ]
      : [],
  );
  const problem = events
    .filter((e) => e.diagnosticEvent?.severity === "error")
    .map((e) => e.diagnosticEvent.message)
    .join("");
  const domains = events.flatMap((e) =>
    e.resourcePreEvent?.metadata.op === "delete" &&
    e.resourcePreEvent.metadata.type === "mxhero:index:MxTakeover"
      ? [
          {
            domain: e.resourcePreEvent.metadata.old.inputs.domain,
            displayName: "",
            change: "offboard" as const,
            summary: "",
            settings: [],
            notices: [],
            duration: [],
            steps: [],
            risks: [],
            unread: [],
          },
        ]
      : [],
  );
  const ok = p.outcome.exitCode === 0;
  return {
    stack: c.stack,
    kind: c.kind,
    summary: "",
    faults: ok ? [] : [{ problem: problem || p.outcome.text }],
    risks: [],
    technical: [],
    status: ok ? (ops.length ? "changed" : "unchanged") : "failed",
    domains,
    changeDigest: createHash("sha256").update(ops.join("\n")).digest("hex"),
  };
}
export function failedReport({ stack, kind }: ReportContext, e: unknown): StackReport {
  return {
    stack,
    kind,
    status: "failed",
    summary: "",
    domains: [],
    faults: [{ problem: e instanceof Error ? e.message : String(e) }],
    risks: [],
    technical: [],
    changeDigest: "",
  };
}
