/** The lab's GitHub with the official client: what the tests of the commands rely on. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { keepComment } from "../../github/comment.ts";
import { closeIssue, keepIssue } from "../../github/issue.ts";
import { markerOf } from "../../github/own-text.ts";
import { artifactFile, lastPreviewRun } from "../../github/preview-run.ts";
import { findMergedPullRequest, findOpenPullRequest } from "../../github/pull-requests.ts";
import { openRepository, type Repository } from "../../github/repository.ts";
import { mergedPullRequests } from "../../github/reviewed.ts";
import { testNet } from "../test-net.ts";
import { type LabGithub, type Permissions, startGithub } from "./index.ts";

let github: LabGithub;
let number = 0;

beforeAll(async () => {
  github = await startGithub({ net: testNet });
});

afterAll(() => github[Symbol.asyncDispose]());

function asJob(permissions: Permissions, login?: string): Repository {
  return openRepository({
    GITHUB_TOKEN: github.addToken(permissions, login),
    GITHUB_REPOSITORY: github.repository,
    GITHUB_API_URL: github.url,
  });
}

const commenter = () => asJob({ "pull-requests": "write" });

/** A pull request of its own for each test. */
function openPullRequest(from?: string): number {
  number += 1000;
  const commit = `commit-${number}`;
  const fork = from === undefined ? {} : { from };
  github.addPullRequest({ number, branch: `branch-${number}`, commit, ...fork });
  return number;
}

test("a comment is created once, then updated, and left alone where nothing is new", async () => {
  const pull = openPullRequest();
  const outcomes = [];
  for (const text of ["one", "two", "two"]) {
    outcomes.push(await keepComment(commenter(), pull, "report", text));
  }
  expect(outcomes).toEqual(["created", "updated", "unchanged"]);
  const body = `${markerOf("report")}\ntwo\n`;
  expect(github.commentsOf(pull)).toMatchObject([{ login: "github-actions[bot]", body }]);
});

test("what others wrote is never touched, our hidden line in it or not", async () => {
  const pull = openPullRequest();
  const theirs = [`${markerOf("report")}\nmine!`, `> ${markerOf("report")}`, "LGTM"];
  theirs.forEach((body) => github.addComment(pull, "mallory", body));
  github.addComment(pull, "github-actions[bot]", "another workflow");
  github.addComment(pull, "github-actions[bot]", `> ${markerOf("report")}\nquoted`);
  await keepComment(commenter(), pull, "report", "one");
  await keepComment(commenter(), pull, "report", "two");
  const bodies = github.commentsOf(pull).map(({ body }) => body);
  expect(bodies.slice(0, 5)).toEqual([
    ...theirs,
    "another workflow",
    `> ${markerOf("report")}\nquoted`,
  ]);
  expect(bodies.slice(5)).toEqual([`${markerOf("report")}\ntwo\n`]);
});

test("our comment is found behind two pages of others", async () => {
  const pull = openPullRequest();
  for (let index = 0; index < 201; index += 1) github.addComment(pull, "ann", `remark ${index}`);
  await keepComment(commenter(), pull, "report", "one");
  await keepComment(commenter(), pull, "report", "two");
  expect(github.commentsOf(pull)).toHaveLength(202);
  expect(github.commentsOf(pull).at(-1)?.body).toContain("two");
});

test("a comment that was created though GitHub answered with a fault is not created again", async () => {
  const pull = openPullRequest();
  github.failNext({ method: "POST", path: "/comments", status: 502, moment: "after" });
  await keepComment(commenter(), pull, "report", "one");
  expect(github.commentsOf(pull)).toHaveLength(1);
});

test.each(["GET", "POST", "PATCH"])("a passing fault of %s is tried again", async (method) => {
  const pull = openPullRequest();
  if (method === "PATCH") await keepComment(commenter(), pull, "report", "none");
  github.failNext({ method, path: "/comments", status: 502 });
  await keepComment(commenter(), pull, "report", "one");
  expect(github.commentsOf(pull).map(({ body }) => body)).toEqual([`${markerOf("report")}\none\n`]);
});

test("a token without the right writes nothing", async () => {
  const pull = openPullRequest();
  const reader = asJob({ "pull-requests": "read" });
  await expect(keepComment(reader, pull, "report", "one")).rejects.toMatchObject({ status: 403 });
  expect(github.commentsOf(pull)).toEqual([]);
});

test("a comment above the limit is refused before anything is asked", async () => {
  const pull = openPullRequest();
  await expect(keepComment(commenter(), pull, "report", "x".repeat(65_536))).rejects.toMatchObject({
    code: "comment-too-long",
  });
  expect(github.commentsOf(pull)).toEqual([]);
});

test("an issue is opened, updated, left alone, closed, and opened anew", async () => {
  const job = asJob({ issues: "write" });
  const before = github.issues().length;
  github.addIssue("mallory", "Drift", `${markerOf("drift")}\nmine`);
  const say = (body: string) => keepIssue(job, "drift", { title: "Drift", body });
  expect(await closeIssue(job, "drift", "never")).toBe("none");
  const outcomes = [await say("a"), await say("a"), await say("b")];
  outcomes.push(await closeIssue(job, "drift", "All is well."), await say("c"));
  expect(outcomes).toEqual(["opened", "unchanged", "updated", "closed", "opened"]);
  const [theirs, closed, open] = github.issues().slice(before);
  expect(theirs).toMatchObject({ login: "mallory", state: "open", comments: [] });
  expect(closed).toMatchObject({ state: "closed", body: `${markerOf("drift")}\nb\n` });
  expect(closed?.comments).toMatchObject([{ body: "All is well." }]);
  expect(open).toMatchObject({ state: "open", body: `${markerOf("drift")}\nc\n` });
});

test("a pull request is found by owner, branch and last commit, and no other", async () => {
  const pull = openPullRequest("mallory/mail");
  const head = { owner: "mallory", branch: `branch-${pull}`, commit: `commit-${pull}` };
  const job = asJob({ "pull-requests": "read" });
  expect(await findOpenPullRequest(job, head)).toBe(pull);
  expect(await findOpenPullRequest(job, { ...head, owner: "example" })).toBeUndefined();
  github.pushTo(pull, "newer");
  expect(await findOpenPullRequest(job, head)).toBeUndefined();
});

test("a merge is traced to its pull request, and that to the files of its last preview", async () => {
  const pull = openPullRequest();
  github.merge(pull, ["merged"]);
  const commit = `commit-${pull}`;
  const branch = `branch-${pull}`;
  const run = { workflow: "preview.yml", branch, commit };
  github.addRun(run).addArtifact("report", { "report.json": "old" });
  const last = github.addRun(run);
  last.addArtifact("report", { "report.json": "first attempt" });
  last.addArtifact("report", { "report.json": "[]", "rest.md": "more" });
  const others = [{ from: "mallory/mail" }, { branch: "another" }, { commit: "another" }];
  for (const other of others) {
    github.addRun({ ...run, ...other }).addArtifact("report", { "report.json": "no" });
  }
  const job = asJob({ actions: "read", "pull-requests": "read" });
  expect(await findMergedPullRequest(job, "merged", "main")).toEqual({
    number: pull,
    branch,
    commit,
    isFork: false,
    mergedAt: expect.any(String),
  });
  expect(await findMergedPullRequest(job, "pushed", "main")).toBeUndefined();
  expect(await findMergedPullRequest(job, "merged", "other")).toBeUndefined();
  const found = await lastPreviewRun(job, run);
  expect(found.id).toBe(last.id);
  expect(await artifactFile(job, found, "report", "report.json")).toBe("[]");
});

test("a pull request that GitHub knows of a moment later only is found, a commit without one is not", async () => {
  const pull = openPullRequest();
  github.merge(pull, ["late"], 1);
  const job = asJob({ "pull-requests": "read" });
  expect(await mergedPullRequests(job, ["late"], "main")).toMatchObject([{ number: pull }]);
  await expect(mergedPullRequests(job, ["late", "pushed"], "main")).rejects.toMatchObject({
    code: "not-reviewed",
    where: "commit pushed",
  });
});

test.each([
  ["no run", () => undefined],
  ["a run of a fork", (commit: string) => github.addRun({ ...preview(commit), from: "m/mail" })],
  [
    "a run that is under way",
    (commit: string) => github.addRun({ ...preview(commit), status: "in_progress" }),
  ],
])("%s is no review", async (_, prepare) => {
  const commit = `commit-${openPullRequest()}`;
  prepare(commit);
  await expect(lastPreviewRun(asJob({ actions: "read" }), preview(commit))).rejects.toMatchObject({
    code: "not-reviewed",
  });
});

test.each([
  ["no artifact", "other", { "report.json": "" }, false],
  ["no such file in it", "report", { "other.json": "" }, false],
  ["one that has expired", "report", { "report.json": "" }, true],
])("%s is no review", async (_, name, files: Record<string, string>, expired) => {
  const commit = `commit-${openPullRequest()}`;
  github.addRun(preview(commit)).addArtifact(name, files, expired);
  const job = asJob({ actions: "read" });
  const run = await lastPreviewRun(job, preview(commit));
  await expect(artifactFile(job, run, "report", "report.json")).rejects.toMatchObject({
    code: "not-reviewed",
  });
});

function preview(commit: string) {
  return { workflow: "preview.yml", branch: "branch", commit };
}

test.each([{}, { GITHUB_TOKEN: "x", GITHUB_REPOSITORY: "mail" }, { GITHUB_REPOSITORY: "a/b" }])(
  "an environment without token or repository is refused: %j",
  (environment) => {
    expect(() => openRepository(environment)).toThrow(
      expect.objectContaining({ code: "github-variable-faulty" }),
    );
  },
);
