/** Whose turn it is after a merge, and which stacks cannot have one. Pure. */
import { MailRuleError } from "../mail/errors.ts";
import type { StackReport } from "../report/stack-report.ts";

export interface Turns {
  readonly gateways: readonly string[];
  readonly tenants: readonly string[];
  /** Their file is gone. Only a destroy, which is approved by itself, takes their domains off the gateway. */
  readonly removed: readonly string[];
}

/** Of a report, as much as is needed to know whose turn it is. */
export type Due = Pick<StackReport, "stack" | "kind" | "status">;

/**
 * Which stacks there is something to do for: gateways come first, since tenants' routes need them.
 *
 * A stack whose own file has changed is due even where its preview saw no change: while that preview was made another
 * run may have waited, and have done something since that this file takes back.
 *
 * @param hasFile whether the stack has a file now
 * @param touched the stacks whose own files the push changes
 */
export function turnsOf(
  all: readonly Due[],
  hasFile: (stack: string) => boolean,
  touched: ReadonlySet<string> = new Set(),
): Turns {
  const changed = all.filter(({ stack, status }) => status !== "unchanged" || touched.has(stack));
  const namesOf = (found: readonly Due[]) => found.map(({ stack }) => stack);
  const present = changed.filter(({ stack }) => hasFile(stack));
  return {
    gateways: namesOf(present.filter(({ kind }) => kind === "gateway")),
    tenants: namesOf(present.filter(({ kind }) => kind !== "gateway")),
    removed: namesOf(changed.filter(({ stack }) => !hasFile(stack))),
  };
}

/**
 * A stack that has a file which the push changes, and of which no report says anything, would be left out in silence.
 *
 * @throws MailRuleError `not-reviewed`
 */
export function refuseUnreported(
  all: readonly Due[],
  hasFile: (stack: string) => boolean,
  touched: ReadonlySet<string>,
): void {
  const reported = new Set(all.map(({ stack }) => stack));
  const [stack] = [...touched].filter((each) => hasFile(each) && !reported.has(each));
  if (stack === undefined) return;
  throw new MailRuleError({
    code: "not-reviewed",
    where: `stacks/Pulumi.${stack}.yaml`,
    problem:
      "The push changes this file, and no report says anything of its stack: nobody has seen what would be done.",
    fix: "Run the workflow up by hand: it shows what would be done, and waits for an approval.",
  });
}

/** GitHub's limit: docs.github.com/en/actions/reference/limits. */
const JOBS_OF_MATRIX = 256;

/**
 * GitHub would refuse the tenants when the gateways' jobs have run already.
 *
 * @throws MailRuleError `too-many-stacks`
 */
export function refuseTooMany({ gateways, tenants }: Turns): void {
  for (const [kind, { length }] of Object.entries({ gateways, tenants })) {
    if (length <= JOBS_OF_MATRIX) continue;
    throw new MailRuleError({
      code: "too-many-stacks",
      value: `${length}`,
      problem: `${length} ${kind} would have a job each; GitHub lets ${JOBS_OF_MATRIX} of a kind into a run. Nothing was done.`,
      fix: "Do what was reviewed in one run on a machine of your own, as docs/workflows.md of pulumi-mxhero says of many stacks; change fewer stacks in a pull request next time.",
    });
  }
}
