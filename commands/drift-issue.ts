/**
 * `npm run drift-issue`: opens one issue with the differences that were found, updates it, and closes it when all is
 * well.
 *
 * Something that could not be read keeps it open: it may differ. So does a file that is missing or is none of a look:
 * the look itself has failed then. Ends with 0, and with 2 where such a file or GitHub could not be read.
 */
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { Command } from "commander";
import { z } from "zod";
import { type Difference, driftText } from "../github/drift-text.ts";
import { closeIssue, keepIssue } from "../github/issue.ts";
import { openRepository } from "../github/repository.ts";
import { endCommand } from "./end-command.ts";
import { stackVerdict } from "./verify-schema.ts";

const FAILED = 2;

/** One issue of this kind is kept. */
const ABOUT = "drift";

const WELL = "All is well again: nothing differs, and everything could be read.";

interface Options {
  readonly file: readonly string[];
  readonly runUrl?: string;
}

const verdicts = z.array(stackVerdict);

async function run(args: readonly string[]): Promise<number> {
  const command = new Command("npm run drift-issue --")
    .description("Opens one issue with the differences, updates it, closes it when all is well.")
    .requiredOption("--file <json...>", "what npm run fleet -- verify or refresh has found")
    .option("--run-url <url>", "where all of it can be read")
    .exitOverride()
    .parse(args, { from: "user" });
  const { file, runUrl } = command.opts<Options>();
  const found = await Promise.all(file.map(differencesIn));
  const differences = found.flat();
  const repository = openRepository();
  const outcome =
    differences.length === 0
      ? await closeIssue(repository, ABOUT, WELL)
      : await keepIssue(repository, ABOUT, driftText(differences, new Date(), runUrl));
  console.log(`${differences.length} to tell. The issue: ${outcome}.`);
  return differences.some(({ stack }) => stack === undefined) ? FAILED : 0;
}

async function differencesIn(file: string): Promise<readonly Difference[]> {
  try {
    return differencesOf(JSON.parse(await readFile(file, "utf8")));
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    return [noLook(file)];
  }
}

function noLook(file: string): Difference {
  return {
    kind: "unread",
    text: `The look ended before it had written ${basename(file)}, so nobody knows whether anything differs.`,
    fix: "Read the log of the run: a wrong passphrase, a state that cannot be reached, or credentials that were refused.",
  };
}

function differencesOf(content: unknown): readonly Difference[] {
  return verdicts.parse(content).flatMap(({ stack, checks, domains }) =>
    [{ domain: undefined, checks }, ...domains].flatMap(({ domain, checks: found }) =>
      found.flatMap(({ status, text, fix }) => {
        if (status !== "wrong" && status !== "unread") return [];
        const kind = status === "wrong" ? ("differs" as const) : status;
        return [{ stack, domain, kind, text, fix }];
      }),
    ),
  );
}

await endCommand(run, FAILED);
