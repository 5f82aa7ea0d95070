/**
 * Sets up what the project's programs need and the machine lacks. Every step first looks whether it
 * has anything to do; a step that was interrupted is done again by the next run.
 */

import { installDebianPackages, requireRoot } from "./debian-packages.mjs";
import { buildEngine, requireEngineOrGo } from "./engine.mjs";
import { installNodePackages } from "./node-packages.mjs";
import { interruptCommands, SetupError } from "./progress.mjs";
import { installPythonPrograms, requirePython } from "./python-programs.mjs";
import { installWorkflowCheckers, requireGoForCheckers } from "./workflow-checkers.mjs";

const architectures = ["x64", "arm64"];

/**
 * Sets up the npm packages and Node 24; for programs that run in the lab the rest too, and for the tests what
 * checks the workflows.
 *
 * @param {{ lab: boolean, checkers?: boolean }} needs
 * @throws {SetupError} in one sentence, if something is missing that the set-up cannot install
 */
export async function setUp({ lab, checkers = false }) {
  const interruption = endOnSignal();
  try {
    requirePlatform();
    if (lab) {
      requireRoot();
      requireEngineOrGo();
      requirePython();
    }
    if (checkers) requireGoForCheckers();
    await installNodePackages();
    if (lab) {
      await installDebianPackages();
      await buildEngine();
      await installPythonPrograms();
    }
    if (checkers) await installWorkflowCheckers();
  } finally {
    interruption.stop();
  }
}

function requirePlatform() {
  if (process.platform === "linux" && architectures.includes(process.arch)) return;
  throw new SetupError(
    `This runs on Linux (Debian 12) on ${architectures.join(" or ")}, not on ${process.platform} ${process.arch}.`,
  );
}

function endOnSignal() {
  const numbers = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 };
  const end = (signal) => {
    interruptCommands();
    console.error("\nThe set-up was interrupted; run the same command again to go on.");
    process.exit(128 + numbers[signal]);
  };
  for (const signal of Object.keys(numbers)) process.on(signal, end);
  return {
    stop: () => {
      for (const signal of Object.keys(numbers)) process.off(signal, end);
    },
  };
}
