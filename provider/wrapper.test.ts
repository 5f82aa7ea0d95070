/** The executable that the engine starts. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";

const wrapper = fileURLToPath(new URL("pulumi-resource-mxhero", import.meta.url));
let folder: string;
let bin: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "wrapper-"));
  bin = join(folder, "bin");
  mkdirSync(bin);
  for (const tool of ["sh", "readlink", "dirname"])
    symlinkSync(`/usr/bin/${tool}`, join(bin, tool));
});

afterEach(() => rmSync(folder, { recursive: true }));

/** A copy without the project's own Node beside it. */
function withoutModules(): string {
  const copy = join(folder, "provider", "pulumi-resource-mxhero");
  mkdirSync(join(folder, "provider"));
  copyFileSync(wrapper, copy);
  return copy;
}

async function run(program: string, env: NodeJS.ProcessEnv) {
  const child = spawn(program, ["127.0.0.1:1"], { env, stdio: ["ignore", "pipe", "pipe"] });
  const [stderr, [exitCode]] = await Promise.all([text(child.stderr), once(child, "exit")]);
  return { stderr, exitCode };
}

test("prints the port and ends with its stdin, through a link, too", async () => {
  const link = join(folder, "pulumi-resource-mxhero");
  symlinkSync(wrapper, link);
  const child = spawn(link, ["127.0.0.1:1"], { stdio: ["pipe", "pipe", "inherit"] });
  const [line] = await once(createInterface(child.stdout), "line");
  expect(line).toMatch(/^\d+$/);
  child.stdin.end();
  expect(await once(child, "exit")).toEqual([0, null]);
});

test("names an old Node and what to do", async () => {
  writeFileSync(join(bin, "node"), "#!/bin/sh\necho v22.23.1\n", { mode: 0o755 });
  const { stderr, exitCode } = await run(withoutModules(), { PATH: bin, HOME: folder });
  expect(exitCode).toBe(1);
  expect(stderr).toContain(`${join(bin, "node")} is v22.23.1, but Node 24 or newer is needed`);
  expect(stderr).toContain(`npm install in ${folder}`);
});

test("says that Node is missing", async () => {
  const { stderr, exitCode } = await run(withoutModules(), { PATH: bin, HOME: folder });
  expect(exitCode).toBe(1);
  expect(stderr).toContain("Node.js is missing: run npm install in");
});
