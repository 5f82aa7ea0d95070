/** What was reviewed of what a push brings: the reports of the last previews of its pull requests. */
import { z } from "zod";
import { MailRuleError } from "../mail/errors.ts";
import { artifactFile, lastPreviewRun } from "./preview-run.ts";
import { findMergedPullRequest, type MergedPullRequest } from "./pull-requests.ts";
import type { Repository } from "./repository.ts";

/** Of a stack's report, as much as is needed to know whose turn it is. The rest is kept as it is. */
const report = z.looseObject({
  stack: z.string(),
  kind: z.enum(["tenant", "gateway"]).optional(),
  status: z.string(),
});

export type Report = z.output<typeof report>;

export const reports = z.array(report);

export interface WhereReviewed {
  /** The file of the workflow that previews: `preview.yml`. */
  readonly workflow: string;
  /** The artifact that it leaves behind. */
  readonly artifact: string;
  /** The file in it. */
  readonly file: string;
}

/**
 * The pull requests that brought these commits, each once.
 *
 * @throws MailRuleError `not-reviewed` for a commit that came without one
 */
export async function mergedPullRequests(
  repository: Repository,
  commits: readonly string[],
): Promise<readonly MergedPullRequest[]> {
  const found = new Map<number, MergedPullRequest>();
  for (const commit of commits) {
    const pullRequest = await findMergedPullRequest(repository, commit);
    if (pullRequest === undefined) throw withoutPullRequest(commit);
    found.set(pullRequest.number, pullRequest);
  }
  return [...found.values()];
}

/**
 * The reports that were reviewed. Of a stack that two of the pull requests change, that of the later one: it is
 * what would be done only if its preview had seen the earlier one, and `up --reviewed` compares.
 *
 * @throws MailRuleError `not-reviewed`
 */
export async function reviewedReports(
  repository: Repository,
  pullRequests: readonly MergedPullRequest[],
  { workflow, artifact, file }: WhereReviewed,
): Promise<readonly Report[]> {
  const byStack = new Map<string, Report>();
  for (const { number, commit, isFork } of pullRequests) {
    if (isFork) throw fromFork(number);
    const run = await lastPreviewRun(repository, { workflow, commit });
    const text = await artifactFile(repository, run, artifact, file);
    for (const each of reports.parse(JSON.parse(text))) byStack.set(each.stack, each);
  }
  return [...byStack.values()];
}

export interface Turns {
  readonly gateways: readonly string[];
  readonly tenants: readonly string[];
}

/** Which stacks there is something to do for: gateways come first, since tenants' routes need them. */
export function turnsOf(all: readonly Report[]): Turns {
  const changed = all.filter(({ status }) => status !== "unchanged");
  const isGateway = ({ kind }: Report) => kind === "gateway";
  return {
    gateways: changed.filter(isGateway).map(({ stack }) => stack),
    tenants: changed.filter((each) => !isGateway(each)).map(({ stack }) => stack),
  };
}

const FIX = "Run the workflow up by hand: it shows what would be done, and waits for an approval.";

function withoutPullRequest(commit: string): MailRuleError {
  return new MailRuleError({
    code: "not-reviewed",
    where: `commit ${commit}`,
    problem:
      "It was pushed without a pull request, so that nobody has reviewed what would be done.",
    fix: FIX,
  });
}

function fromFork(number: number): MailRuleError {
  return new MailRuleError({
    code: "not-reviewed",
    where: `pull request ${number}`,
    problem:
      "It came from a fork, which is previewed without credentials: nobody has seen what would be done.",
    fix: FIX,
  });
}
