/** The counts that vitest's runs give. */
import { mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterEach, beforeEach, expect, test } from "vitest";

const root = join(import.meta.dirname, "..");
const passing = `test("holds", () => {});`;
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "reporter-"));
  await symlink(join(root, "node_modules"), join(folder, "node_modules"));
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

test.each([
  ["passing and failing tests", `${passing} ${passing} test("fails", () => { throw 1; });`, 2, 1],
  ["a module that cannot be loaded", `${passing} throw new Error("no module");`, 0, 1],
  [
    "a failing hook",
    `import { afterAll } from "vitest"; afterAll(() => { throw 1; }); ${passing}`,
    1,
    1,
  ],
  [
    "an error outside of tests",
    `${passing} setTimeout(() => { throw 1; });
    test("waits", () => new Promise((resolve) => setTimeout(resolve, 50)));`,
    2,
    1,
  ],
  ["no tests", "", 0, 1],
])("%s", async (_, source, passed, failed) => {
  await writeFile(join(folder, "a.test.ts"), `import { test } from "vitest"; ${source}`);
  const file = join(folder, "result.json");
  const vitest = join(root, "node_modules/vitest/vitest.mjs");
  const reporter = `--reporter=${join(import.meta.dirname, "reporter.ts")}`;
  const { exitCode } = await execa(process.execPath, [vitest, "run", reporter], {
    cwd: folder,
    reject: false,
    env: { TEST_RESULT_FILE: file },
  });
  expect(exitCode).not.toBe(0);
  expect(JSON.parse(await readFile(file, "utf8"))).toEqual({ passed, failed });
});
