/**
 * What is told of a fork's pull request: the faults of its stack files.
 *
 * The data come from a run of the fork's own code, so they are taken by their schema and shown in code blocks, and the
 * text says what they are worth.
 */
import { z } from "zod";
import { codeBlock } from "../report/markdown-text.ts";
import { visible } from "../report/visible-text.ts";

/** What `npm run stack-files -- --json` writes. */
export const stackFiles = z
  .array(
    z.strictObject({
      stack: z.string().max(200),
      file: z.string().max(300),
      kind: z.enum(["tenant", "gateway", "unknown"]),
      faults: z
        .array(
          z.strictObject({
            code: z.string().max(100),
            where: z.string().max(1_000).optional(),
            problem: z.string().max(10_000),
            fix: z.string().max(10_000),
          }),
        )
        .max(1_000),
    }),
  )
  .max(10_000);

export type StackFiles = z.output<typeof stackFiles>;

/** In characters: below GitHub's limit of 65,536, with the hidden line. */
const LIMIT = 60_000;

/** @param commit which was looked at */
export function stackFilesText(files: StackFiles, commit: string): string {
  const faulty = files.filter(({ faults }) => faults.length > 0);
  const found = faulty.length === 0 ? "no fault was found" : `${faulty.length} of them with faults`;
  const head = [
    `**From a fork: only the stack files were looked at** (${files.length} changed, ${found}; commit ${onlyHex(commit)}).`,
    "Nobody has seen what would happen to any mail: that needs credentials, which a fork is not given. What stands here was found by the fork's own run. For a preview push these commits to a branch of this repository.",
  ].join("\n\n");
  return cut(`${head}\n\n${faulty.map(section).join("\n\n")}`.trim(), faulty);
}

function section({ file, faults }: StackFiles[number]): string {
  const lines = faults.flatMap(({ where, problem, fix }) => [
    `- ${where ?? file}`,
    `  ${problem}`,
    `  ${fix}`,
  ]);
  return codeBlock([file, ...lines]);
}

function cut(text: string, faulty: StackFiles): string {
  if (text.length <= LIMIT) return text;
  const [head = ""] = text.split("\n\n```", 1);
  const names = faulty.map(({ file }) => visible(file)).join("\n");
  const shown = names.slice(0, LIMIT / 2).split("\n");
  return `${head}\n\nToo many faults for a comment. The files:\n\n${codeBlock(shown)}`;
}

function onlyHex(commit: string): string {
  return commit.replaceAll(/[^0-9a-f]/g, "").slice(0, 10);
}
