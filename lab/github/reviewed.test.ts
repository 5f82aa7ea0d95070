/** What a merge may do at the lab's GitHub: what the pull request's own comment shows, and nothing else. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { keepComment } from "../../github/comment.ts";
import { digestOf, REPORT_COMMENT, sourceDetails } from "../../github/comment-source.ts";
import { markerOf } from "../../github/own-text.ts";
import { openRepository, type Repository } from "../../github/repository.ts";
import { mergedPullRequests, reviewedReports } from "../../github/reviewed.ts";
import { testNet } from "../test-net.ts";
import { type LabGithub, type LabRun, type Permissions, startGithub } from "./index.ts";

let github: LabGithub;

beforeAll(async () => {
  github = await startGithub({ net: testNet });
});

afterAll(() => github[Symbol.asyncDispose]());

function asJob(permissions: Permissions): Repository {
  return openRepository({
    GITHUB_TOKEN: github.addToken(permissions),
    GITHUB_REPOSITORY: github.repository,
    GITHUB_API_URL: github.url,
  });
}

/** A pull request with its last preview, whose comment shows it, merged. What happens before that is given. */
async function mergedAfter(
  happens: (request: { readonly number: number; readonly run: LabRun }) => void | Promise<void>,
) {
  const pull = github.nextNumber();
  const branch = `branch-${pull}`;
  const commit = commitOf(pull);
  github.addPullRequest({ number: pull, branch, commit });
  const run = github.addRun({ workflow: where.workflow, branch, commit });
  run.addArtifact(where.artifact, { [where.file]: "[]" });
  await show(pull, run, commit);
  await happens({ number: pull, run });
  github.merge(pull, [`merged-${pull}`]);
  const job = asJob({ actions: "read", issues: "read", "pull-requests": "read" });
  return { number: pull, job, pulls: await mergedPullRequests(job, [`merged-${pull}`], "main") };
}

const where = { workflow: "preview.yml", artifact: "report", file: "report.json" };

function commitOf(number: number): string {
  return `${number}`.padStart(40, "0");
}

/** The comment as `npm run comment` writes it. */
async function show(number: number, { id, attempt }: LabRun, commit: string, report = "[]") {
  const source = { commit, run: `${id}`, attempt, digest: digestOf(report) };
  await keepComment(
    asJob({ "pull-requests": "write" }),
    number,
    REPORT_COMMENT,
    "text",
    sourceDetails(source),
  );
}

test("what the comment shows is what was reviewed", async () => {
  const { job, pulls } = await mergedAfter(() => undefined);
  expect(await reviewedReports(job, pulls, where)).toEqual([]);
});

test("the comment is found behind two pages of others, and nobody else's counts", async () => {
  const { job, pulls } = await mergedAfter(({ number: pull }) => {
    const [{ body } = { body: "" }] = github.commentsOf(pull);
    github.deleteComments(pull);
    for (let index = 0; index < 201; index += 1) github.addComment(pull, "ann", body);
    github.addComment(pull, "github-actions[bot]", body);
  });
  expect(await reviewedReports(job, pulls, where)).toEqual([]);
  const theirs = await mergedAfter(({ number: pull }) => {
    const [{ body } = { body: "" }] = github.commentsOf(pull);
    github.deleteComments(pull);
    github.addComment(pull, "ann", body);
  });
  await expect(reviewedReports(theirs.job, theirs.pulls, where)).rejects.toMatchObject({
    code: "not-reviewed",
    problem: expect.stringContaining("No comment"),
  });
});

const otherReports: readonly [string, Parameters<typeof mergedAfter>[0], string][] = [
  ["was deleted", ({ number: pull }) => github.deleteComments(pull), "No comment"],
  [
    "is of a former version",
    ({ number: pull }) => {
      github.deleteComments(pull);
      github.addComment(pull, "github-actions[bot]", `${markerOf(REPORT_COMMENT)}\nold`);
    },
    "does not say which run",
  ],
  [
    "shows a former commit's run",
    async ({ number: pull, run }) => {
      await show(pull, run, commitOf(0));
    },
    `for the commit ${commitOf(0)}. The last report is another one`,
  ],
  [
    "shows a former run of the same commit",
    ({ number: pull }) => {
      const commit = commitOf(pull);
      const later = github.addRun({ workflow: where.workflow, branch: `branch-${pull}`, commit });
      later.addArtifact(where.artifact, { [where.file]: "[]" });
    },
    "The last report is another one",
  ],
  [
    "shows a former attempt of the same run",
    ({ run }) => {
      run.startAgain();
      run.addArtifact(where.artifact, { [where.file]: "[]" });
    },
    "attempt 2",
  ],
  [
    "shows another report of the same attempt",
    ({ run }) => run.addArtifact(where.artifact, { [where.file]: "[ ]" }),
    "The last report is another one",
  ],
];

test.each(otherReports)(
  "where the comment %s, nothing was reviewed",
  async (_, happens, problem) => {
    const { job, pulls } = await mergedAfter(happens);
    await expect(reviewedReports(job, pulls, where)).rejects.toMatchObject({
      code: "not-reviewed",
      problem: expect.stringContaining(problem),
    });
  },
);

test("a comment that came after the merge was read by nobody before it", async () => {
  let late: (() => Promise<void>) | undefined;
  const { job, pulls } = await mergedAfter(({ number: pull, run }) => {
    github.deleteComments(pull);
    late = () => show(pull, run, commitOf(pull));
  });
  await late?.();
  await expect(reviewedReports(job, pulls, where)).rejects.toMatchObject({
    code: "not-reviewed",
    problem: expect.stringContaining("merged already"),
  });
});

test("where another pull request has the same last commit, nobody knows whose workflow left the report", async () => {
  const { number: pull, job, pulls } = await mergedAfter(() => undefined);
  const twin = github.nextNumber();
  const commit = commitOf(pull);
  github.addPullRequest({ number: twin, branch: `branch-${pull}`, commit });
  await expect(reviewedReports(job, pulls, where)).rejects.toMatchObject({
    code: "not-reviewed",
    problem: expect.stringContaining(`Pull request ${twin} has the same last commit`),
  });
});

test.each([false, true])(
  "a run for a branch that the pull request no longer went into is no review (changed by GitHub: %s)",
  async (byGithub) => {
    const { job, pulls } = await mergedAfter(({ number: pull }) => {
      github.retarget(pull, "other");
      github.retarget(pull, "main", byGithub);
    });
    await expect(reviewedReports(job, pulls, where)).rejects.toMatchObject({
      code: "not-reviewed",
      problem: expect.stringContaining("The branch that it goes into was changed"),
    });
  },
);

test("a run that came after the change of the branch is a review", async () => {
  const { job, pulls } = await mergedAfter(async ({ number: pull }) => {
    github.retarget(pull, "main");
    const commit = commitOf(pull);
    const run = github.addRun({ workflow: where.workflow, branch: `branch-${pull}`, commit });
    run.addArtifact(where.artifact, { [where.file]: "[]" });
    await show(pull, run, commit);
  });
  expect(await reviewedReports(job, pulls, where)).toEqual([]);
});

test("a pull request into another branch brought nothing into this one", async () => {
  const pull = github.nextNumber();
  github.addPullRequest({ number: pull, branch: "branch", commit: commitOf(pull) });
  github.retarget(pull, "other");
  github.merge(pull, ["merged-elsewhere"]);
  const job = asJob({ "pull-requests": "read" });
  await expect(mergedPullRequests(job, ["merged-elsewhere"], "main")).rejects.toMatchObject({
    code: "not-reviewed",
    where: "commit merged-elsewhere",
  });
});
