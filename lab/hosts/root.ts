/** Commands of the lab that only root may run: hosts, links, file systems. */
import { execa } from "execa";

/** A host, or something that it needs, could not be made or did not do as it was told. */
export class LabHostError extends Error {
  override readonly name = "LabHostError";
}

/**
 * Hosts change the network that they are made in, so it must be one of the lab: see namespace.mjs.
 *
 * @throws {LabHostError} on the machine's own
 */
export function requireNamespace(): void {
  if (process.env["NAMESPACE_PID"] !== undefined) return;
  throw new LabHostError(
    "Hosts are made in the lab's own network namespace only: npm test, npm run lab.",
  );
}

/** The command as root: through sudo where the caller is someone else. */
export function asRoot(command: readonly string[]): [string, ...string[]] {
  const [program = "", ...args] = command;
  return process.getuid?.() === 0 ? [program, ...args] : ["sudo", program, ...args];
}

/** Runs a command as root and gives what it wrote. @throws {LabHostError} with what it said */
export async function runAsRoot(command: readonly string[], input = ""): Promise<string> {
  const [program, ...args] = asRoot(command);
  const { exitCode, stdout, stderr } = await execa(program, args, { input, reject: false });
  if (exitCode === 0) return stdout;
  throw new LabHostError(`${command.join(" ")} ended with ${exitCode}: ${stderr}`);
}
