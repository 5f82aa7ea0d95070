/** Which stacks a run is about. */
import { mkdtemp, writeFile } from "node:fs/promises";
import { join, matchesGlob } from "node:path";
import { touchedStacks } from "./changed-stacks.ts";
import { changesSince, fileAt } from "./git-changes.ts";
import { knownStacks } from "./known-stacks.ts";
import { describeStackFile, findStackFiles, type StackFile } from "./stack-files.ts";

export interface Choice {
  /** Only the stacks that the change since this commit or branch touches. */
  readonly changed?: string | undefined;
  /** Only the stacks whose name matches: `*` stands for anything. */
  readonly pattern?: string | undefined;
}

export interface ChosenStack extends StackFile {
  /** The backend has it. */
  readonly isKnown: boolean;
  /** Its file was removed: it is to be offboarded. A copy of the file as it was; absent where nothing was removed. */
  readonly formerFile?: string;
}

/**
 * Stacks with a file, and with `changed` those whose file was removed and that the backend still has.
 *
 * @param folder where copies of removed files may lie
 * @throws MailRuleError `stack-unreadable`, `changes-unreadable`
 */
export async function chooseStacks(
  project: string,
  { changed, pattern }: Choice,
  folder: string,
): Promise<ChosenStack[]> {
  const isWanted = ({ stack }: StackFile) => pattern === undefined || matchesGlob(stack, pattern);
  const [files, known] = await Promise.all([findStackFiles(project), knownStacks()]);
  const withFile = files.map((file) => ({ ...file, isKnown: known.has(file.stack) }));
  if (changed === undefined) return withFile.filter(isWanted);
  const { base, files: changedFiles } = await changesSince(project, changed);
  const touched = touchedStacks(changedFiles);
  const left = [...touched.removed].filter((stack) => known.has(stack));
  const removed = await Promise.all(left.map((stack) => formerStack(project, base, stack, folder)));
  const isTouched = ({ stack }: StackFile) => touched.stacks === "all" || touched.stacks.has(stack);
  return [...withFile.filter(isTouched), ...removed].filter(isWanted);
}

/**
 * Stacks that are to leave the gateway: with `changed` those whose file was removed, otherwise those that match and
 * that the backend has, with or without a file.
 *
 * @throws MailRuleError `stack-unreadable`, `changes-unreadable`
 */
export async function chooseLeaving(
  project: string,
  choice: Choice,
  folder: string,
): Promise<ChosenStack[]> {
  const chosen = await chooseStacks(project, choice, folder);
  if (choice.changed !== undefined) {
    return chosen.filter(({ formerFile }) => formerFile !== undefined);
  }
  const withFile = new Set((await findStackFiles(project)).map(({ stack }) => stack));
  const without = [...(await knownStacks())].filter((stack) => !withFile.has(stack));
  const { pattern } = choice;
  const others = without
    .filter((stack) => pattern === undefined || matchesGlob(stack, pattern))
    .map((stack): ChosenStack => {
      const file = `stacks/Pulumi.${stack}.yaml`;
      return { stack, file, kind: "unknown", faults: [], isKnown: true };
    });
  return [...chosen.filter(({ isKnown }) => isKnown), ...others];
}

/** The CLI needs the file for what protects the stack's secrets. */
async function formerStack(
  project: string,
  base: string,
  stack: string,
  folder: string,
): Promise<ChosenStack> {
  const file = `stacks/Pulumi.${stack}.yaml`;
  const text = await fileAt(project, base, file);
  const copies = await mkdtemp(join(folder, "removed-"));
  const formerFile = join(copies, `Pulumi.${stack}.yaml`);
  await writeFile(formerFile, text);
  return { ...(await describeStackFile(file, text)), isKnown: true, formerFile };
}
