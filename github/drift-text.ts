/** What the one issue says of the differences that a night has found. Pure. */
import { codeBlock } from "../report/markdown-text.ts";
import type { IssueText } from "./issue.ts";
import { BODY_LIMIT } from "./own-text.ts";

/** Something that is not as a stack says, or could not be read. */
export interface Difference {
  /** Missing where it is about all of them. */
  readonly stack?: string | undefined;
  /** Missing where it is the stack's or its gateway's. */
  readonly domain?: string | undefined;
  /** `unread`: whether it differs is not known. */
  readonly kind: "differs" | "unread";
  /** What was seen. From DNS and other places that anyone may write to. */
  readonly text: string;
  /** What to do. */
  readonly fix?: string | undefined;
}

/** Room for the hidden line and for what says that there is more. */
const LIMIT = BODY_LIMIT - 1_000;

/**
 * The title and the text, ordered by stack. What was read in DNS stands in code blocks, where it can be no link, no
 * mention and no HTML.
 *
 * @param runUrl where all of it can be read
 */
export function driftText(
  differences: readonly Difference[],
  at: Date,
  runUrl: string | undefined,
): IssueText {
  const stacks = Map.groupBy(differences.toSorted(byStack), ({ stack }) => stack);
  const unread = differences.filter(({ kind }) => kind === "unread").length;
  const differing = differences.length - unread;
  const parts = [
    differing > 0 ? [count(differing, "difference")] : [],
    unread > 0 ? [`${unread} not read`] : [],
  ].flat();
  const head = [
    `Looked at on ${at.toISOString().slice(0, 16).replace("T", " at ")} UTC. Nothing was changed.`,
    ...(runUrl === undefined ? [] : [`All of it: ${runUrl}`]),
    "What is right in DNS or at the gateway goes into the stack's file by a pull request; what is right in the file is brought back by the workflow `up`, started by hand for the stack with `refresh` (`npm run fleet -- up --refresh --stack …`). This issue is kept up to date, and closed when all is well.",
  ];
  return {
    title: `Mail: ${parts.join(", ")} in ${stacks.has(undefined) ? "all stacks" : count(stacks.size, "stack")}`,
    body: fitted(
      head.join("\n\n"),
      [...stacks].map(([stack, found]) => section(stack, found)),
    ),
  };
}

/** What is about all of them comes first; else the order stays. */
function byStack(one: Difference, other: Difference): number {
  return Number(one.stack !== undefined) - Number(other.stack !== undefined);
}

/** As many sections as fit, and how many do not: a long one keeps no shorter one out. */
function fitted(head: string, sections: readonly string[]): string {
  let body = head;
  let left = 0;
  for (const text of sections) {
    if (body.length + text.length + 2 > LIMIT) left += 1;
    else body += `\n\n${text}`;
  }
  return left === 0 ? body : `${body}\n\n${count(left, "further stack")}: see the run.`;
}

/** So many lines of one stack are told, so that one that nobody could read leaves room for others. */
const LINES = 40;

function section(stack: string | undefined, found: readonly Difference[]): string {
  const lines = found.flatMap(({ domain, kind, text, fix }) => [
    `${stack === undefined ? "look" : (domain ?? "stack")}: ${kind === "unread" ? "not read: " : ""}${text}`,
    ...(fix === undefined ? [] : [`  to do: ${fix}`]),
  ]);
  const more = lines.length - LINES;
  const shown = more > 0 ? [...lines.slice(0, LINES), `and ${count(more, "line")} more`] : lines;
  return codeBlock([stack === undefined ? "All stacks" : `Stack ${stack}`, ...shown]);
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}
