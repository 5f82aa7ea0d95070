/** What git says has changed in the project since a commit, and what stood there. */
import { join, relative } from "node:path";
import { execa } from "execa";
import { MailRuleError } from "../mail/errors.ts";
import type { ChangedFile } from "./changed-stacks.ts";

export interface Changes {
  /** The commit to which the project is compared. */
  readonly base: string;
  readonly files: readonly ChangedFile[];
}

/**
 * From where the history of `ref` and the present one part, as a pull request is compared; what is not committed
 * yet is included.
 *
 * @throws MailRuleError `changes-unreadable`
 */
export async function changesSince(project: string, ref: string): Promise<Changes> {
  const base = (await git(project, ["merge-base", ref, "HEAD"])).trim();
  const top = (await git(project, ["rev-parse", "--show-toplevel"])).trim();
  const args = ["diff", "--name-status", "--no-renames", "-z", base, "--"];
  const listed = (await git(project, args)).split("\0").slice(0, -1);
  const files: ChangedFile[] = [];
  for (let index = 0; index + 1 < listed.length; index += 2) {
    const [status, path = ""] = listed.slice(index, index + 2);
    files.push({ file: relative(project, join(top, path)), isRemoved: status === "D" });
  }
  const others = await git(project, ["ls-files", "--others", "--exclude-standard", "-z"]);
  for (const file of others.split("\0").slice(0, -1)) files.push({ file, isRemoved: false });
  return { base, files: files.filter(({ file }) => !file.startsWith("..")) };
}

/** The text of a file as it was. @throws MailRuleError `changes-unreadable` */
export function fileAt(project: string, commit: string, file: string): Promise<string> {
  return git(project, ["show", `${commit}:./${file}`]);
}

async function git(project: string, args: readonly string[]): Promise<string> {
  const { stdout, stderr, exitCode } = await execa("git", ["-C", project, ...args], {
    reject: false,
    stripFinalNewline: false,
  });
  if (exitCode === 0) return stdout;
  throw new MailRuleError({
    code: "changes-unreadable",
    where: `git ${args.join(" ")}`,
    problem: stderr.trim().split("\n")[0] ?? "git did not answer.",
    fix: "Name a commit or branch that is here; in a CI, fetch the whole history (fetch-depth: 0).",
  });
}
