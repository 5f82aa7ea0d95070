/**
 * `npm run drift-issue`: opens one issue with the differences that were found, updates it, and closes it when all is
 * well.
 *
 * Something that could not be read keeps it open: it may differ. Ends with 0, and with 2 where a file or GitHub could
 * not be read.
 */
import { readFile } from "node:fs/promises";
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
  const texts = await Promise.all(file.map((path) => readFile(path, "utf8")));
  const differences = texts.flatMap((text) => differencesIn(JSON.parse(text)));
  const repository = openRepository();
  const outcome =
    differences.length === 0
      ? await closeIssue(repository, ABOUT, WELL)
      : await keepIssue(repository, ABOUT, driftText(differences, new Date(), runUrl));
  console.log(`${differences.length} to tell. The issue: ${outcome}.`);
  return 0;
}

function differencesIn(content: unknown): readonly Difference[] {
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
