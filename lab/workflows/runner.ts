/**
 * Runs the workflows of a repository in the lab as GitHub would: jobs in the order of their needs, each with a token
 * of no more rights than it names, secrets only where its environment has them, steps by `bash -e` with the files for
 * outputs and variables. What is tested so is what runs at GitHub.
 *
 * Jobs run one after the other. Concurrency, approvals, time limits and schedules are GitHub's own.
 */
import { mkdtemp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import type { LabGithub, LabRun } from "../github/index.ts";
import type { Event, JobResult, RunnerOptions } from "./job.ts";
import { runJobs } from "./jobs.ts";
import { readWorkflow } from "./workflow-file.ts";

export interface WorkflowRun {
  readonly run: LabRun;
  /** The workflow's file, and what started it. */
  readonly file: string;
  readonly event: Event;
  readonly jobs: readonly JobResult[];
  readonly result: "success" | "failure";
  /** All that was printed. */
  readonly log: string;
}

export class WorkflowRunner {
  readonly #options: RunnerOptions;
  readonly #runs = new Map<string, LabRun>();

  constructor(options: RunnerOptions) {
    this.#options = options;
  }

  /** Runs a workflow of the repository to its end. @param file its name: `preview.yml` */
  async run(file: string, event: Event): Promise<WorkflowRun> {
    const commit = event.headSha ?? event.sha;
    const fork = event.fork === undefined ? {} : { from: event.fork };
    const run = this.#options.github.addRun({
      workflow: file,
      branch: event.branch ?? "main",
      commit,
      ...fork,
    });
    this.#runs.set(`${run.id}`, run);
    return this.#attempt(file, event, run);
  }

  /** As "Re-run all jobs": the same run, with the event and the commit that it had. */
  rerun({ file, event, run }: WorkflowRun): Promise<WorkflowRun> {
    run.startAgain();
    return this.#attempt(file, event, run);
  }

  async #attempt(file: string, event: Event, run: LabRun): Promise<WorkflowRun> {
    const { github, directory, origin } = this.#options;
    const source = await mkdtemp(join(directory, "workflow-"));
    const text = await execa("git", [
      `--git-dir=${origin}`,
      "show",
      `${event.sha}:.github/workflows/${file}`,
    ]);
    await writeFile(join(source, file), text.stdout);
    const workflow = await readWorkflow(join(source, file));
    if (!(event.name in workflow.on)) throw new Error(`${file} does not run on ${event.name}.`);
    const jobs = await runJobs(workflow, {
      ...this.#options,
      event,
      run,
      otherRun: (id) => this.#runOf(id),
      contexts: {
        github: { ...githubContext(github, event, run, file), run_attempt: `${run.attempt}` },
        inputs: event.inputs ?? {},
      },
      secrets: {},
      granted: undefined,
    });
    const failed = jobs.some(({ result }) => result === "failure");
    const log = jobs.map((job) => `== ${job.name}: ${job.result}\n${job.log}`).join("\n");
    return { run, file, event, jobs, result: failed ? "failure" : "success", log };
  }

  #runOf(id: string): LabRun {
    const run = this.#runs.get(id);
    if (run === undefined) throw new Error(`There is no run ${id}.`);
    return run;
  }
}

function githubContext(github: LabGithub, event: Event, run: LabRun, file: string) {
  const [owner = ""] = github.repository.split("/");
  return {
    event: { repository: { default_branch: "main" }, ...event.payload },
    event_name: event.name,
    sha: event.sha,
    ref_name: event.branch ?? "main",
    repository: github.repository,
    repository_owner: owner,
    run_id: `${run.id}`,
    server_url: "https://github.test",
    api_url: github.url,
    workflow: file,
  };
}
