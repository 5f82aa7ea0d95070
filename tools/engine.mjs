/** The Pulumi engine: the user's own, or one built from source once for all checkouts. */
import { spawnSync } from "node:child_process";
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
import { underLock } from "./lock.mjs";
import { cacheFolder, findProgram, languageHost, root } from "./path.mjs";
import { announce, runCommand, SetupError, withElapsedTime } from "./progress.mjs";

const source = join(root, "tools", "engine");
const engine = "github.com/pulumi/pulumi/pkg/v3";
/** The first Go that can fetch the newer one which go.mod asks for. */
const oldestGo = 21;

/** @throws {SetupError} if there is neither an engine nor a Go that can build it */
export function requireEngineOrGo() {
  if (findProgram("pulumi") !== undefined || existsSync(builtEngine())) return;
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
}

/** Sees to it that a `pulumi` can be found: on the user's PATH, or in tools/language-host. */
export async function buildEngine() {
  if (findProgram("pulumi") !== undefined) return;
  const built = builtEngine();
  if (!existsSync(built)) {
    await underLock("engine", async () => {
      if (!existsSync(built)) await build(built);
    });
  }
  placeBesideLanguageHost(built);
}

function builtEngine() {
  const hash = createHash("sha256");
  for (const file of ["go.mod", "go.sum"]) hash.update(readFileSync(join(source, file)));
  return join(cacheFolder(), "engine", hash.digest("hex").slice(0, 16), "pulumi");
}

/** Builds beside the final place and renames, so that an interrupted build leaves no half engine. */
async function build(built) {
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
  const command = ["go", "build", "-ldflags", `-s -w ${stamp}`, "-o", unfinished];
  await withElapsedTime(() =>
    runCommand("Building the Pulumi engine", [...command, `${engine}/cmd/pulumi`], {
      cwd: source,
      // A C compiler may be missing, and the engine needs none.
      env: { ...process.env, CGO_ENABLED: "0", GOWORK: "off" },
    }),
  );
  renameSync(unfinished, built);
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
