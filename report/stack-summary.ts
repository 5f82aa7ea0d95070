/** What happens to a stack, in one sentence. */
import { gatewaySummary } from "./gateway-words.ts";
import type { StackPreview } from "./preview-reader.ts";
import type { StackReport } from "./stack-report.ts";

export const FAILED =
  "There is no preview of this stack: nobody knows what would happen to its mail.";

export function stackSummary(report: Omit<StackReport, "summary">, preview: StackPreview): string {
  const { kind, status, domains } = report;
  if (status === "failed") {
    return domains.length === 0
      ? FAILED
      : "The preview of this stack failed: a run would stop, too, before or in the middle of its work.";
  }
  if (status === "incomplete") {
    return "Not everything could be read, so nobody knows whether this change is safe.";
  }
  if (kind === "gateway") return gatewaySummary(preview);
  const changed = domains.filter(({ change }) => change !== "unchanged").length;
  const all = domains.length === 1 ? "1 domain" : `${domains.length} domains`;
  if (report.isDestroyed) {
    return `The whole stack would be destroyed, and ${all} would leave the gateway. To merge the removal of its file does not do that: the destroy is a step of its own, with an approval of its own.`;
  }
  if (status === "unchanged") return `Nothing changes for ${all}.`;
  if (changed === 0) return `Nothing changes for the mail of ${all}, but something around it does.`;
  return `${changed} of ${all} ${changed === 1 ? "changes" : "change"}.`;
}
