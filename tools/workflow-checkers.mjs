/** The programs that check the workflows: actionlint, which is built, and zizmor, which is installed. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { buildGoProgram, goProgramPath } from "./go-programs.mjs";
import { findProgram } from "./path.mjs";
import { SetupError } from "./progress.mjs";
import { installPythonProgram, pythonFolder } from "./python-programs.mjs";

const actionlint = {
  name: "actionlint",
  folder: "actionlint",
  module: "github.com/rhysd/actionlint",
  package: "github.com/rhysd/actionlint/cmd/actionlint",
  title: "actionlint",
  reason: "which checks the workflows: once, a minute.",
  stamp: () => "",
};

/** @throws {SetupError} if there is no Go that can build actionlint */
export function requireGoForCheckers() {
  if (existsSync(actionlintPath()) || findProgram("go") !== undefined) return;
  throw new SetupError("Go is missing: it builds actionlint, which checks the workflows.");
}

export async function installWorkflowCheckers() {
  await buildGoProgram(actionlint);
  await installPythonProgram("zizmor");
}

export function actionlintPath() {
  return goProgramPath(actionlint);
}

export function zizmorPath() {
  return join(pythonFolder("zizmor"), "bin", "zizmor");
}
