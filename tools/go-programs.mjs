/** Programs in Go that no package registry has as a binary: each is built from source once for all checkouts. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { underLock } from "./lock.mjs";
import { cacheFolder, root } from "./path.mjs";
import { announce, runCommand, withElapsedTime } from "./progress.mjs";

/**
 * @typedef {object} GoProgram
 * @property {string} name of the binary
 * @property {string} folder below tools/, whose go.mod pins the program and all that it needs
 * @property {string} module whose version counts
 * @property {string} package that is built
 * @property {string} title what it is, in words
 * @property {string} reason why it is built, and how long that takes
 * @property {(version: string) => string} stamp for the linker
 */

/** Where the binary is, or will be. @param {GoProgram} program */
export function goProgramPath({ name, folder }) {
  const hash = createHash("sha256");
  for (const file of ["go.mod", "go.sum"]) hash.update(readFileSync(sourceOf(folder, file)));
  return join(cacheFolder(), folder, hash.digest("hex").slice(0, 16), name);
}

/** Builds it, unless it has been built. @param {GoProgram} program */
export async function buildGoProgram(program) {
  const built = goProgramPath(program);
  if (existsSync(built)) return;
  await underLock(program.folder, async () => {
    if (!existsSync(built)) await build(program, built);
  });
}

function sourceOf(folder, ...path) {
  return join(root, "tools", folder, ...path);
}

/** Builds beside the final place and renames, so that an interrupted build leaves no half program. */
async function build({ folder: source, module, package: target, title, reason, stamp }, built) {
  const goMod = readFileSync(sourceOf(source, "go.mod"), "utf8");
  const version = new RegExp(`${module} (v\\S+)`).exec(goMod)?.[1] ?? "";
  const folder = dirname(built);
  mkdirSync(folder, { recursive: true });
  for (const left of readdirSync(folder)) rmSync(join(folder, left));
  announce(`Building ${title} ${version}, ${reason}`);
  const unfinished = `${built}.${process.pid}`;
  const command = ["go", "build", "-ldflags", `-s -w ${stamp(version)}`, "-o", unfinished, target];
  await withElapsedTime(() =>
    runCommand(`Building ${title}`, command, {
      cwd: sourceOf(source),
      // A C compiler may be missing, and none is needed.
      env: { ...process.env, CGO_ENABLED: "0", GOWORK: "off" },
    }),
  );
  renameSync(unfinished, built);
}
