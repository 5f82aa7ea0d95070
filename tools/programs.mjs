/** The programs behind the npm scripts: what each needs and how it is started with Node 24. */
import { spawn } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { enterNamespace } from "../lab/namespace.mjs";
import { check } from "./check.mjs";
import { cacheFolder, nodeModulesBin, programPath, root } from "./path.mjs";
import { SetupError } from "./progress.mjs";
import { setUp } from "./setup.mjs";

const node = join(nodeModulesBin, "node");

const programs = {
  check: { lab: false, run: async () => ((await check(environment())).length === 0 ? 0 : 1) },
  test: { lab: true, checkers: true, run: test },
  demo: { lab: true, run: (args) => startInLab("lab/demo.ts", args) },
  lab: { lab: true, run: (args) => startInLab("lab/lab.ts", args) },
  crash: { lab: true, run: crash },
  soak: { lab: true, run: (args) => startInLab("lab/soak.ts", args) },
  bench: { lab: true, run: (args) => startInLab("lab/bench.ts", args) },
  leftovers: { lab: false, run: (args) => start("commands/leftovers.ts", args) },
  steps: { lab: false, run: (args) => start("commands/steps.ts", args) },
  verify: { lab: false, run: (args) => start("commands/verify.ts", args) },
  fleet: { lab: false, run: (args) => start("commands/fleet.ts", args) },
  comment: { lab: false, run: (args) => start("commands/comment.ts", args) },
  "drift-issue": { lab: false, run: (args) => start("commands/drift-issue.ts", args) },
  reviewed: { lab: false, run: (args) => start("commands/reviewed.ts", args) },
  "up-to-date": { lab: false, run: (args) => start("commands/up-to-date.ts", args) },
  "stack-files": { lab: false, run: (args) => start("commands/stack-files.ts", args) },
};

/**
 * Sets up what the named program needs and runs it.
 *
 * @param {readonly string[]} argv the program's name and its arguments
 * @returns {Promise<number>} the exit code
 */
export async function main([name, ...args]) {
  const program = Object.hasOwn(programs, name) ? programs[name] : undefined;
  if (program === undefined) {
    console.error(`Usage: node tools/run.mjs ${Object.keys(programs).join("|")} [argument...]`);
    return 2;
  }
  try {
    await setUp(program);
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    console.error(error.message);
    return 1;
  }
  return program.run(args);
}

function environment() {
  const { NODE_COMPILE_CACHE = join(cacheFolder(), "compile-cache") } = process.env;
  const colour = process.stdout.isTTY || process.env.FORCE_COLOR ? {} : { NO_COLOR: "1" };
  return { ...process.env, ...colour, NODE_COMPILE_CACHE, PATH: programPath() };
}

function startInLab(file, args, variables = {}) {
  return enterNamespace([node, join(root, file), ...args], { ...environment(), ...variables });
}

/** For what looks at real stacks and domains: in the user's own network. */
function start(file, args) {
  const child = spawn(node, [join(root, file), ...args], { stdio: "inherit", env: environment() });
  // Ctrl-C reaches the child as well, which says when it ends.
  process.on("SIGINT", () => undefined);
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => resolve(code ?? 2));
  });
}

/** The crash tests alone, at every point. */
function crash(args) {
  const vitest = "node_modules/vitest/vitest.mjs";
  return startInLab(vitest, ["run", "tests/crash-", ...args], { CRASH_POINTS: "all" });
}

/** Runs the checks, then the tests; the last line is how many passed and failed, checks included. */
async function test(args) {
  const failedChecks = await check(environment());
  const file = join(root, "node_modules", `.test-result-${process.pid}.json`);
  const reporters = ["--reporter=default", `--reporter=${join(root, "tools", "reporter.ts")}`];
  try {
    const vitest = "node_modules/vitest/vitest.mjs";
    const variables = { TEST_RESULT_FILE: file };
    const code = await startInLab(vitest, ["run", ...reporters, ...args], variables);
    const { passed, failed } = readResult(file);
    if (failedChecks.length > 0)
      console.log(`Checks that failed, above: ${failedChecks.join(", ")}`);
    return report({ passed, failed: failed + failedChecks.length }, code);
  } finally {
    rmSync(file, { force: true });
  }
}

/** A run that ended badly never counts as one without failures, nor does one without tests. */
function report({ passed, failed }, code) {
  const failures = code !== 0 && failed === 0 ? 1 : failed;
  if (passed + failures === 0) console.log("No test ran.");
  console.log(`Tests: ${passed} passed, ${failures} failed`);
  return code === 0 && (failures > 0 || passed === 0) ? 1 : code;
}

function readResult(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return { passed: 0, failed: 1 };
  }
}
