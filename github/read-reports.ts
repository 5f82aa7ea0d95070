/** The reports as the pull request's own version of the project has written them, which may be another one. Pure. */
import { MailRuleError } from "../mail/errors.ts";
import { code } from "../report/markdown-text.ts";
import { type StackReport, stackReports } from "../report/stack-report.ts";

/**
 * @param text JSON
 * @throws MailRuleError `report-of-other-version`
 */
export function readReports(text: string): readonly StackReport[] {
  const { success, data } = stackReports.safeParse(asJson(text));
  if (success) return data;
  throw new MailRuleError({
    code: "report-of-other-version",
    problem:
      "The report has another form than this version of pulumi-mxhero reads: the pull request's version has made it.",
    fix: "Read the summary of the preview's run before you merge.",
  });
}

function asJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * The comment in place of a report that cannot be shown.
 *
 * @param run the address of the run that has left it
 */
export function unreadableText({ code: why }: MailRuleError, run: string | undefined): string {
  const summary = run === undefined ? "the summary of its run" : `[the summary of its run](${run})`;
  return [
    "## What happens to the mail",
    [
      "> [!WARNING]",
      `> **Nothing of it stands here** (${code(why)}): the preview was made by another version of pulumi-mxhero than that of the default branch, which writes this comment and cannot read it.`,
      `> Read ${summary} before you merge: it says what would happen to each domain. A merge does that and nothing else.`,
    ].join("\n"),
  ].join("\n\n");
}
