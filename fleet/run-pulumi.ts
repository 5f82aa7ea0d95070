/** Runs a command of the Pulumi CLI that is no run of the engine. */
import { execa } from "execa";
import { stackUnreadable } from "../commands/stack.ts";

/** @returns what it printed. @throws MailRuleError `stack-unreadable` */
export async function runPulumi(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const { stdout, stderr, exitCode, code } = await execa(
    "pulumi",
    [...args, "--non-interactive", "--color", "never"],
    { env, reject: false, stdin: "ignore" },
  );
  if (exitCode === 0) return stdout;
  throw stackUnreadable(`pulumi ${args.join(" ")}`, stderr, code === "ENOENT");
}
