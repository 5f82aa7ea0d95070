/** GitHub in the lab, as tests see it. */

/** Of a job's token, as `permissions:` in a workflow names them. */
export type Permissions = Readonly<Record<string, "read" | "write" | "none">>;

export interface Call {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly status: number;
}

export interface KeptComment {
  readonly id: number;
  readonly login: string;
  readonly body: string;
  /** When it was written or changed last. */
  readonly updatedAt: string;
}

export interface KeptIssue {
  readonly number: number;
  readonly login: string;
  readonly title: string;
  readonly body: string;
  readonly state: "open" | "closed";
  readonly comments: readonly KeptComment[];
}

export interface PullRequestSpec {
  readonly number: number;
  /** `owner/name` of the repository that the branch is in. @default this one: no fork */
  readonly from?: string;
  readonly branch: string;
  readonly commit: string;
  /** The branch that it goes into. @default "main" */
  readonly base?: string;
}

export interface RunSpec {
  /** The workflow's file: `preview.yml`. */
  readonly workflow: string;
  readonly branch: string;
  readonly commit: string;
  /** @default this one: no fork */
  readonly from?: string;
  /** @default "completed" */
  readonly status?: "completed" | "in_progress";
}

export interface LabRun {
  readonly id: number;
  /** How often it was started, counted from 1. */
  readonly attempt: number;
  /** It is started again. */
  startAgain(): void;
  /** Keeps files under a name, as `actions/upload-artifact` does. */
  addArtifact(name: string, files: Readonly<Record<string, string>>, expired?: boolean): void;
  /** The files of an artifact, as `actions/download-artifact` lays them out. */
  artifact(name: string): Readonly<Record<string, string>>;
  /** The files of all artifacts, by their names. */
  artifacts(): Readonly<Record<string, Readonly<Record<string, string>>>>;
}

export interface Fault {
  readonly method: string;
  /** A part of the path. */
  readonly path: string;
  readonly status: number;
  /** `after`: it is done, and nobody is told. @default "before" */
  readonly moment?: "before" | "after";
}

export interface LabGithub extends AsyncDisposable {
  /** The base address of the API. */
  readonly url: string;
  /** `owner/name`. */
  readonly repository: string;
  /** Every call of the API. */
  readonly calls: Call[];
  /** A token with these rights, which writes under this name. @default "github-actions[bot]" */
  addToken(permissions: Permissions, login?: string): string;
  addPullRequest(spec: PullRequestSpec): void;
  /** Issues and pull requests share their numbers. */
  nextNumber(): number;
  /** The branch has a new commit. */
  pushTo(number: number, commit: string): void;
  /** It goes into another branch now. @param byGithub its former one was deleted */
  retarget(number: number, base: string, byGithub?: boolean): void;
  /**
   * It is merged; these commits came with it.
   *
   * @param unknownFor so many times GitHub answers that it knows of no pull request @default 0
   */
  merge(number: number, commits: readonly string[], unknownFor?: number): void;
  addRun(spec: RunSpec): LabRun;
  /** A comment by somebody else, or of an earlier run. */
  addComment(number: number, login: string, body: string): void;
  /** An issue by somebody else. */
  addIssue(login: string, title: string, body: string): number;
  /** Somebody deletes all comments. */
  deleteComments(number: number): void;
  commentsOf(number: number): readonly KeptComment[];
  issues(): readonly KeptIssue[];
  /** The next call of this kind meets a fault. */
  failNext(fault: Fault): void;
}
