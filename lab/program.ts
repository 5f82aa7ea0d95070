/** Runs one of the lab's servers as a child that dies with this process and logs to a file. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** A program of the lab did not start, died, or refused what it was asked. */
export class LabError extends Error {
  override readonly name = "LabError";
}

export class Program implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #log: string;
  readonly name: string;
  #failure: Error | undefined;

  /**
   * @param name as it appears in errors, e.g. `unbound`. @param log the file that takes its output.
   * @param env variables on top of this process's own
   */
  constructor(
    name: string,
    command: readonly string[],
    log: string,
    env: Readonly<Record<string, string>> = {},
  ) {
    this.name = name;
    this.#log = log;
    const output = openSync(log, "a");
    // setpriv lets the kernel end the child even where this process is killed with SIGKILL.
    this.#child = spawn("setpriv", ["--pdeathsig", "KILL", ...command], {
      stdio: ["ignore", output, output],
      env: { ...process.env, ...env },
    });
    closeSync(output);
    this.#child.on("error", (error) => {
      this.#failure = error;
    });
  }

  /** Waits until `check` says true. @throws {LabError} if the program ends or the time passes first */
  async ready(check: () => Promise<boolean>, startSeconds = 10): Promise<void> {
    const deadline = Date.now() + startSeconds * 1000;
    while (!(await check())) {
      if (this.#ended()) throw this.error("ended while starting");
      if (Date.now() > deadline) throw this.error(`did not answer within ${startSeconds} s`);
      await sleep(10);
    }
  }

  /** An error that carries the end of the program's log. */
  error(what: string, cause: unknown = this.#failure): LabError {
    const lines = readFileSync(this.#log, "utf8").trim().split("\n").slice(-15);
    const logged = lines.join("\n  ") || "nothing";
    return new LabError(`${this.name} ${what}. It logged (${this.#log}):\n  ${logged}`, {
      cause,
    });
  }

  /** Resolves when none of its threads runs any more. */
  async pause(): Promise<void> {
    this.#child.kill("SIGSTOP");
    const tasks = `/proc/${this.#child.pid}/task`;
    const stopped = () =>
      readdirSync(tasks).every((task) => / T /.test(readFileSync(`${tasks}/${task}/stat`, "utf8")));
    while (!stopped()) {
      if (this.#ended()) throw this.error("has ended");
      await sleep(1);
    }
  }

  resume(): void {
    this.#child.kill("SIGCONT");
  }

  #ended(): boolean {
    const { exitCode, signalCode } = this.#child;
    return this.#failure !== undefined || exitCode !== null || signalCode !== null;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#ended()) return;
    const exit = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await exit;
  }
}
