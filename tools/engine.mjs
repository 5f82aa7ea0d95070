/** The Pulumi engine: the user's own, or one built from source once for all checkouts. */
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { cacheFolder, findProgram, languageHost, root } from "./path.mjs";
import { announce, runCommand, SetupError, withElapsedTime } from "./progress.mjs";

const source = join(root, "tools", "engine");
const engine = "github.com/pulumi/pulumi/pkg/v3";
/** The first Go that can fetch the newer one which go.mod asks for. */
const oldestGo = 21;

/**
 * Sees to it that a `pulumi` can be found: on the user's PATH, or in tools/language-host.
 *
 * @throws {SetupError} if there is none and no Go to build it with
 */
export async function buildEngine() {
  if (findProgram("pulumi") !== undefined) return;
  const built = join(cacheFolder(), "engine", sourceHash(), "pulumi");
  if (!existsSync(built)) {
    const go = findGo();
    await underLock(async () => {
      if (!existsSync(built)) await build(go, built);
    });
  }
  placeBesideLanguageHost(built);
}

function sourceHash() {
  const hash = createHash("sha256");
  for (const file of ["go.mod", "go.sum"]) hash.update(readFileSync(join(source, file)));
  return hash.digest("hex").slice(0, 16);
}

function findGo() {
  const go = findProgram("go");
  if (go === undefined) {
    throw new SetupError(
      "Neither pulumi nor Go is on the PATH: install one of them (without pulumi, Go builds it).",
    );
  }
  const { stdout } = spawnSync(go, ["env", "GOVERSION"], { encoding: "utf8" });
  const version = /^go1\.(\d+)/.exec(stdout ?? "");
  if (version !== null && Number(version[1]) < oldestGo) {
    throw new SetupError(
      `Go ${stdout.trim().slice(2)} is too old: Go 1.${oldestGo} or newer is needed to build pulumi, which is not on the PATH.`,
    );
  }
  return go;
}

/** Builds beside the final place and renames, so that an interrupted build leaves no half engine. */
async function build(go, built) {
  const version = new RegExp(`${engine} (v\\S+)`).exec(
    readFileSync(join(source, "go.mod"), "utf8"),
  );
  const folder = dirname(built);
  mkdirSync(folder, { recursive: true });
  for (const left of readdirSync(folder)) rmSync(join(folder, left));
  announce(
    `Building the Pulumi engine ${version?.[1]}, since no pulumi is on the PATH: once, some minutes.`,
  );
  const stamp = `-X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=${version?.[1]}`;
  const unfinished = `${built}.${process.pid}`;
  const command = [go, "build", "-ldflags", `-s -w ${stamp}`, "-o", unfinished];
  await withElapsedTime(() =>
    runCommand("Building the Pulumi engine", [...command, `${engine}/cmd/pulumi`], {
      cwd: source,
      // A C compiler may be missing, and the engine needs none.
      env: { ...process.env, CGO_ENABLED: "0", GOWORK: "off" },
    }),
  );
  renameSync(unfinished, built);
}

/** The lock is held by a process that ends with this one, whatever ends it. */
async function underLock(work) {
  mkdirSync(cacheFolder(), { recursive: true });
  const file = join(cacheFolder(), "engine.lock");
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
  const busy = setTimeout(
    () => announce("Waiting for another checkout that builds the engine."),
    1_000,
  );
  try {
    await withElapsedTime(() => locked.finally(() => clearTimeout(busy)));
    await work();
  } finally {
    holder.stdin.destroy();
  }
}

/**
 * The engine looks for its language host beside itself and warns about one found elsewhere, so it
 * must lie there: as a hard link, or a copy where the cache is on another file system.
 */
function placeBesideLanguageHost(built) {
  const place = join(languageHost, "pulumi");
  const { size, mtime } = statSync(built);
  const present = statSync(place, { throwIfNoEntry: false });
  if (present?.size === size && present.mtime.getTime() === mtime.getTime()) return;
  const next = `${place}.${process.pid}`;
  try {
    linkSync(built, next);
  } catch {
    copyFileSync(built, next);
    utimesSync(next, mtime, mtime);
  }
  renameSync(next, place);
}
