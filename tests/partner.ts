/** For the tests of the workflows: a partner's repository at the lab's GitHub, and the events that GitHub would send. */
import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "yaml";
import { type LabGithub, startGithub } from "../lab/github/index.ts";
import type { RunnerEnvironment } from "../lab/workflows/job.ts";
import { type Files, PartnerRepository } from "../lab/workflows/repository.ts";
import { type WorkflowRun, WorkflowRunner } from "../lab/workflows/runner.ts";
import { gateway } from "./tenant.ts";

export interface PartnerOptions {
  readonly net: string;
  /** An existing folder. */
  readonly directory: string;
  /** What a job's machine has. No secrets. */
  readonly machine: Readonly<Record<string, string>>;
  readonly environments: Readonly<Record<string, RunnerEnvironment>>;
  /** What `main` begins with. */
  readonly files: Files;
}

export interface PullRequest {
  readonly number: number;
  readonly branch: string;
}

/** What one run of a pull request did: the preview, and the comment after it. */
export interface Review {
  readonly preview: WorkflowRun;
  readonly comment: WorkflowRun;
}

export class Partner implements AsyncDisposable {
  readonly github: LabGithub;
  readonly repository: PartnerRepository;
  readonly #runner: WorkflowRunner;

  private constructor(github: LabGithub, repository: PartnerRepository, runner: WorkflowRunner) {
    this.github = github;
    this.repository = repository;
    this.#runner = runner;
  }

  static async start(options: PartnerOptions): Promise<Partner> {
    const { net, machine, environments, files } = options;
    const directory = await mkdtemp(join(options.directory, "partner-"));
    const github = await startGithub({ net });
    const repository = await PartnerRepository.create(directory, files);
    const { origin } = repository;
    const runner = new WorkflowRunner({ github, directory, origin, machine, environments });
    return new Partner(github, repository, runner);
  }

  /** Opens a pull request with these files. @param fork the owner of the fork that it comes from */
  async open(files: Files, fork?: string): Promise<PullRequest> {
    const number = this.github.nextNumber();
    const branch = `change-${number}`;
    const commit = await this.repository.commit(branch, files);
    const from = fork === undefined ? {} : { from: `${fork}/mail` };
    this.github.addPullRequest({ number, branch, commit, ...from });
    return { number, branch };
  }

  /** Pushes a further commit to its branch. */
  async push({ number, branch }: PullRequest, files: Files): Promise<void> {
    this.github.pushTo(number, await this.repository.commit(branch, files));
  }

  /** What GitHub runs for its present commit: preview.yml, and when that has ended comment.yml. */
  async review(request: PullRequest, fork?: string): Promise<Review> {
    const preview = await this.preview(request, fork);
    return { preview, comment: await this.comment(preview, request, fork) };
  }

  /** preview.yml alone. */
  async preview({ number, branch }: PullRequest, fork?: string): Promise<WorkflowRun> {
    const repo = repositoryOf(fork);
    const headSha = await this.repository.head(branch);
    const sha = await this.repository.trialMerge(branch);
    return this.#runner.run("preview.yml", {
      name: "pull_request",
      sha,
      headSha,
      branch,
      payload: { pull_request: { number, head: { repo, ref: branch, sha: headSha } } },
      ...(fork === undefined ? {} : { fork: repo.full_name }),
    });
  }

  /** comment.yml, when a preview has ended. */
  async comment(preview: WorkflowRun, { branch }: PullRequest, fork?: string) {
    const ended = {
      id: preview.run.id,
      run_attempt: preview.run.attempt,
      event: "pull_request",
      conclusion: preview.result,
      head_sha: preview.event.headSha,
      head_branch: branch,
      head_repository: repositoryOf(fork),
      html_url: `https://github.test/example/mail/actions/runs/${preview.run.id}`,
    };
    return this.#runner.run("comment.yml", {
      name: "workflow_run",
      sha: await this.repository.head("main"),
      payload: { workflow_run: ended },
    });
  }

  /** Merges it, and runs up.yml for the push. */
  async merge({ number, branch }: PullRequest): Promise<WorkflowRun> {
    const { before, after } = await this.repository.merge(branch);
    this.github.merge(number, [after]);
    return this.#push(before, after);
  }

  /** Commits to `main` without a pull request, and runs up.yml for the push. */
  async pushToMain(files: Files): Promise<WorkflowRun> {
    const before = await this.repository.head("main");
    return this.#push(before, await this.repository.commit("main", files));
  }

  /** Runs all jobs of a run again, with the commit that it had. */
  rerun(run: WorkflowRun): Promise<WorkflowRun> {
    return this.#runner.rerun(run);
  }

  #push(before: string, after: string): Promise<WorkflowRun> {
    return this.#runner.run("up.yml", { name: "push", sha: after, payload: { before } });
  }

  /** Starts a workflow by hand, or at night. */
  async dispatch(
    file: string,
    inputs: Readonly<Record<string, unknown>> = {},
    name: "workflow_dispatch" | "schedule" = "workflow_dispatch",
  ): Promise<WorkflowRun> {
    const sha = await this.repository.head("main");
    // In the event's own copy every value is a text.
    const texts = Object.entries(inputs).map(([key, value]) => [key, String(value)]);
    const payload = { inputs: Object.fromEntries(texts) };
    return this.#runner.run(file, { name, sha, payload, inputs });
  }

  /** The repository's package.json with another script in the place of one. */
  async withScript(name: string, script: string): Promise<Files> {
    const packageJson = JSON.parse(await this.repository.read("package.json"));
    const scripts = { ...packageJson.scripts, [name]: script };
    return { "package.json": JSON.stringify({ ...packageJson, scripts }) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.github[Symbol.asyncDispose]();
  }
}

function repositoryOf(owner = "example") {
  return { full_name: `${owner}/mail`, owner: { login: owner } };
}

/**
 * What is secret in a project's variables goes to the environments, the rest to the machine. Previews get the token
 * that only reads.
 */
export function dividedEnv(env: Readonly<Record<string, string>>, reads: string) {
  const {
    CLOUDFLARE_API_TOKEN: writes = "",
    CLOUDFLARE_API_TOKEN_FABRIKAM: _,
    PULUMI_CONFIG_PASSPHRASE: passphrase = "",
    PULUMI_BACKEND_URL: backend = "",
    ...machine
  } = env;
  const environment = (token: string) => ({
    secrets: { CLOUDFLARE_API_TOKEN: token, PULUMI_CONFIG_PASSPHRASE: passphrase },
    variables: { PULUMI_BACKEND_URL: backend },
  });
  const environments = {
    "mail-preview": environment(reads),
    "mail-production": environment(writes),
    "mail-offboarding": environment(writes),
  };
  return { machine, environments };
}

/** A stack's file: one domain, whose records are changed at once. */
export function tenantFile(
  domain: string,
  changes: Readonly<Record<string, unknown>> = {},
): string {
  return stringify({
    config: {
      "mail:organisation": "partner",
      "mail:gateway": gateway,
      "mail:domains": [
        {
          name: domain,
          mailSystem: "other",
          server: `mail.${domain}`,
          inbound: "border",
          outbound: "standard",
          overlapSeconds: 0,
          handBackConfirmed: true,
          quietSeconds: 0,
          ...changes,
        },
      ],
    },
  });
}
