/** The stacks that the backend has, and how one is made and removed. */
import { readFile, writeFile } from "node:fs/promises";
import { execa } from "execa";
import { parse } from "yaml";
import { z } from "zod";
import { stackUnreadable } from "../commands/stack.ts";

const list = z.array(z.object({ name: z.string() }));
const settings = z.object({ secretsprovider: z.string().optional() }).catch({});

/** Their names without organisation and project. @throws MailRuleError `stack-unreadable` */
export async function knownStacks(): Promise<ReadonlySet<string>> {
  const found = list.parse(JSON.parse(await pulumi(["stack", "ls", "--json"])));
  return new Set(found.map(({ name }) => name.split("/").at(-1) ?? name));
}

/** Writes what protects the stack's secrets into its file. @throws MailRuleError `stack-unreadable` */
export async function makeStack(stack: string, file: string): Promise<void> {
  const { secretsprovider } = settings.parse(parse(await readFile(file, "utf8")));
  const provider = secretsprovider === undefined ? [] : ["--secrets-provider", secretsprovider];
  await pulumi(["stack", "init", stack, "--no-select", ...provider]);
}

/**
 * Gives a preview a stack that the backend does not have yet, and takes it away again: a preview leaves nothing
 * behind, and the stack's file as it was.
 */
export async function withPassingStack<T>(
  stack: string,
  file: string,
  work: () => Promise<T>,
): Promise<T> {
  const text = await readFile(file, "utf8");
  await makeStack(stack, file);
  try {
    return await work();
  } finally {
    await pulumi(["stack", "rm", "--yes", "--preserve-config", stack]);
    await writeFile(file, text);
  }
}

async function pulumi(args: readonly string[]): Promise<string> {
  const { stdout, stderr, exitCode, code } = await execa(
    "pulumi",
    [...args, "--non-interactive", "--color", "never"],
    { reject: false, stdin: "ignore" },
  );
  if (exitCode === 0) return stdout;
  throw stackUnreadable(`pulumi ${args.join(" ")}`, stderr, code === "ENOENT");
}
