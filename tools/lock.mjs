/** A lock that keeps checkouts which share the cache from doing the same work at once. */
import { spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { cacheFolder } from "./path.mjs";
import { announce, SetupError, withElapsedTime } from "./progress.mjs";

/**
 * Does a piece of work while no other checkout does one of that name. The lock is held by a process
 * that ends with this one, whatever ends it.
 *
 * @param {string} name
 * @param {() => Promise<void>} work looks first whether another checkout has done it meanwhile
 */
export async function underLock(name, work) {
  mkdirSync(cacheFolder(), { recursive: true });
  const file = join(cacheFolder(), `${name}.lock`);
  const holder = spawn("flock", [file, "sh", "-c", "echo locked; exec cat"], {
    stdio: ["pipe", "pipe", "ignore"],
  });
  const locked = new Promise((resolve, reject) => {
    holder.once("error", (cause) =>
      reject(new SetupError(`Cannot lock ${file}: "flock" did not start.`, { cause })),
    );
    holder.once("exit", () => reject(new SetupError(`Cannot lock ${file}.`)));
    holder.stdout.once("data", resolve);
  });
  const busy = setTimeout(() => announce(`Waiting for another checkout to set up ${name}.`), 1_000);
  try {
    await withElapsedTime(() => locked.finally(() => clearTimeout(busy)));
    await work();
  } finally {
    holder.stdin.destroy();
  }
}
