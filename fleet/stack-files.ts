/** The stack files of the project, and what each says by itself: what kind of stack it is, and its faults. */
import { globSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { readStackFile, type StackKind } from "../config/stack-file.ts";
import type { MailRuleError } from "../mail/errors.ts";

export interface StackFile {
  readonly stack: string;
  /** From the project's folder: `stacks/Pulumi.contoso.yaml`. */
  readonly file: string;
  readonly kind: StackKind;
  /** Not empty: nothing can be done with the stack before they are corrected. */
  readonly faults: readonly MailRuleError[];
}

const STACK_FILES = "stacks/Pulumi.*.yaml";

const NAME = /^Pulumi\.(?<stack>.+)\.yaml$/;

/** In the order of their names. */
export async function findStackFiles(project: string): Promise<StackFile[]> {
  const files = globSync(STACK_FILES, { cwd: project }).toSorted();
  return Promise.all(
    files.map(async (file) => {
      return describeStackFile(file, await readFile(join(project, file), "utf8"));
    }),
  );
}

export async function describeStackFile(file: string, text: string): Promise<StackFile> {
  const { kind, faults } = await readStackFile(file, text);
  return { stack: stackOfFile(file) ?? basename(file), file, kind, faults };
}

/** The stack to which a file belongs; `undefined` where it is no stack file, as in a folder below `stacks`. */
export function stackOfFile(file: string): string | undefined {
  if (dirname(file) !== "stacks") return undefined;
  return NAME.exec(basename(file))?.groups?.["stack"];
}
