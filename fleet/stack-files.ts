/** The stack files of the project, and what kind of stack each is, by its content. */
import { glob, readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { LineCounter, parseDocument } from "yaml";
import { z } from "zod";
import { MailRuleError } from "../mail/errors.ts";

/** By what its configuration contains, as index.ts decides it. */
export type StackKind = "gateway" | "tenant" | "unknown";

export interface StackFile {
  readonly stack: string;
  /** From the project's folder: `stacks/Pulumi.contoso.yaml`. */
  readonly file: string;
  readonly kind: StackKind;
  /** The gateway's stack that a tenant names. */
  readonly gatewayStack?: string;
  /** Why the file cannot be read at all. */
  readonly fault?: MailRuleError;
}

export const STACK_FILES = "stacks/Pulumi.*.yaml";

const NAME = /^Pulumi\.(?<stack>.+)\.yaml$/;

const content = z.object({ config: z.record(z.string(), z.unknown()).nullish() }).nullable();
const gateway = z.object({ stack: z.string() });

/** In the order of their names. */
export async function findStackFiles(project: string): Promise<StackFile[]> {
  const files: string[] = [];
  for await (const file of glob(STACK_FILES, { cwd: project })) files.push(file);
  return Promise.all(
    files.toSorted().map(async (file) => {
      return describeStackFile(file, await readFile(join(project, file), "utf8"));
    }),
  );
}

/** The stack to which a file belongs; `undefined` where it is no stack file. */
export function stackOfFile(file: string): string | undefined {
  if (!file.startsWith("stacks/")) return undefined;
  return NAME.exec(basename(file))?.groups?.["stack"];
}

export function describeStackFile(file: string, text: string): StackFile {
  const stack = stackOfFile(file) ?? basename(file);
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const [broken] = document.errors;
  if (broken !== undefined) {
    const { line, col } = lines.linePos(broken.pos[0]);
    const [problem = broken.message] = broken.message.split(" at line ");
    return { stack, file, kind: "unknown", fault: brokenFile(`${file}:${line}:${col}`, problem) };
  }
  const read = content.safeParse(document.toJS());
  if (!read.success) {
    return { stack, file, kind: "unknown", fault: brokenFile(file, "It has no map config.") };
  }
  const config = read.data?.config ?? {};
  const named = gateway.safeParse(config["mail:gateway"]);
  return {
    stack,
    file,
    kind: kindOf(Object.keys(config)),
    ...(named.success && { gatewayStack: named.data.stack }),
  };
}

function kindOf(keys: readonly string[]): StackKind {
  if (keys.some((key) => key.startsWith("mail:"))) return "tenant";
  return keys.some((key) => key.startsWith("gateway:")) ? "gateway" : "unknown";
}

function brokenFile(where: string, problem: string): MailRuleError {
  return new MailRuleError({
    code: "stack-file-broken",
    where,
    problem: /[.!]$/.test(problem) ? problem : `${problem}.`,
    fix: "Correct the YAML there: blanks, colons and quotes. stacks/Pulumi.contoso.yaml is an example.",
  });
}
