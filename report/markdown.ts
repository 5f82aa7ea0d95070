/** The reports as one comment at GitHub. Pure. */
import type { StackReport } from "./stack-report.ts";

export interface CommentOptions {
  /** In characters. @default GitHub's own, 65,536, less a reserve for the hidden line */
  readonly limit?: number;
  /** Where a reader finds what did not fit. */
  readonly restUrl?: string;
}

export interface RenderedComment {
  readonly comment: string;
  /** All of it, where the comment has not all. */
  readonly rest: string | undefined;
}

export function renderComment(
  reports: readonly StackReport[],
  _options: CommentOptions = {},
): RenderedComment {
  return { comment: reports.map(({ stack }) => stack).join("\n"), rest: undefined };
}
