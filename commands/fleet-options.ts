/** The options of the commands of `npm run fleet`. */
import type { Command } from "commander";
import type { Choice } from "../fleet/choose-stacks.ts";
import type { ReportFiles } from "../fleet/write-reports.ts";
import { asCount } from "./as-count.ts";

export interface Options extends ReportFiles {
  readonly refresh?: boolean;
  readonly changed?: string;
  readonly stack?: string;
  readonly parallel: number;
}

export interface BoundedOptions extends Options {
  readonly offboardAtMost: number;
}

export interface PreviewOptions extends BoundedOptions {
  readonly leaving?: true;
}

export interface ChangeOptions extends BoundedOptions {
  readonly reviewed?: string;
}

export interface LookOptions extends Options {
  readonly write?: true;
  readonly smtp?: boolean;
}

/** An engine takes about 150 MB, so that this many stay below 1.5 GB. */
const PARALLEL = 6;

export function command(fleet: Command, name: string, description: string): Command {
  return fleet
    .command(name)
    .description(description)
    .option(
      "--changed <git ref>",
      "only the stacks that differ from there, or all if the program does",
    )
    .option("--stack <pattern>", "only the stacks of this name; * stands for anything")
    .option("--json <file>", "takes all of it, for programs")
    .option("--markdown <file>", "takes the text of a comment at GitHub")
    .option("--rest <file>", "takes what does not fit into the comment")
    .option("--rest-url <url>", "where a reader of the comment finds that")
    .option("--parallel <number>", "so many stacks at once", asCount, PARALLEL)
    .exitOverride();
}

/** Of the commands that can bring back what others have changed. */
export function refreshing(described: Command): Command {
  return described.option(
    "--refresh",
    "look first what others have changed since the last run: it is brought back",
  );
}

export function bounded(described: Command): Command {
  return described.option(
    "--offboard-at-most <number>",
    "so many domains may leave the gateway",
    asCount,
    1,
  );
}

/** An empty text is none: it is what a CI gives for an input that nobody filled in. */
export function choiceOf({ changed, stack }: Options): Choice {
  return { changed: changed || undefined, pattern: stack || undefined };
}
