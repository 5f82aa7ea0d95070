/** The stand-in language host under the real engine. */
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { execa } from "execa";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

// Each run of the engine takes seconds, on a busy machine many.
vi.setConfig({ testTimeout: 60_000 });

const root = dirname(dirname(import.meta.dirname));
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "language-host-"));
  const main = "main: index.ts\nruntime:\n  name: nodejs\n  options: { typescript: false }\n";
  await writeFile(join(folder, "Pulumi.yaml"), `name: example\n${main}`);
  await writeFile(join(folder, "package.json"), JSON.stringify({ type: "module" }));
  await mkdir(join(folder, "state"));
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

describe("a program with configuration", () => {
  beforeEach(async () => {
    await writeProgram(`
      import { ComponentResource, Config } from "@pulumi/pulumi";
      const config = new Config();
      new ComponentResource("example:index:Greeting", "greeting");
      console.log("said on stdout");
      console.error("said on stderr");
      export const name = config.require("name");
      export const token = config.requireSecret("token");
      export const limits = config.requireObject("limits");
    `);
    await pulumi("stack", "init", "dev");
    await pulumi("config", "set", "name", "contoso");
    await pulumi("config", "set", "--secret", "token", "open-sesame");
    await pulumi("config", "set", "--path", "limits.lookups", "10");
  });

  test("is previewed, with what it prints", async () => {
    const { all, exitCode } = await pulumi("preview");
    expect(exitCode).toBe(0);
    expect(all).toMatch(/example:index:Greeting greeting\s+create/);
    expect(all).toContain("said on stdout");
    expect(all).toContain("said on stderr");
    expect(all).toContain("2 to create");
  });

  test("gets values that are too long for the environment", async () => {
    const file = join(folder, "Pulumi.dev.yaml");
    const before = await readFile(file, "utf8");
    const name = "contoso".repeat(30_000);
    await writeFile(file, before.replace("name: contoso", `name: ${name}`));
    expect((await pulumi("up", "--yes", "--skip-preview")).exitCode).toBe(0);
    expect((await pulumi("stack", "output", "name")).stdout).toBe(name);
  });

  test("is brought up and destroyed, and its secret stays secret", async () => {
    const up = await pulumi("up", "--yes");
    expect(up.exitCode).toBe(0);
    expect(up.all).toContain("2 created");

    const outputs = await pulumi("stack", "output", "--json");
    expect(JSON.parse(outputs.stdout)).toEqual({
      name: "contoso",
      token: "[secret]",
      limits: { lookups: 10 },
    });
    const revealed = await pulumi("stack", "output", "--show-secrets", "token");
    expect(revealed.stdout).toBe("open-sesame");
    const state = await pulumi("stack", "export");
    expect(up.all + state.stdout).not.toContain("open-sesame");

    const destroy = await pulumi("destroy", "--yes", "--remove");
    expect(destroy.exitCode).toBe(0);
    expect(destroy.all).toContain("2 deleted");
  });
});

describe("a failing program", () => {
  test("shows the bare text of a RunError, and nothing else", async () => {
    const { all, exitCode } = await preview(`
      import { RunError } from "@pulumi/pulumi";
      throw new RunError("domains[0].server: is missing");
    `);
    expect(exitCode).not.toBe(0);
    expect(all).toContain("error: domains[0].server: is missing\n");
    expect(all).not.toMatch(/^\s+at |exit code|unhandled/m);
  });

  test("shows where another error was thrown", async () => {
    const { all, exitCode } = await preview(`throw new TypeError("a fault of the program");`);
    expect(exitCode).not.toBe(0);
    expect(all).toContain("TypeError: a fault of the program");
    expect(all).toContain(join(folder, "index.ts"));
  });

  test("that ends by itself is told by its exit code", async () => {
    const { all, exitCode } = await preview("process.exit(3);");
    expect(exitCode).not.toBe(0);
    expect(all).toContain("The program ended with exit code 3.");
  });

  test("that a signal ends is told by the signal", async () => {
    const { all, exitCode } = await preview(`process.kill(process.pid, "SIGKILL");`);
    expect(exitCode).not.toBe(0);
    expect(all).toContain("The program was ended by SIGKILL.");
  });

  test("that lacks @pulumi/pulumi is not started", async () => {
    await writeProgram("");
    await rm(join(folder, "node_modules"));
    await pulumi("stack", "init", "dev");
    const { all, exitCode } = await pulumi("preview");
    expect(exitCode).not.toBe(0);
    expect(all).toContain("Cannot run the program: Error: Cannot find module '@pulumi/pulumi");
  });
});

describe("a program that does not end", () => {
  test("is told to stop when the run is cancelled", async () => {
    const told = join(folder, "told");
    const run = await startEndless(`
      process.on("SIGTERM", () => {
        writeFileSync("${told}", "");
        process.exit(0);
      });
    `);
    run.engine.kill("SIGINT");
    expect((await run.engine).exitCode).not.toBe(0);
    // The engine may be gone before the program's handler has run.
    await vi.waitFor(() => expect(existsSync(told)).toBe(true), 10_000);
  });

  test("is stopped when the engine is killed, even if it ignores SIGTERM", async () => {
    const run = await startEndless(`process.on("SIGTERM", () => {});`);
    run.engine.kill("SIGKILL");
    await run.engine;
    await vi.waitFor(() => expect(isRunning(run.pid)).toBe(false), 10_000);
  });
});

async function writeProgram(source: string): Promise<void> {
  await writeFile(join(folder, "index.ts"), source);
  await symlink(join(root, "node_modules"), join(folder, "node_modules"));
}

async function preview(source: string) {
  await writeProgram(source);
  await pulumi("stack", "init", "dev");
  return pulumi("preview");
}

async function startEndless(preparation: string) {
  const file = join(folder, "pid");
  await writeProgram(`
    import { renameSync, writeFileSync } from "node:fs";
    ${preparation}
    setInterval(() => {}, 1000);
    writeFileSync("${file}.new", String(process.pid));
    renameSync("${file}.new", "${file}");
  `);
  await pulumi("stack", "init", "dev");
  const engine = pulumi("preview");
  await vi.waitUntil(() => existsSync(file), 15_000);
  return { engine, pid: Number(await readFile(file, "utf8")) };
}

function pulumi(...command: string[]) {
  return execa("pulumi", ["--non-interactive", "--color=never", ...command], {
    cwd: folder,
    all: true,
    reject: false,
    env: {
      // First, so that it is this host that is tested, whatever the user has.
      PATH: [import.meta.dirname, process.env["PATH"]].join(delimiter),
      PULUMI_HOME: join(folder, "home"),
      PULUMI_BACKEND_URL: `file://${join(folder, "state")}`,
      PULUMI_CONFIG_PASSPHRASE: "example",
      PULUMI_SKIP_UPDATE_CHECK: "true",
      PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
      PULUMI_DISABLE_REGISTRY_RESOLVE: "true",
    },
  });
}

function isRunning(pid: number): boolean {
  return existsSync(`/proc/${pid}`);
}
