import { mkdir, mkdtempDisposable, readFile, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test, vi } from "vitest";
import { createProject } from "./pulumi.ts";

// The CLI takes a second or two for each command, on a busy machine more.
vi.setConfig({ testTimeout: 60_000 });

const modules = fileURLToPath(new URL("../node_modules", import.meta.url));

/** A project whose program does what `program` says. */
async function exampleProject(directory: string, program: string) {
  const source = join(directory, "source");
  await mkdir(join(source, "stacks"), { recursive: true });
  await symlink(modules, join(source, "node_modules"));
  await writeFile(
    join(source, "Pulumi.yaml"),
    `name: example
main: index.ts
stackConfigDir: stacks
runtime: { name: nodejs, options: { typescript: false } }
`,
  );
  await writeFile(join(source, "package.json"), '{ "type": "module" }');
  await writeFile(join(source, "index.ts"), program);
  await writeFile(join(source, "stacks", "Pulumi.one.yaml"), "config:\n  example:word: first\n");
  return createProject({ directory, env: { LAB_WORD: "given" }, source });
}

test("a program runs with the stack's configuration and the given environment", async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "lab-"));
  const project = await exampleProject(
    folder.path,
    `import * as pulumi from "@pulumi/pulumi";
    export const words = [new pulumi.Config("example").require("word"), process.env.LAB_WORD];`,
  );
  await project.addStack("one");
  await project.addStack("two", "config:\n  example:word: second\n");
  for (const [stack, word] of [
    ["one", "first"],
    ["two", "second"],
  ] as const) {
    expect(await project.run(stack, ["up", "--yes"])).toMatchObject({ exitCode: 0 });
    const { stdout } = await project.run(stack, ["stack", "output", "--json"]);
    expect(JSON.parse(stdout)).toEqual({ words: [word, "given"] });
  }
  const source = join(folder.path, "source", "stacks", "Pulumi.one.yaml");
  expect(await readFile(source, "utf8")).toBe("config:\n  example:word: first\n");
});

test("a run that takes its time prints whole lines only, no dots between them", async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "lab-"));
  const program = `import { setTimeout } from "node:timers/promises";
    await setTimeout(3000);
    export const at = "the end";`;
  const project = await exampleProject(folder.path, program);
  await project.addStack("one");
  for (const command of [
    ["preview"],
    ["up", "--yes"],
    ["refresh", "--yes"],
    ["destroy", "--yes"],
  ]) {
    const { exitCode, stdout } = await project.run("one", command);
    expect({ exitCode, dots: stdout.match(/^@.*\.\./gm) }).toEqual({ exitCode: 0, dots: null });
  }
});

test("a program that fails is told by exit code and output", async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "lab-"));
  const project = await exampleProject(folder.path, 'throw new Error("no such gateway");');
  await project.addStack("one");
  const { exitCode, stdout, stderr } = await project.run("one", ["preview"]);
  expect(exitCode).not.toBe(0);
  expect(stdout + stderr).toContain("no such gateway");
});

test("a run can be killed, and another one be aborted", async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "lab-"));
  const program =
    'console.log("under way"); await new Promise(() => setTimeout(() => {}, 60_000));';
  const project = await exampleProject(folder.path, program);
  await project.addStack("one");
  const killed = project.start("one", ["preview"]);
  await expect.poll(killed.output).toContain("under way");
  expect(await killed.providerPids()).toEqual([]);
  killed.kill("SIGKILL");
  expect((await killed.result).exitCode).toBeUndefined();

  const abort = new AbortController();
  const aborted = project.start("one", ["preview"], { signal: abort.signal });
  await expect.poll(aborted.output).toContain("under way");
  abort.abort();
  expect((await aborted.result).exitCode).not.toBe(0);
});
