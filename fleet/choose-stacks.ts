/** Which stacks a run is about. */
import { mkdtemp, writeFile } from "node:fs/promises";
import { join, matchesGlob } from "node:path";
import type { StackKind } from "../config/stack-file.ts";
import { touchedStacks } from "./changed-stacks.ts";
import { changesSince, fileAt } from "./git-changes.ts";
import { exportStack, knownStacks } from "./known-stacks.ts";
import { describeStackFile, findStackFiles, type StackFile } from "./stack-files.ts";
import { storedKind } from "./stored-resources.ts";

export interface Choice {
  /** Only the stacks that the change since this commit or branch touches. */
  readonly changed?: string | undefined;
  /** Only the stacks whose name matches: `*` stands for anything. */
  readonly pattern?: string | undefined;
}

export interface ChosenStack extends StackFile {
  /** The backend has it. */
  readonly isKnown: boolean;
  /** It has a file now. Without one it is to leave the gateway. */
  readonly hasFile: boolean;
  /** A copy of the file as it was, where it was removed since the commit of `changed`. */
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
  choice: Choice,
  folder: string,
): Promise<ChosenStack[]> {
  return choose(await readStacks(project), choice, folder);
}

/**
 * As `chooseStacks`; without `changed` also those that have no file and still something on the gateway: whoever
 * removed the file may have left it at that.
 *
 * @throws MailRuleError `stack-unreadable`, `changes-unreadable`
 */
export async function chooseToLookAt(
  project: string,
  choice: Choice,
  folder: string,
): Promise<ChosenStack[]> {
  const all = await readStacks(project);
  const chosen = await choose(all, choice, folder);
  if (choice.changed !== undefined) return chosen;
  const left = withoutFile(all, choice).filter(({ stack }) => all.known.get(stack) !== 0);
  return [...chosen, ...left];
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
  const all = await readStacks(project);
  const chosen = await choose(all, choice, folder);
  if (choice.changed !== undefined) return chosen.filter(({ hasFile }) => !hasFile);
  return withKinds([...chosen.filter(({ isKnown }) => isKnown), ...withoutFile(all, choice)]);
}

/** The stack files, and what the backend has. */
interface Stacks {
  readonly project: string;
  readonly files: readonly StackFile[];
  readonly known: Awaited<ReturnType<typeof knownStacks>>;
}

async function readStacks(project: string): Promise<Stacks> {
  const [files, known] = await Promise.all([findStackFiles(project), knownStacks()]);
  return { project, files, known };
}

async function choose(
  { project, files, known }: Stacks,
  choice: Choice,
  folder: string,
): Promise<ChosenStack[]> {
  const withFile = files.map((file) => {
    return { ...file, isKnown: known.has(file.stack), hasFile: true };
  });
  const { changed } = choice;
  if (changed === undefined) return withFile.filter(isWanted(choice));
  const { base, files: changedFiles } = await changesSince(project, changed);
  const touched = touchedStacks(changedFiles, new Set(files.map(({ stack }) => stack)));
  const left = [...touched.removed].filter((stack) => known.has(stack));
  const removed = await withKinds(
    await Promise.all(left.map((stack) => formerStack(project, base, stack, folder))),
  );
  const isTouched = ({ stack }: StackFile) => touched.stacks === "all" || touched.stacks.has(stack);
  return [...withFile.filter(isTouched), ...removed].filter(isWanted(choice));
}

function isWanted({ pattern }: Choice): (of: StackFile) => boolean {
  return ({ stack }) => pattern === undefined || matchesGlob(stack, pattern);
}

/** Those that only the backend has. */
function withoutFile({ files, known }: Stacks, choice: Choice): ChosenStack[] {
  const withFile = new Set(files.map(({ stack }) => stack));
  return [...known.keys()]
    .filter((stack) => !withFile.has(stack))
    .map((stack): ChosenStack => {
      const file = `stacks/Pulumi.${stack}.yaml`;
      return { stack, file, kind: "unknown", faults: [], isKnown: true, hasFile: false };
    })
    .filter(isWanted(choice));
}

/** Where no file says what kind of stack it is the state does: a gateway leaves last. One by one, each by a CLI. */
async function withKinds(stacks: readonly ChosenStack[]): Promise<ChosenStack[]> {
  const found: ChosenStack[] = [];
  for (const each of stacks) {
    const isTold = each.kind !== "unknown" || !each.isKnown;
    found.push(isTold ? each : { ...each, kind: await kindInState(each.stack) });
  }
  return found;
}

/** `unknown` where the state cannot be read: the stack's preview says why, and nothing is done with it. */
async function kindInState(stack: string): Promise<StackKind> {
  try {
    return storedKind(await exportStack(stack));
  } catch {
    return "unknown";
  }
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
  const described = await describeStackFile(file, text);
  return { ...described, isKnown: true, hasFile: false, formerFile };
}
