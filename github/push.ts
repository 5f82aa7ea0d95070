/** What git says of a push: its commits, and the files that it changes. */
import { execa } from "execa";
import type { ChangedFile } from "../fleet/changed-stacks.ts";

export interface Push {
  /** The branch's last commit before. */
  readonly from: string;
  /** Its last commit now. */
  readonly to: string;
}

/** Names no commit: what GitHub gives as the one before the first. */
const NO_COMMIT = /^0+$/;

/** The tree without files, which git knows everywhere: a branch's first push brings all of its files. */
const NO_FILES = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";

/** What the push brought, the oldest first: merges, or the commits themselves where they were rebased. */
export async function commitsOf({ from, to }: Push): Promise<string[]> {
  const range = NO_COMMIT.test(from) ? ["--max-count=1", to] : [`${from}..${to}`];
  const args = ["rev-list", "--first-parent", "--reverse", ...range, "--"];
  const { stdout } = await execa("git", args);
  return stdout.split("\n").filter(Boolean);
}

export async function changesOf({ from, to }: Push): Promise<ChangedFile[]> {
  const commits = [NO_COMMIT.test(from) ? NO_FILES : from, to];
  const names = ["-r", "--name-status", "--no-renames", "-z"];
  const { stdout } = await execa("git", ["diff-tree", ...names, ...commits, "--"]);
  const listed = stdout.split("\0").slice(0, -1);
  const files: ChangedFile[] = [];
  for (let index = 0; index + 1 < listed.length; index += 2) {
    const [status, file = ""] = listed.slice(index, index + 2);
    files.push({ file, isRemoved: status === "D" });
  }
  return files;
}
