/**
 * `npm run up-to-date`: stops a run whose commit is no longer what the branch says of a stack.
 *
 * A run that waited for its approval, or that is run again, has the files of its own commit. Where a later commit has
 * changed what the stack is made of, `up` would take that back. Reads git only. Ends with 0 where both are the same,
 * with 1 where they differ, and with 2 where that could not be found out.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { Command } from "commander";
import { execa } from "execa";
import { MailRuleError } from "../mail/errors.ts";
import { codeBlock } from "../report/markdown-text.ts";
import { endCommand } from "./end-command.ts";

const EXIT = { same: 0, outdated: 1, unread: 2 };

/** What every stack is made of, beside its own file. The submodule's entry is its commit. */
const SHARED = ["Pulumi.yaml", "package.json", ".gitmodules", "pulumi-mxhero"];

interface Options {
  readonly stack: string;
  readonly tip: string;
  readonly markdown?: string;
}

async function run(args: readonly string[]): Promise<number> {
  const command = new Command("npm run up-to-date --")
    .description("Stops unless what a stack is made of is the same here and at the branch's tip.")
    .requiredOption("--stack <name>", "the stack")
    .requiredOption("--tip <folder>", "a checkout of the branch as it is now")
    .option("--markdown <file>", "takes why it stops")
    .exitOverride()
    .parse(args, { from: "user" });
  const { stack, tip, markdown } = command.opts<Options>();
  const files = [`stacks/Pulumi.${stack}.yaml`, ...SHARED];
  const [here, there] = await Promise.all([committed(".", files), committed(tip, files)]);
  const changed = files.filter((file) => here.get(file) !== there.get(file));
  if (changed.length === 0) return EXIT.same;
  const { message } = outdated(stack, changed);
  console.error(message);
  if (markdown !== undefined) {
    await mkdir(dirname(markdown), { recursive: true });
    await writeFile(markdown, `${codeBlock(message.split("\n"))}\n`);
  }
  return EXIT.outdated;
}

/**
 * What each file is in the commit that is checked out there: mode, type and hash. What is only in the folder was put
 * there by the run itself.
 */
async function committed(
  folder: string,
  files: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const { stdout } = await execa("git", ["-C", folder, "ls-tree", "-z", "HEAD", "--", ...files]);
  const entries = stdout.split("\0").filter(Boolean);
  return new Map(
    entries.map((entry) => {
      const [what = "", file = ""] = entry.split("\t", 2);
      return [file, what];
    }),
  );
}

function outdated(stack: string, changed: readonly string[]): MailRuleError {
  return new MailRuleError({
    code: "run-outdated",
    where: stack,
    problem:
      `The branch says something else by now than this run's commit: ${changed.join(", ")}. ` +
      "This run would take the later change back, so nothing was done.",
    fix:
      "Leave this run as it is. If the later change has no run of its own that does this stack, or GitHub has " +
      "cancelled it, start the workflow anew by hand, on the branch.",
  });
}

await endCommand(run, EXIT.unread);
