/**
 * The workflows as files: actionlint and zizmor find nothing, and what they do not look for holds, too. What the
 * workflows do is in tests/workflows.test.ts.
 */
import { globSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { describe, expect, test } from "vitest";
import { isMet } from "../lab/workflows/expression.ts";
import { readWorkflow, type Workflow } from "../lab/workflows/workflow-file.ts";
import { actionlintPath, zizmorPath } from "../tools/workflow-checkers.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const called = filesOf(".github/workflows/mail-*.yml");
const partner = filesOf("examples/partner/.github/workflows/*.yml");
const own = filesOf(".github/workflows/test.yml");

function filesOf(pattern: string): string[] {
  return globSync(pattern, { cwd: root }).toSorted();
}

test("there are workflows to look at", () => {
  const names = ["comment", "destroy", "drift", "preview", "up"].map((name) => `${name}.yml`);
  expect(called.map((file) => basename(file))).toEqual(names.map((name) => `mail-${name}`));
  expect(partner.map((file) => basename(file))).toEqual(names);
  expect(own).toHaveLength(1);
});

test("each word that is for one run is taken as a confirmation", async () => {
  const settings = await readFile(join(root, "provider/settings.ts"), "utf8");
  const words = [
    ...settings.matchAll(/^ {2}MXHERO_(\w+): commaList\.pipe\((?:domain|slot)Names\)/gm),
  ];
  expect(words).toHaveLength(6);
  const needed = words.map(([, word = ""]) => word).toSorted();
  for (const name of ["up", "destroy"]) {
    const text = await readFile(join(root, `.github/workflows/mail-${name}.yml`), "utf8");
    const [, taken = ""] = /\^MXHERO_\(([A-Z_|]+)\)=/.exec(text) ?? [];
    expect(taken.split("|").toSorted()).toEqual(needed);
  }
});

test("actionlint finds nothing", async () => {
  const files = [...own, ...called, ...partner];
  const { stdout, exitCode } = await execa(actionlintPath(), ["-no-color", ...files], {
    cwd: root,
    reject: false,
  });
  expect(stdout).toBe("");
  expect(exitCode).toBe(0);
});

test("zizmor finds nothing", async () => {
  const args = ["--offline", "--no-progress", "--format=plain", "--color=never"];
  const { stdout, exitCode } = await execa(zizmorPath(), [...args, ...own, ...called, ...partner], {
    cwd: root,
    reject: false,
  });
  expect(stdout).toContain("No findings to report.");
  expect(exitCode).toBe(0);
});

describe.each([...called, ...partner])("%s", (file) => {
  test("grants nothing to all of its jobs, and each job names what it needs", async () => {
    const { permissions, jobs } = await workflow(file);
    expect(permissions).toEqual({});
    const without = Object.entries(jobs).filter(([, job]) => job.permissions === undefined);
    expect(without.map(([name]) => name)).toEqual([]);
  });

  test("puts no expression into a command", async () => {
    const commands = await stepsOf(file, ({ run }) => run);
    expect(commands.filter((command) => command.includes("${{"))).toEqual([]);
  });

  test("gives secrets only to jobs of an environment", async () => {
    const { jobs } = await workflow(file);
    const withSecrets = Object.values(jobs).filter(({ steps }) =>
      JSON.stringify(steps).includes("secrets."),
    );
    const environments = withSecrets.map(({ environment }) => environment);
    expect(environments).not.toContain(undefined);
  });
});

test("every action is pinned by its commit, with the version beside it", async () => {
  const lines = await Promise.all([...own, ...called].map(usesOf));
  const uses = lines.flat();
  expect(uses.length).toBeGreaterThan(20);
  const pinned = /^[a-z-]+\/[a-z-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/;
  expect(uses.filter((each) => !pinned.test(each))).toEqual([]);
  // One action, one commit.
  const names = new Set(uses.map((each) => each.split("@")[0]));
  expect(new Set(uses).size).toBe(names.size);
});

test("the partner's workflows call those of the project by a commit, for which zeros stand", async () => {
  const lines = await Promise.all(partner.map(usesOf));
  expect(lines.flat()).toEqual(
    partner.map(
      (file) => `OWNER/pulumi-mxhero/.github/workflows/mail-${basename(file)}@${"0".repeat(40)}`,
    ),
  );
});

test("what needs secrets never runs for a fork", async () => {
  const { jobs } = await workflow(".github/workflows/mail-preview.yml");
  const { preview, fork } = jobs;
  const isOwn = "github.event.pull_request.head.repo.full_name == github.repository";
  expect(preview?.if).toBe(isOwn);
  expect(fork?.if).toBe(isOwn.replace("==", "!="));
  expect(fork?.environment).toBeUndefined();
  expect(fork?.permissions).toEqual({ contents: "read" });
  expect(JSON.stringify(fork)).not.toContain("secrets.");
});

/** A job that was cancelled, as by its time limit, is no failure by GitHub's `failure()`. */
test.each([
  ["success", "skipped", "success", true],
  ["success", "skipped", "skipped", true],
  ["skipped", "success", "success", true],
  ["success", "skipped", "cancelled", false],
  ["success", "skipped", "failure", false],
  ["cancelled", "skipped", "skipped", false],
  ["skipped", "cancelled", "skipped", false],
])(
  "after reviewed %s, preview %s and gateways %s the tenants run: %s",
  async (reviewed, preview, gateways, runs) => {
    const { jobs } = await workflow(".github/workflows/mail-up.yml");
    const outputs = { gateways: '["gateway"]', tenants: '["contoso"]' };
    const needs = {
      reviewed: { result: reviewed, outputs: reviewed === "success" ? outputs : {} },
      preview: { result: preview, outputs: preview === "success" ? outputs : {} },
      gateways: { result: gateways, outputs: {} },
    };
    const failed = [reviewed, preview, gateways].includes("failure");
    expect(isMet(jobs["tenants"]?.if, { needs }, { succeeded: false, failed })).toBe(runs);
    const isReviewed = [reviewed, preview].includes("success");
    expect(isMet(jobs["gateways"]?.if, { needs }, { succeeded: false, failed: false })).toBe(
      isReviewed,
    );
  },
);

test("every push to main starts up: which files a stack depends on only reviewed decides", async () => {
  const { on } = await workflow("examples/partner/.github/workflows/up.yml");
  expect(on["push"]).toEqual({ branches: ["main"] });
});

test("the night's issue is kept whatever became of the look", async () => {
  const { jobs } = await workflow(".github/workflows/mail-drift.yml");
  const needs = { look: { result: "failure", outputs: {} } };
  expect(isMet(jobs["tell"]?.if, { needs }, { succeeded: false, failed: true })).toBe(true);
});

test("stacks are changed a few at once, and what they are made of is compared first", async () => {
  const { jobs } = await workflow(".github/workflows/mail-up.yml");
  const { gateways, tenants } = jobs;
  expect([gateways, tenants].map((job) => job?.strategy?.["max-parallel"])).toEqual([4, 4]);
  for (const steps of [gateways?.steps, tenants?.steps]) {
    const runs = (steps ?? []).map(({ run = "" }) => run);
    const compares = runs.findIndex((run) => run.includes("up-to-date"));
    expect(compares).toBeGreaterThan(0);
    expect(compares).toBeLessThan(runs.findIndex((run) => run.includes("fleet -- up")));
  }
});

function workflow(file: string): Promise<Workflow> {
  return readWorkflow(join(root, file));
}

async function stepsOf<T>(
  file: string,
  of: (step: Workflow["jobs"][string]["steps"][number]) => T | undefined,
): Promise<T[]> {
  const { jobs } = await workflow(file);
  const steps = Object.values(jobs).flatMap((job) => job.steps);
  return steps.flatMap((step) => of(step) ?? []);
}

/** As the file has it, comment included. */
async function usesOf(file: string): Promise<string[]> {
  const { stdout } = await execa("grep", ["-oP", "uses: \\K.*", file], {
    cwd: root,
    reject: false,
  });
  return stdout.split("\n").filter(Boolean);
}
