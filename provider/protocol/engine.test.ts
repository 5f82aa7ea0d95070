import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createToyProject, type ToyProject, type ToyResource } from "./toy-program.ts";
import type { Path } from "./wire.ts";

// Every test starts the engine several times, and each start takes a second on a busy machine.
vi.setConfig({ testTimeout: 90_000, hookTimeout: 30_000 });

const login = { user: "ann", password: "hunter22" };
const secrets: Path[] = [["login", "password"]];
const up = ["up", "--yes", "--skip-preview"];
const refresh = ["refresh", "--yes", "--skip-preview"];
const destroy = ["destroy", "--yes", "--skip-preview"];

let folder: string;
let world: string;
let project: ToyProject;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "toys-"));
  world = join(folder, "world");
  mkdirSync(world);
  project = await createToyProject(folder, { TOY_WORLD: world });
});

afterEach(() => rmSync(folder, { recursive: true }));

/** A program with the one toy. */
function toy(inputs: object, options: Partial<ToyResource> = {}): ToyResource[] {
  return [{ type: "mxhero:index:Toy", name: "toy", inputs, ...options }];
}

/** Runs the CLI and gives all that it printed. */
async function succeed(program: ToyResource[], args: string[]): Promise<string> {
  const { result, output } = await project.start(program, args);
  const { exitCode } = await result;
  expect({ exitCode, output: output() }).toMatchObject({ exitCode: 0 });
  return output();
}

async function fail(program: ToyResource[], args: string[]): Promise<string> {
  const { result, output } = await project.start(program, args);
  const { exitCode } = await result;
  expect({ exitCode, output: output() }).toMatchObject({ exitCode: 255 });
  return output();
}

async function storedToy() {
  return (await project.stored()).find(({ type }) => type === "mxhero:index:Toy");
}

/** What the provider was asked for since the last time. */
function calls(): string[] {
  const path = join(world, "calls.log");
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, "utf8").trim().split("\n");
  rmSync(path);
  return lines;
}

const isToyThere = () => existsSync(join(world, "bear.toy"));

async function untilToyIsThere() {
  await vi.waitFor(() => expect(isToyThere()).toBe(true), { timeout: 15_000 });
}

test("a resource is previewed, created and deleted", async () => {
  const program = toy({ name: "bear", tags: ["a"], login }, { secrets });
  const previewed = await succeed(program, ["preview", "--diff"]);
  expect(previewed).toMatch(/password: \[secret\]/);
  expect(calls()).toEqual(["create bear (preview)"]);
  expect(isToyThere()).toBe(false);

  const created = await succeed(program, up);
  expect(created).toMatch(/one of \[secret\](.|\n)*two of \[secret\](.|\n)*three of/);
  expect(calls()).toEqual(["create bear"]);
  expect(isToyThere()).toBe(true);

  await succeed(program, destroy);
  expect(calls()).toEqual(["delete bear"]);
  expect(isToyThere()).toBe(false);
});

test("a resource is left alone, updated and refreshed", async () => {
  const program = toy({ name: "bear", tags: ["a"], login }, { secrets });
  await succeed(program, up);
  await succeed(program, [...up, "--expect-no-changes"]);
  expect(calls()).toEqual(["create bear"]);

  const changed = toy({ name: "bear", tags: ["a"], login, size: 2 }, { secrets });
  expect(await succeed(changed, ["preview", "--diff"])).toMatch(/~ size: 1 => 2/);
  await succeed(changed, up);
  expect(calls()).toEqual(["update bear (preview)", "update bear"]);

  await succeed(changed, [...refresh, "--expect-no-changes"]);
  expect(calls()).toEqual(["read bear"]);
});

test("secrets are not in the state in clear, nor in what is printed", async () => {
  const output = await succeed(toy({ name: "bear", login }, { secrets }), [...up, "--debug"]);
  expect(output).toContain("one of [secret]");
  const state = await project.state();
  expect(state).toContain('"shout": "BEAR"');
  expect(state).not.toContain("hunter22");
});

test("a value that becomes a secret is encrypted in the state", async () => {
  await succeed(toy({ name: "bear", login }), up);
  expect(await project.state()).toContain("hunter22");
  await succeed(toy({ name: "bear", login }, { secrets }), up);
  expect(await project.state()).not.toContain("hunter22");
});

test("an unfinished create is kept with its reason, and the next up goes on with it", async () => {
  const half = toy({ name: "bear", mode: "half" });
  expect(await fail(half, up)).toContain("half of undefined");
  expect(await storedToy()).toMatchObject({ id: "bear", initErrors: ["half of undefined"] });

  expect(await succeed(half, refresh)).toContain("still half");
  expect(await storedToy()).toMatchObject({
    inputs: { name: "bear", mode: "half", size: 1 },
    initErrors: ["still half"],
  });

  await succeed(half, up);
  expect((await storedToy())?.initErrors).toBeUndefined();
  expect(calls()).toEqual(["create bear", "read bear", "update bear"]);
});

test("after kill -9 of the provider the next up creates again", async () => {
  const { result, output } = await project.start(toy({ name: "bear", mode: "slow" }), up);
  await untilToyIsThere();
  process.kill(Number(readFileSync(join(world, "pid"), "utf8")), "SIGKILL");
  expect((await result).exitCode).toBe(255);
  expect(output()).toContain("EOF");
  expect(await storedToy()).toBeUndefined();

  await succeed(toy({ name: "bear" }), up);
  expect(calls()).toEqual(["create bear", "create bear"]);
});

test("after kill -9 of the engine the provider stops at a safe point and ends", async () => {
  const run = await project.start(toy({ name: "bear", mode: "slow" }), up);
  await untilToyIsThere();
  run.kill("SIGKILL");
  await run.result;
  const pid = Number(readFileSync(join(world, "pid"), "utf8"));
  await vi.waitFor(() => expect(() => process.kill(pid, 0)).toThrow("ESRCH"), { timeout: 30_000 });
  expect(calls()).toEqual(["create bear", "stopped"]);
});

test("an interrupted run stops at a safe point and keeps what was done", async () => {
  const slow = toy({ name: "bear", mode: "slow" });
  const run = await project.start(slow, up);
  await untilToyIsThere();
  run.kill("SIGINT");
  expect((await run.result).exitCode).toBe(255);
  expect(await storedToy()).toMatchObject({ id: "bear", initErrors: ["half of undefined"] });
  expect(calls()).toEqual(["create bear", "stopped"]);
});

test("what is gone is dropped by a refresh and created again by an up", async () => {
  const program = toy({ name: "bear" });
  await succeed(program, up);
  rmSync(join(world, "bear.toy"));
  await succeed(program, refresh);
  expect(await storedToy()).toBeUndefined();
  await succeed(program, up);
  expect(calls()).toEqual(["create bear", "read bear", "create bear"]);
});

test("what exists is imported", async () => {
  const there = { name: "bear", size: 3, done: true, shout: "BEAR" };
  writeFileSync(join(world, "bear.toy"), JSON.stringify(there));
  await succeed(toy({ name: "bear", size: 3 }, { importId: "bear" }), up);
  expect(await storedToy()).toMatchObject({ id: "bear", outputs: there });
  expect(calls()).toEqual(["read bear (import)"]);
});

test("another name replaces: create first, delete after", async () => {
  await succeed(toy({ name: "bear" }), up);
  await succeed(toy({ name: "cat" }), up);
  expect(calls()).toEqual(["create bear", "create cat", "delete bear"]);
});

test("a provider that is attached by hand serves one run after the other", async () => {
  const program = fileURLToPath(new URL("toy-provider.ts", import.meta.url));
  const provider = spawn(process.execPath, [program], {
    env: { ...process.env, TOY_WORLD: world },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [port] = await once(createInterface(provider.stdout), "line");
  const attached = join(folder, "attached");
  mkdirSync(attached);
  project = await createToyProject(attached, { PULUMI_DEBUG_PROVIDERS: `mxhero:${port}` });

  const run = await project.start(toy({ name: "bear", mode: "slow" }), up);
  await untilToyIsThere();
  run.kill("SIGINT");
  expect((await run.result).exitCode).toBe(255);
  await succeed(toy({ name: "bear" }), up);
  expect(calls()).toEqual(["create bear", "stopped", "update bear"]);
  provider.kill("SIGINT");
  expect(await once(provider, "exit")).toEqual([0, null]);
});

describe("faults", () => {
  test("of inputs are reported together, without secrets", async () => {
    const faulty = { name: "Bear 7", size: "big", weight: 1 };
    const output = await fail(toy(faulty, { secrets: [["name"]] }), up);
    expect(output).toContain("name: is not valid");
    expect(output).toContain("size: Invalid input");
    expect(output).toContain('"weight"');
    expect(output).not.toContain("Bear 7");
    expect(calls()).toEqual([]);
  });

  test("of a resource are shown with their remedy, without secrets", async () => {
    const output = await fail(toy({ name: "bear", login, mode: "fail" }, { secrets }), up);
    expect(output).toContain("The toy broke with [secret]. Mend it.");
    expect(output).not.toContain("hunter22");
  });
});

describe("the provider's configuration", () => {
  const args = { apiTokens: { "partner-a": "tok-en-1" }, waitSeconds: 5 };

  test("comes from a provider resource, which may have a version", async () => {
    await succeed(withOwnProvider(args), up);
    expect(calls()).toEqual(["create bear"]);
  });

  test("ends the run where it is faulty, without values", async () => {
    const output = await fail(withOwnProvider({ ...args, apitoken: "tok-en-2" }), up);
    expect(output).toContain('Unrecognized key: "apitoken"');
    expect(output).not.toContain("tok-en");
  });

  test("comes from the stack file, where lists and maps are JSON", async () => {
    const config = `config:
  mxhero:apiTokens: { partner-a: tok-en-1 }
  mxhero:resolvers: ["192.0.2.53"]
  mxhero:waitSeconds: 5
`;
    const configured = join(folder, "configured");
    mkdirSync(configured);
    project = await createToyProject(configured, { TOY_WORLD: world }, config);
    await succeed(toy({ name: "bear" }), up);
    expect(calls()).toEqual(["create bear"]);
  });
});

function withOwnProvider(inputs: object): ToyResource[] {
  return [
    { type: "pulumi:providers:mxhero", name: "own", inputs, version: "0.1.0" },
    ...toy({ name: "bear" }, { ownProvider: true, version: "0.1.0" }),
  ];
}
