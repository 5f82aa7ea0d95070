/** The Pulumi engine: the user's own, or one built from source once for all checkouts. */
import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, linkSync, renameSync, statSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { buildGoProgram, goProgramPath } from "./go-programs.mjs";
import { findProgram, languageHost } from "./path.mjs";
import { SetupError } from "./progress.mjs";

const engine = {
  name: "pulumi",
  folder: "engine",
  module: "github.com/pulumi/pulumi/pkg/v3",
  package: "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
  title: "the Pulumi engine",
  reason: "since no pulumi is on the PATH: once, some minutes.",
  stamp: (version) => `-X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=${version}`,
};
/** The first Go that can fetch the newer one which go.mod asks for. */
const oldestGo = 21;

/** @throws {SetupError} if there is neither an engine nor a Go that can build it */
export function requireEngineOrGo() {
  if (findProgram("pulumi") !== undefined || existsSync(goProgramPath(engine))) return;
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
  await buildGoProgram(engine);
  placeBesideLanguageHost(goProgramPath(engine));
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
