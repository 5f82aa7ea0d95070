/** The checks of the source: types, type-aware lint, format, and the generated schema. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { nodeModulesBin, root } from "./path.mjs";
import { announce, withElapsedTime } from "./progress.mjs";

const checks = {
  types: ["tsc", "--noEmit"],
  lint: ["oxlint", "--type-aware", "--deny-warnings"],
  format: ["biome", "ci"],
};
const generated = { "generated schema": ["node", "config/generate-schema.ts", "--check"] };

/**
 * Runs all checks and prints what the failing ones say.
 *
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<string[]>} the names of those that failed
 */
export async function check(env) {
  announce("Checking types, lint, format and the generated schema.");
  const results = await withElapsedTime(async () => [
    ...(await Promise.all(start(checks, env))),
    ...(await Promise.all(start(generated, env))),
  ]);
  const failing = results.filter(({ code }) => code !== 0);
  for (const { name, output } of failing) {
    // Some of them colour what goes to no terminal.
    console.log(`\n${name} failed:\n${stripVTControlCharacters(output).trimEnd()}\n`);
  }
  return failing.map(({ name }) => name);
}

function start(commands, env) {
  return Object.entries(commands).map(async ([name, command]) => ({
    name,
    ...(await run(command, env)),
  }));
}

function run([program, ...args], env) {
  const stdio = ["ignore", "pipe", "pipe"];
  const child = spawn(join(nodeModulesBin, program), args, { cwd: root, env, stdio });
  const chunks = [];
  child.stdout.on("data", (chunk) => chunks.push(chunk));
  child.stderr.on("data", (chunk) => chunks.push(chunk));
  return new Promise((resolve) => {
    child.once("error", (error) => resolve({ code: 1, output: error.message }));
    child.once("close", (code) => resolve({ code, output: Buffer.concat(chunks).toString() }));
  });
}
