/** Tells what the set-up does: one line for each step, and the time for what takes over two seconds. */
import { spawn } from "node:child_process";

/** Why the set-up cannot go on, in one sentence that names what is missing. */
export class SetupError extends Error {
  name = "SetupError";
}

const out = process.stderr;
const onTerminal = out.isTTY === true;
const coloured = onTerminal && !process.env.NO_COLOR;
const quietMs = 2_000;
const outputKept = 8_000;

/** The commands that run now; they end with the set-up. */
const running = new Set();

/** Ends the commands that still run, the way Ctrl-C does. */
export function interruptCommands() {
  for (const child of running) child.kill("SIGINT");
}

export function announce(line) {
  out.write(coloured ? `\x1b[36m${line}\x1b[0m\n` : `${line}\n`);
}

/**
 * Shows how long a piece of work takes: on a terminal each second, elsewhere a line every 15 s.
 *
 * @template T
 * @param {() => Promise<T>} work
 * @returns {Promise<T>} what the work gave
 */
export async function withElapsedTime(work) {
  const start = Date.now();
  const elapsed = () => Math.round((Date.now() - start) / 1000);
  const clear = () => onTerminal && out.write("\r\x1b[K");
  const timer = setInterval(
    () => {
      if (!onTerminal) out.write(`  still working, ${elapsed()} s\n`);
      else if (Date.now() - start >= quietMs) out.write(`\r  ${elapsed()} s`);
    },
    onTerminal ? 1_000 : 15_000,
  );
  try {
    const result = await work();
    clear();
    if (Date.now() - start >= quietMs) out.write(`  done in ${elapsed()} s\n`);
    return result;
  } catch (error) {
    clear();
    throw error;
  } finally {
    clearInterval(timer);
  }
}

/**
 * Runs a command quietly; the end of its output is shown only if it fails.
 *
 * @param {string} task what it does, for the error
 * @param {readonly string[]} command
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv }} [options]
 * @throws {SetupError} if it does not start or does not end with 0
 */
export async function runCommand(task, command, options = {}) {
  const [program, ...args] = command;
  const child = spawn(program, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
  running.add(child);
  let output = "";
  const keep = (chunk) => {
    output = `${output}${chunk}`.slice(-outputKept);
  };
  child.stdout.on("data", keep);
  child.stderr.on("data", keep);
  try {
    const end = await new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code, signal) => resolve(signal ?? code));
    });
    if (end !== 0) throw new SetupError(`${task} failed (${end}).\n${output.trimEnd()}`);
  } catch (cause) {
    if (cause instanceof SetupError) throw cause;
    throw new SetupError(`${task} failed: "${program}" did not start.`, { cause });
  } finally {
    running.delete(child);
  }
}
