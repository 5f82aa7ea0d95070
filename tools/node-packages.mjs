/** The npm packages, Node 24 among them: installed when they differ from package-lock.json. */
import { existsSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { findProgram, nodeModulesBin, ownPath, root } from "./path.mjs";
import { announce, runCommand, SetupError, withElapsedTime } from "./progress.mjs";

export async function installNodePackages() {
  if (isInstalled()) return;
  const npm = findProgram("npm");
  if (npm === undefined) {
    throw new SetupError("npm is missing: it installs the project's packages and Node 24.");
  }
  announce("Installing the npm packages that package-lock.json names, Node 24 among them.");
  // Not `npm ci`: that refuses a lock file which lacks optional packages of other platforms, as one
  // does that was written where the registry lacks them. This too installs exactly what is locked.
  const command = [npm, "install", "--no-save", "--loglevel=error", "--no-audit", "--no-fund"];
  await withElapsedTime(() =>
    runCommand("npm install", [...command, "--include=dev", "--include=optional"], {
      cwd: root,
      // Not with the Node that is about to be replaced.
      env: { ...process.env, PATH: ownPath().join(delimiter) },
    }),
  );
  if (!existsSync(join(nodeModulesBin, "node"))) {
    throw new SetupError(
      `npm installed no Node 24 for ${process.platform} ${process.arch}: allow optional packages.`,
    );
  }
}

/** npm writes the list of what it installed last, so a broken-off installation has none. */
function isInstalled() {
  const installed = packagesIn(join(root, "node_modules", ".package-lock.json"));
  const locked = packagesIn(join(root, "package-lock.json"));
  if (installed === undefined || locked === undefined) return false;
  const wanted = Object.entries(locked).filter(([path]) => path !== "");
  return (
    existsSync(join(nodeModulesBin, "node")) &&
    wanted.every(([path, entry]) => isSame(installed[path], entry)) &&
    Object.entries(installed).every(([path, entry]) => path in locked || entry.optional === true)
  );
}

/** Optional packages are those of other platforms too; none of them need be there. */
function isSame(installed, locked) {
  if (installed === undefined) return locked.optional === true;
  return installed.version === locked.version && installed.integrity === locked.integrity;
}

function packagesIn(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8")).packages;
  } catch {
    return undefined;
  }
}
