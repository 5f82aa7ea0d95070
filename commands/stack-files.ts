/**
 * `npm run stack-files`: looks at the stack files alone, without engine, state and credentials.
 *
 * It changes nothing. Ends with 0 where no fault was found, 1 where one was, and 2 where the files could not be read.
 */
import { readFile, writeFile } from "node:fs/promises";
import { Command } from "commander";
import { execa } from "execa";
import {
  describeStackFile,
  findStackFiles,
  type StackFile,
  stackOfFile,
} from "../fleet/stack-files.ts";
import type { StackFiles } from "../github/stack-files-text.ts";
import { visibleLines } from "../report/visible-text.ts";
import { endCommand } from "./end-command.ts";

const EXIT = { sound: 0, faulty: 1, unread: 2 };

interface Options {
  readonly changed?: string;
  readonly json?: string;
}

async function run(args: readonly string[]): Promise<number> {
  const command = new Command("npm run stack-files --")
    .description("Looks at the stack files alone. Needs no credentials, changes nothing.")
    .option("--changed <git ref>", "only those that differ from there")
    .option("--json <file>", "takes what was found")
    .exitOverride()
    .parse(args, { from: "user" });
  const { changed, json } = command.opts<Options>();
  const files = await (changed === undefined ? findStackFiles(".") : changedSince(changed));
  const found = files.map(asData);
  if (json !== undefined) await writeFile(json, `${JSON.stringify(found, null, 2)}\n`);
  console.log(found.map(describe).join("\n") || "No stack file has changed.");
  return found.every(({ faults }) => faults.length === 0) ? EXIT.sound : EXIT.faulty;
}

function asData({ stack, file, kind, faults }: StackFile): StackFiles[number] {
  return {
    stack,
    file,
    kind,
    faults: faults.map(({ code, where, problem, fix }) => ({
      code,
      ...(where === undefined ? {} : { where }),
      problem,
      fix,
    })),
  };
}

function describe({ file, faults }: StackFiles[number]): string {
  if (faults.length === 0) return `${visibleLines(file)}: no fault was found.`;
  const lines = faults.map(({ where, problem, fix }) => `${where ?? file}: ${problem} ${fix}`);
  return lines.map(visibleLines).join("\n");
}

/** Without those that were deleted. */
async function changedSince(ref: string): Promise<StackFile[]> {
  const filter = ["--name-only", "-z", "--diff-filter=d"];
  const { stdout } = await execa("git", ["diff", ...filter, ref, "--", "stacks"]);
  const files = stdout.split("\0").filter((file) => stackOfFile(file) !== undefined);
  return Promise.all(
    files.map(async (file) => describeStackFile(file, await readFile(file, "utf8"))),
  );
}

await endCommand(run, EXIT.unread);
