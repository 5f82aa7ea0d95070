/**
 * `npm run stack-files`: looks at the stack files alone, without engine, state and credentials.
 *
 * It changes nothing. Ends with 0 where no fault was found, 1 where one was, and 2 where the files could not be read.
 */

import { globSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { Command } from "commander";
import { execa } from "execa";
import { readStackFile } from "../config/stack-file.ts";
import type { StackFiles } from "../github/stack-files-text.ts";
import { endCommand } from "./end-command.ts";

const EXIT = { sound: 0, faulty: 1, unread: 2 };

const STACK_FILES = "stacks/Pulumi.*.yaml";

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
  const files =
    changed === undefined ? globSync(STACK_FILES).toSorted() : await changedSince(changed);
  const found = await Promise.all(files.map(lookAt));
  if (json !== undefined) await writeFile(json, `${JSON.stringify(found, null, 2)}\n`);
  console.log(found.map(describe).join("\n") || "No stack file has changed.");
  return found.every(({ faults }) => faults.length === 0) ? EXIT.sound : EXIT.faulty;
}

async function lookAt(file: string): Promise<StackFiles[number]> {
  const { kind, faults } = await readStackFile(file, await readFile(file, "utf8"));
  return {
    stack: file.replace(/^.*Pulumi\.(.*)\.yaml$/, "$1"),
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
  if (faults.length === 0) return `${file}: no fault was found.`;
  return faults.map(({ where, problem, fix }) => `${where ?? file}: ${problem} ${fix}`).join("\n");
}

/** Without those that were deleted. */
async function changedSince(ref: string): Promise<string[]> {
  const filter = ["--name-only", "-z", "--diff-filter=d"];
  const { stdout } = await execa("git", ["diff", ...filter, ref, "--", STACK_FILES]);
  return stdout.split("\0").filter(Boolean);
}

await endCommand(run, EXIT.unread);
