/** octoDNS, the second client of the lab's Cloudflare emulator: installed once for all checkouts. */
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { underLock } from "./lock.mjs";
import { cacheFolder, findProgram, root } from "./path.mjs";
import { announce, runCommand, SetupError, withElapsedTime } from "./progress.mjs";

const requirements = join(root, "tools", "octodns", "requirements.txt");

/** @throws {SetupError} if there is no Python to run it */
export function requirePython() {
  if (findProgram("python3") === undefined) {
    throw new SetupError("python3 is missing: the lab is tested with a client written in Python.");
  }
}

export async function installOctoDns() {
  const hash = createHash("sha256").update(readFileSync(requirements)).digest("hex");
  const folder = join(cacheFolder(), "octodns", hash.slice(0, 16));
  // Written last: a virtual environment cannot be built elsewhere and moved.
  const complete = join(folder, "complete");
  if (existsSync(complete)) return;
  await underLock("octodns", async () => {
    if (existsSync(complete)) return;
    announce("Installing octoDNS, a Cloudflare client in Python that the lab is tested with.");
    await withElapsedTime(() => install(folder));
    writeFileSync(complete, "");
  });
}

async function install(folder) {
  const venv = ["python3", "-m", "venv", "--clear", folder];
  await runCommand("Creating octoDNS's virtual environment", venv);
  const pip = [join(folder, "bin", "python"), "-m", "pip", "--disable-pip-version-check"];
  const packages = ["--quiet", "--no-deps", "--requirement", requirements];
  await runCommand("Installing octoDNS", [...pip, "install", ...packages]);
}
