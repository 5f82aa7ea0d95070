/** One job of a workflow: its rights, its secrets, and its steps. */
import { mkdir, mkdtemp, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { LabGithub, LabRun, Permissions } from "../github/index.ts";
import { type Contexts, fillAll, fillText } from "./expression.ts";
import { JobMachine } from "./job-machine.ts";
import type { Job, Workflow } from "./workflow-file.ts";

export interface RunnerOptions {
  readonly github: LabGithub;
  /** A folder for the jobs' folders. */
  readonly directory: string;
  /** The repository as git takes it. Its workflows are those of the commit that the event names. */
  readonly origin: string;
  /** What the machine of a job has: a PATH, and the addresses of the world. No secrets. */
  readonly machine: Readonly<Record<string, string>>;
  /** By name: what a job of the environment is given. */
  readonly environments: Readonly<Record<string, RunnerEnvironment>>;
}

export interface RunnerEnvironment {
  readonly secrets: Readonly<Record<string, string>>;
  readonly variables: Readonly<Record<string, string>>;
  /** What happens while a job waits for the environment's reviewers. */
  readonly untilApproved?: () => Promise<void>;
}

export interface Event {
  readonly name: string;
  /** The commit that is checked out, and whose workflows run. */
  readonly sha: string;
  /** For runs of pull requests: the commit that GitHub names as the run's. @default sha */
  readonly headSha?: string;
  /** The branch that GitHub names as the run's. @default "main" */
  readonly branch?: string;
  readonly payload: Readonly<Record<string, unknown>>;
  readonly inputs?: Readonly<Record<string, unknown>>;
  /** From a fork: there are no secrets, and the token only reads. */
  readonly fork?: string;
}

export interface JobResult {
  readonly name: string;
  readonly result: "success" | "failure" | "skipped";
  readonly environment: string | undefined;
  readonly concurrency: string | undefined;
  readonly outputs: Readonly<Record<string, string>>;
  /** All that its steps printed. */
  readonly log: string;
  /** What it wrote into the run's summary. */
  readonly summary: string;
}

/** What a job has around it. */
export interface Surroundings extends RunnerOptions {
  readonly event: Event;
  readonly run: LabRun;
  readonly otherRun: (id: string) => LabRun;
  readonly contexts: Contexts;
  readonly secrets: Readonly<Record<string, string>>;
  /** The rights that the caller grants at most. Undefined: no caller. */
  readonly granted: Permissions | undefined;
}

/** Runs the job's steps on a machine of its own. */
export async function runSteps(
  name: string,
  job: Job,
  workflow: Workflow,
  around: Surroundings,
): Promise<JobResult> {
  const { directory, event, github } = around;
  const environment = job.environment && fillText(job.environment, around.contexts);
  const permissions = rightsOf(job, workflow, around);
  if (environment) await around.environments[environment]?.untilApproved?.();
  const workspace = await mkdtemp(join(directory, "job-"));
  const temp = `${workspace}-temp`;
  await mkdir(temp);
  const contexts: Contexts = {
    ...around.contexts,
    ...secretsOf(environment, github.addToken(permissions), around),
    runner: { temp },
  };
  const machine = new JobMachine({
    ...around,
    workspace,
    temp,
    contexts,
    permissions,
    machine: { ...around.machine, ...ownVariables(around) },
    sha: event.sha,
  });
  await machine.runAll({ ...workflow.env, ...job.env }, job.steps);
  return {
    name,
    result: machine.failed ? "failure" : "success",
    environment,
    concurrency: job.concurrency && fillText(job.concurrency.group, contexts),
    outputs: fillAll(job.outputs, { ...contexts, steps: machine.steps }),
    log: machine.log,
    summary: await readFile(join(temp, "summary"), "utf8"),
  };
}

/** A secret of the environment is there only where the caller has passed its name; for a fork there is none. */
function secretsOf(environment: string | undefined, token: string, around: Surroundings): Contexts {
  const { event, environments, contexts } = around;
  const settings = event.fork === undefined && environment ? environments[environment] : undefined;
  const names = Object.keys(around.secrets);
  const passed = Object.fromEntries(names.map((key) => [key, settings?.secrets[key] ?? ""]));
  return {
    github: { ...Object(contexts["github"]), token },
    secrets: { ...passed, GITHUB_TOKEN: token },
    vars: settings?.variables ?? {},
  };
}

/** What GitHub sets in every job. */
function ownVariables({ github, event, run }: Surroundings): Record<string, string> {
  return {
    CI: "true",
    GITHUB_ACTIONS: "true",
    GITHUB_API_URL: github.url,
    GITHUB_SERVER_URL: "https://github.test",
    GITHUB_REPOSITORY: github.repository,
    GITHUB_EVENT_NAME: event.name,
    GITHUB_SHA: event.sha,
    GITHUB_RUN_ID: `${run.id}`,
  };
}

/** GitHub refuses a called workflow that asks for more than its caller grants; a fork's token only reads. */
function rightsOf(job: Job, workflow: Workflow, { granted, event }: Surroundings): Permissions {
  const wanted: Permissions = job.permissions ?? workflow.permissions;
  for (const [name, right] of Object.entries(wanted)) {
    const given = granted === undefined ? "write" : granted[name];
    if (given !== "write" && given !== right) {
      throw new Error(
        `The called workflow asks for ${name}: ${right}; its caller does not grant it.`,
      );
    }
  }
  if (event.fork === undefined) return wanted;
  return Object.fromEntries(
    Object.entries(wanted).flatMap(([name]) => (name === "id-token" ? [] : [[name, "read"]])),
  );
}
