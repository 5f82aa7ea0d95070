/** The stacks that the backend has, how one is made there, and what it holds. */
import { readFile } from "node:fs/promises";
import { parse } from "yaml";
import { z } from "zod";
import { runPulumi } from "../commands/stack.ts";

const list = z.array(z.object({ name: z.string(), resourceCount: z.number().default(0) }));
const settings = z.object({ secretsprovider: z.string().optional() }).catch({});
const account = z.object({ url: z.string() });

/** How many resources each has, by its name without organisation and project. @throws MailRuleError `stack-unreadable` */
export async function knownStacks(): Promise<ReadonlyMap<string, number>> {
  const found = list.parse(JSON.parse(await runPulumi(["stack", "ls", "--json"])));
  return new Map(
    found.map(({ name, resourceCount }) => [name.split("/").at(-1) ?? name, resourceCount]),
  );
}

/**
 * Writes what protects the stack's secrets into its file.
 *
 * @param folder the project's, in which the file is
 * @throws MailRuleError `stack-unreadable`
 */
export async function makeStack(stack: string, folder: string, file: string): Promise<void> {
  const { secretsprovider } = settings.parse(parse(await readFile(file, "utf8")));
  const provider = secretsprovider === undefined ? [] : ["--secrets-provider", secretsprovider];
  await runPulumi(["--cwd", folder, "stack", "init", stack, "--no-select", ...provider]);
}

/** The state, its secrets encrypted. Reads only. @throws MailRuleError `stack-unreadable` */
export function exportStack(stack: string): Promise<string> {
  return runPulumi(["stack", "export", "--stack", stack]);
}

/** Whether the state is in a folder or a bucket, and not at Pulumi Cloud. @throws MailRuleError `stack-unreadable` */
export async function isStateInFiles(): Promise<boolean> {
  const { url } = account.parse(JSON.parse(await runPulumi(["whoami", "--json"])));
  return !/^https?:/.test(url);
}
