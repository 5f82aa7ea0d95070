/** The pull request that a run or a merge belongs to, found by what GitHub itself says of it. */
import { z } from "zod";
import type { Repository } from "./repository.ts";

export interface Head {
  /** Who owns the repository that the branch is in: of a fork, its owner. */
  readonly owner: string;
  readonly branch: string;
  readonly commit: string;
}

/**
 * The number of the open pull request whose last commit is this one. None where the branch has moved on since: then
 * another run tells of it.
 *
 * By branch and owner, since a run of a fork has no list of its pull requests. REST: pulls,
 * docs.github.com/en/rest/pulls/pulls#list-pull-requests.
 */
export async function findOpenPullRequest(
  { client, owner, repo }: Repository,
  head: Head,
): Promise<number | undefined> {
  const route = "GET /repos/{owner}/{repo}/pulls";
  const wanted = { owner, repo, state: "open", head: `${head.owner}:${head.branch}` } as const;
  const pullRequests = await client.paginate(route, { ...wanted, per_page: 100 });
  return pullRequests.find(
    ({ head: { sha, ref, repo: from } }) =>
      sha === head.commit && ref === head.branch && from?.owner.login === head.owner,
  )?.number;
}

export interface MergedPullRequest {
  readonly number: number;
  readonly branch: string;
  /** The last commit of its branch: what was reviewed. */
  readonly commit: string;
  /** Whether its branch is in another repository. */
  readonly isFork: boolean;
  /** When, as GitHub writes it: `2026-11-26T12:00:00Z`. */
  readonly mergedAt: string;
}

/**
 * The pull request that brought a commit into a branch; none where it was pushed without one.
 *
 * REST: docs.github.com/en/rest/commits/commits#list-pull-requests-associated-with-a-commit.
 */
export async function findMergedPullRequest(
  { client, owner, repo }: Repository,
  commit: string,
  into: string,
): Promise<MergedPullRequest | undefined> {
  const route = "GET /repos/{owner}/{repo}/commits/{commit_sha}/pulls";
  const found = await client.paginate(route, { owner, repo, commit_sha: commit, per_page: 100 });
  const ownName = `${owner}/${repo}`;
  for (const { number, merged_at: mergedAt, base, head } of found) {
    if (mergedAt === null || base.repo.full_name !== ownName || base.ref !== into) continue;
    const { sha, ref, repo: from } = head;
    return { number, branch: ref, commit: sha, isFork: from?.full_name !== ownName, mergedAt };
  }
  return undefined;
}

/**
 * The numbers of the other pull requests, open or closed, of the same branch with the same last commit: into another
 * branch. GitHub runs each with the workflows of its own merge, and tells a run's pull request by this commit alone.
 *
 * REST: pulls, docs.github.com/en/rest/pulls/pulls#list-pull-requests.
 */
export async function findTwins(
  { client, owner, repo }: Repository,
  { number, branch, commit }: MergedPullRequest,
): Promise<readonly number[]> {
  const route = "GET /repos/{owner}/{repo}/pulls";
  const wanted = { owner, repo, state: "all", head: `${owner}:${branch}` } as const;
  const found = await client.paginate(route, { ...wanted, per_page: 100 });
  const twins = found.filter(({ head, number: own }) => head.sha === commit && own !== number);
  return twins.map(({ number: twin }) => twin);
}

/** A person has made the pull request one into another branch, or GitHub has, as its branch was deleted. */
const RETARGETED = new Set(["base_ref_changed", "automatic_base_change_succeeded"]);

const events = z.array(z.object({ event: z.string(), created_at: z.string() }));

/**
 * When the branch that a pull request goes into was changed last. Undefined where it never was.
 *
 * REST: docs.github.com/en/rest/issues/events; docs.github.com/en/rest/using-the-rest-api/issue-event-types.
 */
export async function lastRetargeted(
  { client, owner, repo }: Repository,
  number: number,
): Promise<string | undefined> {
  const route = "GET /repos/{owner}/{repo}/issues/{issue_number}/events";
  const found = await client.paginate(route, { owner, repo, issue_number: number, per_page: 100 });
  const changes = events.parse(found).filter(({ event }) => RETARGETED.has(event));
  return changes
    .map(({ created_at: at }) => at)
    .toSorted()
    .at(-1);
}
