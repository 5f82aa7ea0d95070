/** `npm test`: what is run, and the line that sums it up. */
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { Checkout } from "./checkout.ts";

/** A checkout whose checks succeed and whose vitest is the given program. */
async function createCheckout(vitest: string): Promise<Checkout> {
  const checkout = await Checkout.create();
  // What checks the workflows is built by it.
  await checkout.fake("go", 'while [ "$1" != -o ]; do shift; done; echo built >"$2"');
  for (const name of ["tsc", "oxlint", "biome"]) await checkout.addNodeProgram(name, "exit 0");
  await writeModule(checkout, "config/generate-schema.ts", "");
  await writeModule(checkout, "node_modules/vitest/vitest.mjs", vitest);
  return checkout;
}

async function writeModule(checkout: Checkout, path: string, source: string): Promise<void> {
  const file = join(checkout.folder, path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, source);
}

function vitestWith(result: { passed: number; failed: number }, exitCode: number): string {
  return `
    import { writeFileSync } from "node:fs";
    writeFileSync(process.env.TEST_RESULT_FILE, ${JSON.stringify(JSON.stringify(result))});
    process.exit(${exitCode});
  `;
}

test.each([
  ["tests that pass", vitestWith({ passed: 3, failed: 0 }, 0), "3 passed, 0 failed", 0],
  ["tests that fail", vitestWith({ passed: 3, failed: 2 }, 1), "3 passed, 2 failed", 1],
  [
    "a failure that no test shows",
    vitestWith({ passed: 3, failed: 0 }, 1),
    "3 passed, 1 failed",
    1,
  ],
  ["failures behind exit code 0", vitestWith({ passed: 3, failed: 1 }, 0), "3 passed, 1 failed", 1],
  ["no tests", vitestWith({ passed: 0, failed: 0 }, 0), "0 passed, 0 failed", 1],
  ["vitest breaking off", "process.exit(9);", "0 passed, 1 failed", 9],
])("%s", async (_, vitest, sum, exitCode) => {
  await using checkout = await createCheckout(vitest);
  const run = await checkout.run("test");
  expect(run.stdout.split("\n").at(-1)).toBe(`Tests: ${sum}`);
  expect(run.exitCode).toBe(exitCode);
});

test.each([
  ["test", "Tests: 3 passed, 3 failed"],
  ["check", "stale"],
])("failing checks are all shown and counted by `npm run %s`", async (program, lastLine) => {
  await using checkout = await createCheckout(vitestWith({ passed: 3, failed: 0 }, 0));
  await checkout.addNodeProgram("tsc", "echo no such type; exit 2");
  await checkout.addNodeProgram("biome", "echo misplaced space >&2; exit 1");
  await writeModule(
    checkout,
    "config/generate-schema.ts",
    `console.log("stale"); process.exit(1);`,
  );
  const { stdout, exitCode } = await checkout.run(program);
  expect(stdout).toContain("types failed:\nno such type");
  expect(stdout).toContain("format failed:\nmisplaced space");
  expect(stdout).toContain("generated schema failed:\nstale");
  expect(stdout.trimEnd().split("\n").at(-1)).toBe(lastLine);
  expect(exitCode).toBe(1);
});

test("further arguments go to vitest, which runs with the project's Node", async () => {
  await using checkout = await createCheckout(`console.log(...process.argv.slice(2));`);
  const { stdout } = await checkout.run("test", { args: ["mail/spf", "-t", "a b"] });
  expect(stdout).toMatch(/^run --reporter=default --reporter=\S+ mail\/spf -t a b$/m);
});

test("checks need neither root, Debian packages nor an engine", async () => {
  await using checkout = await createCheckout("");
  await checkout.fake("id", "echo 1000");
  await checkout.remove("sudo", "apt-get", "dpkg-query", "python3", "go", "pulumi");
  expect((await checkout.run("check")).exitCode).toBe(0);
});
