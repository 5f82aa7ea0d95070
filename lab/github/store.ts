/** What the lab's GitHub keeps: pull requests, issues, comments, runs with artifacts, tokens. */
import type { Fault, KeptComment, LabRun, Permissions, PullRequestSpec, RunSpec } from "./types.ts";

export interface Token {
  readonly login: string;
  readonly permissions: Permissions;
}

export interface StoredComment extends KeptComment {
  body: string;
  updatedAt: string;
}

export interface StoredEvent {
  readonly event: string;
  readonly createdAt: string;
}

/** An issue or a pull request: they share their numbers. */
export interface StoredIssue {
  readonly number: number;
  readonly login: string;
  title: string;
  body: string;
  state: "open" | "closed";
  readonly comments: StoredComment[];
  readonly pullRequest?: StoredPullRequest;
}

export interface StoredPullRequest {
  readonly from: string;
  readonly branch: string;
  commit: string;
  base: string;
  readonly events: StoredEvent[];
  mergedCommits: readonly string[] | undefined;
  mergedAt: string | undefined;
  /** So many look-ups by a commit do not find it yet. */
  unknownFor: number;
}

export interface StoredArtifact {
  readonly id: number;
  readonly run: number;
  readonly name: string;
  readonly files: Readonly<Record<string, string>>;
  readonly expired: boolean;
}

export interface StoredRun extends Required<RunSpec> {
  readonly id: number;
  readonly createdAt: string;
  attempt: number;
}

export class Store {
  readonly tokens = new Map<string, Token>();
  readonly issues: StoredIssue[] = [];
  readonly runs: StoredRun[] = [];
  readonly artifacts: StoredArtifact[] = [];
  readonly faults: Fault[] = [];
  readonly repository: string;
  #lastId = 1000;
  #clock = Date.parse("2026-11-26T12:00:00Z");

  constructor(repository: string) {
    this.repository = repository;
  }

  nextId(): number {
    this.#lastId += 1;
    return this.#lastId;
  }

  /** A second later than the time before, as GitHub writes it. */
  nextTime(): string {
    this.#clock += 1000;
    return new Date(this.#clock).toISOString().replace(".000", "");
  }

  nextNumber(): number {
    return Math.max(0, ...this.issues.map((issue) => issue.number)) + 1;
  }

  addToken(permissions: Permissions, login = "github-actions[bot]"): string {
    const token = `token-${this.nextId()}`;
    this.tokens.set(token, { login, permissions });
    return token;
  }

  addIssue(login: string, title: string, body: string): StoredIssue {
    const number = this.nextNumber();
    const issue: StoredIssue = { number, login, title, body, state: "open", comments: [] };
    this.issues.push(issue);
    return issue;
  }

  addPullRequest(spec: PullRequestSpec): void {
    const { number, from = this.repository, branch, commit, base = "main" } = spec;
    const unmerged = { mergedCommits: undefined, mergedAt: undefined, unknownFor: 0 };
    const pullRequest = { from, branch, commit, base, events: [], ...unmerged };
    const open = { title: branch, body: "", state: "open", comments: [] } as const;
    this.issues.push({ ...open, number, login: "ann", comments: [], pullRequest });
  }

  issue(number: number): StoredIssue {
    const found = this.issues.find((issue) => issue.number === number);
    if (found === undefined) throw new Error(`There is no issue ${number}.`);
    return found;
  }

  pullRequest(number: number): StoredPullRequest {
    const { pullRequest } = this.issue(number);
    if (pullRequest === undefined) throw new Error(`${number} is no pull request.`);
    return pullRequest;
  }

  merge(number: number, commits: readonly string[], unknownFor = 0): void {
    const mergedAt = this.nextTime();
    Object.assign(this.pullRequest(number), { mergedCommits: commits, mergedAt, unknownFor });
    this.issue(number).state = "closed";
  }

  retarget(number: number, base: string, byGithub = false): void {
    const pullRequest = this.pullRequest(number);
    pullRequest.base = base;
    const event = byGithub ? "automatic_base_change_succeeded" : "base_ref_changed";
    pullRequest.events.push({ event, createdAt: this.nextTime() });
  }

  /** The pull requests that brought a commit, as far as they are known yet. */
  mergedWith(commit: string): StoredIssue[] {
    const brought = this.issues.filter(({ pullRequest }) =>
      pullRequest?.mergedCommits?.includes(commit),
    );
    return brought.filter(({ number }) => {
      const pullRequest = this.pullRequest(number);
      pullRequest.unknownFor -= 1;
      return pullRequest.unknownFor < 0;
    });
  }

  addComment(number: number, login: string, body: string): StoredComment {
    const comment = { id: this.nextId(), login, body, updatedAt: this.nextTime() };
    this.issue(number).comments.push(comment);
    return comment;
  }

  addRun({ from = this.repository, status = "completed", ...spec }: RunSpec): LabRun {
    const id = this.nextId();
    const run: StoredRun = { id, from, status, createdAt: this.nextTime(), attempt: 1, ...spec };
    this.runs.push(run);
    return {
      id,
      get attempt() {
        return run.attempt;
      },
      startAgain: () => {
        run.attempt += 1;
      },
      addArtifact: (name, files, expired = false) =>
        this.artifacts.push({ id: this.nextId(), run: id, name, files, expired }),
      artifact: (name) => {
        const found = this.artifacts.findLast((each) => each.run === id && each.name === name);
        if (found === undefined) throw new Error(`The run ${id} has left no artifact ${name}.`);
        return found.files;
      },
      artifacts: () => {
        const own = this.artifacts.filter((each) => each.run === id);
        return Object.fromEntries(own.map(({ name, files }) => [name, files]));
      },
    };
  }
}
