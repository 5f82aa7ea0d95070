/** What must hold of all previews before anything is done. Pure. */
import { MailRuleError } from "../mail/errors.ts";
import type { StackReport } from "../report/stack-report.ts";

export interface Bounds {
  /** So many domains may leave the gateway in one run. */
  readonly offboardAtMost: number;
  /** What was reviewed, by stack. Absent: nothing need be. */
  readonly reviewed?: ReadonlyMap<string, Plan> | undefined;
}

/** Every reason why nothing may be done; empty where there is none. */
export function boundFaults(reports: readonly StackReport[], bounds: Bounds): MailRuleError[] {
  return [...offboardingFaults(reports, bounds), ...reviewFaults(reports, bounds)];
}

/**
 * Whether a stack's turn, which may come hours after the previews, finds what they showed: what is done then is what
 * the engine plans then.
 */
export function turnFaults(report: StackReport, previewed: StackReport): MailRuleError[] {
  if (report.status === "unchanged" || isSame(previewed, report)) return [];
  return [
    new MailRuleError({
      code: "changed-since-preview",
      where: report.stack,
      problem:
        "Right before its turn its preview was another one than at the start of this run: the world, the state or " +
        "its file has changed since. It was left as it is.",
      fix: "Read the new preview, then run again.",
    }),
  ];
}

function offboardingFaults(
  reports: readonly StackReport[],
  { offboardAtMost }: Bounds,
): MailRuleError[] {
  const leaving = reports.flatMap(({ stack, domains }) =>
    domains.flatMap(({ domain, change }) =>
      change === "offboard" ? [`${domain} (${stack})`] : [],
    ),
  );
  if (leaving.length <= offboardAtMost) return [];
  return [
    new MailRuleError({
      code: "too-many-offboarded",
      where: "--offboard-at-most",
      value: String(offboardAtMost),
      problem: `${leaving.length === 1 ? "1 domain" : `${leaving.length} domains`} would leave the gateway: ${listed(leaving)}.`,
      fix: `If that is meant, run with --offboard-at-most ${leaving.length}. Otherwise put what is missing back into the stack files.`,
    }),
  ];
}

/** So many names are told. */
const SHOWN = 20;

function listed(names: readonly string[]): string {
  if (names.length <= SHOWN) return names.join(", ");
  return `${names.slice(0, SHOWN).join(", ")} and ${names.length - SHOWN} more`;
}

/** A stack for which there is nothing to do needs no review. */
function reviewFaults(reports: readonly StackReport[], { reviewed }: Bounds): MailRuleError[] {
  if (reviewed === undefined) return [];
  return reports.flatMap((report) => {
    const former = reviewed.get(report.stack);
    if (report.status === "unchanged") return [];
    if (former === undefined) return [reviewFault(report, "Nobody has reviewed it.")];
    if (isSame(former, report)) return [];
    return [reviewFault(report, differenceOf(former, report))];
  });
}

type Plan = Pick<StackReport, "status" | "changeDigest">;

function isSame(a: Plan, b: Plan): boolean {
  return a.changeDigest === b.changeDigest && a.status === b.status;
}

function differenceOf(former: Plan, { status }: Plan): string {
  if (former.status !== status) {
    return `When it was reviewed the preview was: ${former.status}. Now it is: ${status}.`;
  }
  return "What would be done is no longer what was reviewed: the world or the program has changed since.";
}

function reviewFault({ stack }: StackReport, problem: string): MailRuleError {
  return new MailRuleError({
    code: "not-as-reviewed",
    where: stack,
    problem,
    fix: "Read the new preview, and have it reviewed.",
  });
}
