/** Which processes run below another one; for tests that kill one of them. */
import { readdir, readFile } from "node:fs/promises";

/** The processes that a process started, and those that they started, as far as they still run. */
export async function descendantsOf(pid: number): Promise<number[]> {
  // A child is listed at the thread that started it.
  const threads = await orNothing(readdir(`/proc/${pid}/task`));
  const lists = await Promise.all(
    threads.map((thread) => orNothing(readWords(`/proc/${pid}/task/${thread}/children`))),
  );
  const children = lists.flat().map(Number);
  return [...children, ...(await Promise.all(children.map(descendantsOf))).flat()];
}

/** Program and arguments; empty if the process has ended. */
export async function commandLineOf(pid: number): Promise<string[]> {
  return orNothing(
    readFile(`/proc/${pid}/cmdline`, "utf8").then((text) => text.split("\0").slice(0, -1)),
  );
}

async function readWords(file: string): Promise<string[]> {
  return (await readFile(file, "utf8")).split(" ").filter((word) => word !== "");
}

/** A process may end while it is looked at. */
async function orNothing(reading: Promise<string[]>): Promise<string[]> {
  try {
    return await reading;
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "ENOENT" || code === "ESRCH") return [];
    throw error;
  }
}
