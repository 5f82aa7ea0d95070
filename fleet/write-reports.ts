/** Writes what a run has found where the command line says. */
import { writeFile } from "node:fs/promises";
import type { StackVerdict } from "../commands/verify-stack.ts";
import { renderComment } from "../report/markdown.ts";
import { codeBlock } from "../report/markdown-text.ts";
import type { StackReport } from "../report/stack-report.ts";
import { verdictsText } from "./verdicts-text.ts";

export interface ReportFiles {
  /** All of it, for programs. */
  readonly json?: string;
  /** For a comment at GitHub. */
  readonly markdown?: string;
  /** What does not fit into a comment. */
  readonly rest?: string;
  /** Where a reader of the comment finds that. */
  readonly restUrl?: string;
  /** So many domains may leave the gateway, of all stacks together. */
  readonly offboardAtMost?: number;
}

/** @param before Markdown above the reports */
export async function writeReports(
  reports: readonly StackReport[],
  { json, markdown, rest, restUrl, offboardAtMost }: ReportFiles,
  before = "",
): Promise<void> {
  if (json !== undefined) await writeFile(json, `${JSON.stringify(reports, null, 2)}\n`);
  if (markdown === undefined && rest === undefined) return;
  const rendered = renderComment(reports, { offboardAtMost, restUrl });
  if (markdown !== undefined) await writeFile(markdown, `${before}${rendered.comment}\n`);
  if (rest !== undefined && rendered.rest !== undefined) await writeFile(rest, rendered.rest);
}

/** As Markdown it is the text in a code block: what was read in DNS can be no link and no HTML there. */
export async function writeVerdicts(
  verdicts: readonly StackVerdict[],
  { json, markdown }: ReportFiles,
): Promise<void> {
  if (json !== undefined) await writeFile(json, `${JSON.stringify(verdicts, null, 2)}\n`);
  if (markdown !== undefined)
    await writeFile(markdown, codeBlock(verdictsText(verdicts).split("\n")));
}
