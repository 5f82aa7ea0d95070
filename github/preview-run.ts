/** The last run of the preview for a commit, and the files that it left behind. */
import { strFromU8, unzipSync } from "fflate";
import { MailRuleError } from "../mail/errors.ts";
import type { Repository } from "./repository.ts";

/** More is no report: about a thousand stacks fit into a tenth of it. */
const LARGEST_FILE = 64 * 1024 * 1024;

export interface PreviewRun {
  readonly id: number | bigint;
  readonly url: string;
  /** How often it was started, counted from 1. */
  readonly attempt: number;
  /** When it was started first, as GitHub writes it. */
  readonly createdAt: string;
}

export interface PreviewOf {
  /** The name of the workflow's file: `preview.yml`. */
  readonly workflow: string;
  /** The pull request's branch. */
  readonly branch: string;
  /** Its last commit. */
  readonly commit: string;
}

/**
 * The last run of the workflow for a pull request's commit. Runs of forks do not count: they had no credentials, and
 * what they left behind was written by code that nobody has reviewed.
 *
 * REST: docs.github.com/en/rest/actions/workflow-runs#list-workflow-runs-for-a-workflow.
 *
 * @throws MailRuleError `not-reviewed`
 */
export async function lastPreviewRun(
  { client, owner, repo }: Repository,
  { workflow, branch, commit }: PreviewOf,
): Promise<PreviewRun> {
  const route = "GET /repos/{owner}/{repo}/actions/workflows/{workflow_id}/runs";
  const wanted = { workflow_id: workflow, event: "pull_request", branch, head_sha: commit };
  const runs = await client.paginate(route, { owner, repo, ...wanted, per_page: 100 });
  const own = runs.filter(
    ({ head_repository }) => head_repository.full_name === `${owner}/${repo}`,
  );
  const [last] = own.toSorted((one, other) => other.run_number - one.run_number);
  if (last === undefined) {
    throw notReviewed(commit, `${workflow} has never run for it with credentials.`);
  }
  if (last.status !== "completed") throw notReviewed(commit, `${last.html_url} has not ended.`);
  const { id, html_url: url, run_attempt: attempt = 1, created_at: createdAt } = last;
  return { id, url, attempt, createdAt };
}

/**
 * The text of one file in an artifact of a run.
 *
 * REST: docs.github.com/en/rest/actions/artifacts.
 *
 * @throws MailRuleError `not-reviewed`
 */
export async function artifactFile(
  { client, owner, repo }: Repository,
  run: PreviewRun,
  name: string,
  file: string,
): Promise<string> {
  const list = "GET /repos/{owner}/{repo}/actions/runs/{run_id}/artifacts";
  const found = await client.paginate(list, {
    owner,
    repo,
    run_id: Number(run.id),
    name,
    per_page: 100,
  });
  // Of a run that was run again each attempt has left one.
  const [last] = found.toSorted((one, other) => other.id - one.id);
  if (last === undefined) throw unreadable(run, `It has left no artifact ${name}.`);
  if (last.expired) throw unreadable(run, `Its artifact ${name} has expired.`);
  const route = "GET /repos/{owner}/{repo}/actions/artifacts/{artifact_id}/{archive_format}";
  const wanted = { owner, repo, artifact_id: last.id, archive_format: "zip" };
  const { data } = await client.request(route, wanted);
  if (!(data instanceof ArrayBuffer)) throw unreadable(run, `Its artifact ${name} is no archive.`);
  const files = unzipSync(new Uint8Array(data), {
    filter: ({ name: path, originalSize }) => path === file && originalSize <= LARGEST_FILE,
  });
  const content = files[file];
  if (content === undefined) throw unreadable(run, `Its artifact ${name} holds no ${file}.`);
  return strFromU8(content);
}

function notReviewed(commit: string, problem: string): MailRuleError {
  return new MailRuleError({
    code: "not-reviewed",
    where: `commit ${commit}`,
    problem: `Nobody can have reviewed what would be done: ${problem}`,
    fix: "Run the workflow up by hand: it shows what would be done, and waits for an approval.",
  });
}

function unreadable(run: PreviewRun, problem: string): MailRuleError {
  return new MailRuleError({
    code: "not-reviewed",
    where: run.url,
    problem: `What was reviewed cannot be read: ${problem}`,
    fix: "Run the workflow up by hand: it shows what would be done, and waits for an approval.",
  });
}
