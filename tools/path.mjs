/** The folders that matter: the checkout, the cache shared by all checkouts, and the PATH. */
import { accessSync, constants, realpathSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = dirname(dirname(fileURLToPath(import.meta.url)));
export const nodeModulesBin = join(root, "node_modules", ".bin");
/** Holds the stand-in language host and, where the user has no engine, a link to the built one. */
export const languageHost = join(root, "tools", "language-host");

/** Where what is built once serves every checkout: `$XDG_CACHE_HOME` or `~/.cache`. */
export function cacheFolder() {
  const base = process.env.XDG_CACHE_HOME || join(homedir(), ".cache");
  return join(base, "pulumi-mxhero");
}

/** The user's own PATH, without what npm and this set-up add to it. */
export function ownPath() {
  const added = new Set([nodeModulesBin, languageHost]);
  return (process.env.PATH ?? "").split(delimiter).filter((folder) => folder && !added.has(folder));
}

/** The full path of a program on the user's own PATH, or undefined. */
export function findProgram(name) {
  return ownPath()
    .map((folder) => join(folder, name))
    .find(isExecutable);
}

/**
 * The PATH of the project's programs. Its own engine and language host come last, so that the
 * user's win; they are left out where the user's engine has a language host beside it, because the
 * engine prefers one on the PATH to that.
 */
export function programPath() {
  const pulumi = findProgram("pulumi");
  const complete =
    pulumi !== undefined &&
    isExecutable(join(dirname(realpathSync(pulumi)), "pulumi-language-nodejs"));
  return [nodeModulesBin, ...ownPath(), ...(complete ? [] : [languageHost])].join(delimiter);
}

function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}
