/** Programs in Python that the lab and the checks need: each in a virtual environment, installed once for all checkouts. */
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { underLock } from "./lock.mjs";
import { cacheFolder, findProgram, root } from "./path.mjs";
import { announce, runCommand, SetupError, withElapsedTime } from "./progress.mjs";

/** What each is for; `tools/<name>/requirements.txt` pins it and all that it needs. */
const programs = {
  octodns: "octoDNS, a Cloudflare client in Python that the lab is tested with",
  moto: "moto, an emulator of AWS's API for the lab",
  zizmor: "zizmor, which looks for security faults in the workflows",
};

/** What the lab needs of them. */
const labPrograms = ["octodns", "moto"];

/** @throws {SetupError} if there is no Python to run them */
export function requirePython() {
  if (findProgram("python3") === undefined) {
    throw new SetupError("python3 is missing: programs of the lab are written in Python.");
  }
}

export async function installPythonPrograms() {
  for (const name of labPrograms) await installPythonProgram(name);
}

/**
 * The folder of a program's virtual environment.
 *
 * @param {string} name
 */
export function pythonFolder(name) {
  const requirements = readFileSync(requirementsOf(name));
  const hash = createHash("sha256").update(requirements).digest("hex");
  return join(cacheFolder(), name, hash.slice(0, 16));
}

function requirementsOf(name) {
  return join(root, "tools", name, "requirements.txt");
}

/** @param {keyof typeof programs} name */
export async function installPythonProgram(name) {
  const folder = pythonFolder(name);
  // Written last: a virtual environment cannot be built elsewhere and moved.
  const complete = join(folder, "complete");
  if (existsSync(complete)) return;
  await underLock(name, async () => {
    if (existsSync(complete)) return;
    announce(`Installing ${programs[name]}.`);
    await withElapsedTime(() => install(name, folder));
    writeFileSync(complete, "");
  });
}

async function install(name, folder) {
  const venv = ["python3", "-m", "venv", "--clear", folder];
  await runCommand(`Creating the virtual environment of ${name}`, venv);
  const pip = [join(folder, "bin", "python"), "-m", "pip", "--disable-pip-version-check"];
  const packages = ["--quiet", "--no-deps", "--requirement", requirementsOf(name)];
  await runCommand(`Installing ${name}`, [...pip, "install", ...packages]);
}
