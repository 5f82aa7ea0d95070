/** What was reviewed of what a push brings: the reports of the last previews of its pull requests. */
import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import { type StackReport, stackReport } from "../report/stack-report.ts";
import { findOwnComment } from "./comment.ts";
import { type CommentSource, digestOf, REPORT_COMMENT, sourceOf } from "./comment-source.ts";
import {
  afterRetargeting,
  fromFork,
  withLateComment,
  withOtherComment,
  withoutComment,
  withoutPullRequest,
  withTwin,
} from "./not-reviewed.ts";
import { artifactFile, lastPreviewRun } from "./preview-run.ts";
import {
  findMergedPullRequest,
  findTwins,
  lastRetargeted,
  type MergedPullRequest,
} from "./pull-requests.ts";
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
 * The pull requests that brought these commits into a branch, each once.
 *
 * @throws MailRuleError `not-reviewed` for a commit that came without one
 */
export async function mergedPullRequests(
  repository: Repository,
  commits: readonly string[],
  into: string,
): Promise<readonly MergedPullRequest[]> {
  const found = new Map<number, MergedPullRequest>();
  for (const commit of commits) {
    const pullRequest = await findSoon(repository, commit, into);
    if (pullRequest === undefined) throw withoutPullRequest(commit, into);
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
  into: string,
): Promise<MergedPullRequest | undefined> {
  for (let look = 1; look < LOOKS; look += 1) {
    const found = await findMergedPullRequest(repository, commit, into);
    if (found !== undefined) return found;
    await sleep(PAUSE_MS);
  }
  return findMergedPullRequest(repository, commit, into);
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
  where: WhereReviewed,
): Promise<readonly StackReport[]> {
  const byStack = new Map<string, StackReport>();
  for (const pullRequest of pullRequests) {
    const text = await reviewedText(repository, pullRequest, where);
    for (const each of namedReports.parse(JSON.parse(text))) byStack.set(each.stack, each);
  }
  return [...byStack.values()];
}

/** What the last preview has left, where it is what the pull request's comment shows. */
async function reviewedText(
  repository: Repository,
  pullRequest: MergedPullRequest,
  { workflow, artifact, file }: WhereReviewed,
): Promise<string> {
  const { number, branch, commit, isFork } = pullRequest;
  if (isFork) throw fromFork(number);
  const [twin] = await findTwins(repository, pullRequest);
  if (twin !== undefined) throw withTwin(number, twin);
  const run = await lastPreviewRun(repository, { workflow, branch, commit });
  const retargeted = await lastRetargeted(repository, number);
  // Both are in whole seconds.
  if (retargeted !== undefined && retargeted >= run.createdAt) {
    throw afterRetargeting(number, run.url);
  }
  const text = await artifactFile(repository, run, artifact, file);
  await refuseUnshown(repository, pullRequest, {
    commit,
    run: `${run.id}`,
    attempt: run.attempt,
    digest: digestOf(text),
  });
  return text;
}

/** @throws MailRuleError `not-reviewed` where the pull request's comment shows anything else, or came too late */
async function refuseUnshown(
  repository: Repository,
  { number, mergedAt }: MergedPullRequest,
  expected: CommentSource,
): Promise<void> {
  const comment = await findOwnComment(repository, number, REPORT_COMMENT);
  if (comment === undefined) throw withoutComment(number);
  const shown = sourceOf(comment.body ?? "");
  if (!isDeepStrictEqual(shown, expected)) throw withOtherComment(number, shown, expected);
  if (comment.updated_at > mergedAt) throw withLateComment(number);
}
