/** What was reviewed of what a push brings: the reports of the last previews of its pull requests. */
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { MailRuleError } from "../mail/errors.ts";
import { type StackReport, stackReport } from "../report/stack-report.ts";
import { artifactFile, lastPreviewRun } from "./preview-run.ts";
import { findMergedPullRequest, findTwins, type MergedPullRequest } from "./pull-requests.ts";
import type { Repository } from "./repository.ts";

/**
 * The reports that a branch's run has left. A name becomes a part of paths, and of other jobs' names: only one that
 * Pulumi takes for a stack is taken.
 */
export const namedReports = z.array(stackReport.extend({ stack: z.string().regex(/^[\w.-]+$/) }));

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
    const pullRequest = await findSoon(repository, commit);
    if (pullRequest === undefined) throw withoutPullRequest(commit);
    found.set(pullRequest.number, pullRequest);
  }
  return [...found.values()];
}

/** GitHub may know a moment after the push only which pull request it came from. */
const LOOKS = 3;
const PAUSE_MS = 3_000;

async function findSoon(
  repository: Repository,
  commit: string,
): Promise<MergedPullRequest | undefined> {
  for (let look = 1; look < LOOKS; look += 1) {
    const found = await findMergedPullRequest(repository, commit);
    if (found !== undefined) return found;
    await sleep(PAUSE_MS);
  }
  return findMergedPullRequest(repository, commit);
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
): Promise<readonly StackReport[]> {
  const byStack = new Map<string, StackReport>();
  for (const pullRequest of pullRequests) {
    const { number, branch, commit, isFork } = pullRequest;
    if (isFork) throw fromFork(number);
    const [twin] = await findTwins(repository, pullRequest);
    if (twin !== undefined) throw withTwin(number, twin);
    const run = await lastPreviewRun(repository, { workflow, branch, commit });
    const text = await artifactFile(repository, run, artifact, file);
    for (const each of namedReports.parse(JSON.parse(text))) byStack.set(each.stack, each);
  }
  return [...byStack.values()];
}

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

function withTwin(number: number, twin: number): MailRuleError {
  return new MailRuleError({
    code: "not-reviewed",
    where: `pull request ${number}`,
    problem: `Pull request ${twin} has the same last commit: what it says may have come from that one's workflow.`,
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
