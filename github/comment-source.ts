/** Which report a comment shows, said in its hidden first line and in a short visible one. Pure. */
import { createHash } from "node:crypto";
import { markedDetails } from "./own-text.ts";

/** The kind of the comment that shows a preview's report. */
export const REPORT_COMMENT = "mail-path report";

export interface CommentSource {
  /** The last commit of the pull request's branch. */
  readonly commit: string;
  /** The number in the address of the run that has left the report. */
  readonly run: string;
  /** How often the run was started, counted from 1. */
  readonly attempt: number;
  /** Of the report's text. Missing where the run has left none. */
  readonly digest?: string;
}

/** SHA-256 of what a run has left. */
export function digestOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** For the hidden line. */
export function sourceDetails({ commit, run, attempt, digest = "none" }: CommentSource): string {
  return `commit ${commit}, run ${run}, attempt ${attempt}, report ${digest}`;
}

const DETAILS =
  /^commit (?<commit>[0-9a-f]+), run (?<run>\d+), attempt (?<attempt>\d+), report (?<digest>none|[0-9a-f]{64})$/;

/** Undefined where the comment does not say it, as one of a former version. */
export function sourceOf(body: string): CommentSource | undefined {
  const found = DETAILS.exec(markedDetails(body, REPORT_COMMENT) ?? "")?.groups;
  if (found === undefined) return undefined;
  const { commit = "", run = "", attempt = "", digest = "none" } = found;
  const source = { commit, run, attempt: Number(attempt) };
  return digest === "none" ? source : { ...source, digest };
}

/** The run's page. @param url of the repository */
export function sourceAddress({ run, attempt }: CommentSource, url: string): string {
  return `${url}/actions/runs/${run}/attempts/${attempt}`;
}

/** Markdown. @param url of the repository */
export function sourceText(source: CommentSource, url: string): string {
  const { commit, run, attempt } = source;
  const page = sourceAddress(source, url);
  return `<sub>Of commit \`${commit.slice(0, 10)}\`, by [run ${run}, attempt ${attempt}](${page}).</sub>`;
}
