/** The command that opens a shell inside a running lab, ready to use Pulumi by hand. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { PulumiProject } from "./pulumi.ts";

export interface ShellOptions {
  readonly project: PulumiProject;
  /** The stack that is selected. */
  readonly stack: string;
  /** Further variables. */
  readonly env: Readonly<Record<string, string>>;
  /** An existing folder for the shell's start-up file. */
  readonly directory: string;
}

/** Writes the shell's start-up file, and tells the command line that opens the shell from outside. */
export async function prepareShell(options: ShellOptions): Promise<string> {
  const { project, stack, env, directory } = options;
  const { exitCode, stderr } = await project.run(stack, ["stack", "select"]);
  if (exitCode !== 0) throw new Error(`Cannot select the stack ${stack}: ${stderr}`);
  const file = join(directory, "shell.rc");
  const variables = Object.entries({ ...project.env, ...env, PROMPT_COMMAND: "" });
  const lines = [
    ...variables.map(([name, value]) => `export ${name}=${quote(value)}`),
    `cd ${quote(project.directory)}`,
    `send() { node ${quote(fileURLToPath(new URL("send.ts", import.meta.url)))} "$@"; }`,
    "PS1='lab \\W$ '",
  ];
  await writeFile(file, `${lines.join("\n")}\n`);
  return [...enterCommand(), "bash", "--rcfile", file].join(" ");
}

/** Empty if the lab has no namespaces of its own. */
function enterCommand(): string[] {
  const pid = process.env["NAMESPACE_PID"];
  if (pid === undefined) return [];
  const enter = ["nsenter", `--target=${pid}`, "--net", "--mount", "--root"];
  // The first process of a process namespace stands for it; this one only started it.
  const processes = `--pid=/proc/${pid}/ns/pid_for_children`;
  const uid = process.getuid?.();
  if (uid === 0) return [...enter, processes];
  return ["sudo", ...enter, processes, `--setuid=${uid}`, `--setgid=${process.getgid?.()}`];
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
