import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { access, mkdtempDisposable, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { bundleAgent, makeBundle } from "./bundle.ts";

const run = promisify(execFile);

test("the agent is one file that runs by itself, and the same bytes each time", {
  timeout: 60_000,
}, async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), "bundle-"));
  const [text, again] = [await bundleAgent(), await bundleAgent()];
  expect(again).toBe(text);
  // No path of the machine that made it.
  expect(text).not.toContain(process.cwd());
  const file = join(directory.path, "agent.js");
  await writeFile(file, text);
  const { stdout } = await run(process.execPath, [file, "--help"], {
    cwd: directory.path,
    env: {},
  });
  expect(stdout).toContain("install");
});

test("the archive holds agent, Node and unit, and has its hash as name", {
  timeout: 180_000,
}, async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), "bundle-"));
  const cache = join(directory.path, "cache");
  const architecture = process.arch === "arm64" ? "arm64" : "x64";
  const first = await makeBundle(architecture, cache);
  const fromCache = await makeBundle(architecture, cache);
  expect(fromCache.sha256).toBe(first.sha256);
  expect(createHash("sha256").update(first.archive).digest("hex")).toBe(first.sha256);

  const file = join(directory.path, "bundle.tar.gz");
  await writeFile(file, first.archive);
  await run("tar", ["-xzf", file, "-C", directory.path]);
  const node = join(directory.path, "node");
  expect((await run(node, ["--version"])).stdout).toMatch(/^v24\./);
  expect((await run(node, [join(directory.path, "agent.js"), "--help"])).stdout).toContain("drain");
  await access(join(directory.path, "mxhero-gateway.service"));
  const { stdout } = await run("tar", ["--list", "--verbose", "--numeric-owner", "-zf", file]);
  expect(stdout.split("\n").map((line) => line.split(/\s+/).slice(0, 2).join(" "))).toEqual([
    "-rw-r--r-- 0/0",
    "-rw-r--r-- 0/0",
    "-rwxr-xr-x 0/0",
    "",
  ]);
  expect((await readFile(node)).equals(await readFile(process.execPath))).toBe(true);
});
