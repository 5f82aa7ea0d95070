/** The set-up: what it refuses, what it installs, and that it does nothing where all is there. */
import { existsSync } from "node:fs";
import { appendFile, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { Checkout } from "./checkout.ts";

/** A `go` that writes an engine to the file after `-o`, once a file named `wait` is gone. */
const buildingGo = `
  [ "$1" = env ] && { echo go1.24.0; exit; }
  while [ "$1" != -o ]; do shift; done
  echo unfinished >"$2"
  while [ -e "$WAIT" ]; do sleep 0.1; done
  printf '#!/bin/sh\\necho built pulumi\\n' >"$2"
  chmod +x "$2"
`;
const whichEngine = `
  import { execFileSync } from "node:child_process";
  for (const name of ["pulumi", "pulumi-language-nodejs"]) {
    console.log(execFileSync("sh", ["-c", \`command -v \${name}\`], { encoding: "utf8" }).trim());
  }
`;

/** Makes Node believe that a property of its process is another. */
const asNode = (property: string, value: string) => ({
  NODE_OPTIONS: `--import=data:text/javascript,Object.defineProperty(process,'${property}',{value:${value}})`,
});

describe("where all is there", () => {
  test("the program runs at once, with its arguments, and its exit code is passed on", async () => {
    await using checkout = await Checkout.create(
      `console.log(process.versions.node, ...process.argv.slice(2)); process.exitCode = 7;`,
    );
    await checkout.run("demo");
    const before = (await checkout.calls()).length;
    const { all, exitCode } = await checkout.run("demo", { args: ["--fast", "a b"] });
    expect(all).toBe(`${process.versions.node} --fast a b`);
    expect(exitCode).toBe(7);
    const calls = (await checkout.calls()).slice(before);
    expect(calls.filter((call) => !/^(id|dpkg-query) /.test(call))).toEqual([]);
  });

  test("a program that a signal ends is not taken for a success", async () => {
    await using checkout = await Checkout.create(`process.kill(process.pid, "SIGTERM");`);
    expect((await checkout.run("demo")).exitCode).toBe(143);
  });
});

describe("stops with a sentence that names what is missing:", () => {
  test.each<[string, RegExp, (checkout: Checkout) => unknown, Record<string, string>?]>([
    [
      "a newer Node",
      /^Node 18\.20\.4 is too old: Node 20 or newer is needed/,
      () => {},
      asNode("versions", "{node:'18.20.4'}"),
    ],
    ["Linux", /runs on Linux.*not on darwin/, () => {}, asNode("platform", "'darwin'")],
    ["a known processor", /x64 or arm64, not on linux s390x/, () => {}, asNode("arch", "'s390x'")],
    ["Python", /^python3 is missing/, (checkout) => checkout.remove("python3")],
    [
      "npm",
      /^npm is missing/,
      async (checkout) => {
        await checkout.lock("2.0.0");
        await checkout.remove("npm");
      },
    ],
    [
      "root and sudo",
      /^Neither root nor sudo/,
      async (checkout) => {
        await checkout.fake("id", "echo 1000");
        await checkout.remove("sudo");
      },
    ],
    [
      "apt",
      /^apt-get is missing: .*pdns-server.*unbound/,
      (checkout) => checkout.remove("apt-get", "dpkg-query"),
    ],
    [
      "Go and pulumi",
      /^Neither pulumi nor Go is on the PATH/,
      (checkout) => checkout.remove("go", "pulumi"),
    ],
    [
      "a newer Go",
      /^Go 1\.19\.8 is too old: Go 1\.21 or newer/,
      async (checkout) => {
        await checkout.remove("pulumi");
        await checkout.fake("go", "echo go1.19.8");
      },
    ],
  ])("%s", async (_, sentence, prepare, env = {}) => {
    await using checkout = await Checkout.create(`console.log("demo ran");`);
    await prepare(checkout);
    const { all, exitCode } = await checkout.run("demo", { env });
    expect(all).toMatch(sentence);
    expect(all.trim().split("\n")).toHaveLength(1);
    expect(exitCode).toBe(1);
  });

  test("a program that there is", async () => {
    await using checkout = await Checkout.create();
    const { all, exitCode } = await checkout.run("dmeo");
    expect(all).toMatch(/^Usage: .*demo/);
    expect(exitCode).toBe(2);
  });
});

describe("npm packages", () => {
  test.each([
    ["were never installed", (checkout: Checkout) => checkout.removeNodePackages()],
    ["differ from package-lock.json", (checkout: Checkout) => checkout.lock("2.0.0")],
  ])("are installed again when they %s", async (_, prepare) => {
    await using checkout = await Checkout.create();
    await prepare(checkout);
    await checkout.fake("npm", `echo "npm: out of space"; exit 3`);
    const { all, exitCode } = await checkout.run("demo");
    expect(exitCode).toBe(1);
    expect(all).toContain("npm install failed (3).\nnpm: out of space");
    expect(await checkout.calls()).toContainEqual(expect.stringMatching(/^npm install /));

    await checkout.install("2.0.0");
    await checkout.lock("2.0.0");
    expect((await checkout.run("demo")).exitCode).toBe(0);
  });
});

describe("Debian packages", () => {
  test("that are missing are installed, by sudo for others than root", async () => {
    await using checkout = await Checkout.create();
    await checkout.fake("id", "echo 1000");
    await checkout.fake(
      "dpkg-query",
      'shift 2; for name; do [ "$name" = unbound ] || echo "$name installed"; done',
    );
    await checkout.fake("sudo", 'shift 2; echo "script for $*" >&2; exit 1');
    const { all, exitCode } = await checkout.run("demo");
    expect(exitCode).toBe(1);
    expect(all).toContain("Installing Debian packages for the lab: unbound.");
    expect(all).toMatch(/sh unbound unbound$/m);
  });
});

describe("a program in Python", () => {
  test("is installed once, in the versions that its requirements name", async () => {
    await using checkout = await Checkout.create(`console.log("ran");`);
    const { all } = await checkout.run("demo");
    expect(all).toMatch(/^Installing octoDNS/);
    const requirements = join(checkout.folder, "tools/octodns/requirements.txt");
    await appendFile(requirements, "example==1.0.0\n");
    expect((await checkout.run("demo")).all).toMatch(/^Installing octoDNS/);
    expect((await checkout.run("demo")).all).toBe("ran");
  });

  test("that could not be installed is tried again", async () => {
    await using checkout = await Checkout.create();
    await checkout.fake("python3", "echo no module named venv; exit 1");
    for (const _ of ["once", "again"]) {
      const { all, exitCode } = await checkout.run("demo");
      expect(all).toContain("virtual environment of octodns failed (1).\nno module named venv");
      expect(exitCode).toBe(1);
    }
  });
});

describe("the engine", () => {
  test("is the user's own if there is one", async () => {
    await using checkout = await Checkout.create(whichEngine);
    const { stdout } = await checkout.run("demo");
    const [engine, host] = stdout.split("\n");
    expect(engine).toBe(join(checkout.folder, "..", "bin", "pulumi"));
    expect(host).toBe(join(checkout.folder, "tools/language-host/pulumi-language-nodejs"));
  });

  test("of the user keeps the language host that lies beside it", async () => {
    await using checkout = await Checkout.create(`console.log(process.env.PATH);`);
    await checkout.fake("pulumi-language-nodejs", "exit 0");
    const { stdout } = await checkout.run("demo");
    expect(stdout).toContain(join(checkout.folder, "node_modules/.bin"));
    expect(stdout).not.toContain("language-host");
  });

  test("is built once, and then found by every checkout", async () => {
    await using checkout = await Checkout.create(whichEngine);
    await checkout.remove("pulumi");
    await checkout.fake("go", buildingGo);
    const first = await checkout.run("demo");
    expect(first.all).toContain("Building the Pulumi engine v3.200.0");
    expect(first.stdout).toBe(
      ["pulumi", "pulumi-language-nodejs"]
        .map((name) => join(checkout.folder, "tools/language-host", name))
        .join("\n"),
    );

    await using second = await Checkout.create(whichEngine);
    await second.remove("pulumi", "go");
    const { all } = await second.run("demo", { env: { XDG_CACHE_HOME: checkout.cache } });
    expect(all).toContain(join(second.folder, "tools/language-host/pulumi"));
  });

  test("is built by one of two checkouts that start together", async () => {
    await using one = await Checkout.create(`console.log("ran");`);
    await using two = await Checkout.create(`console.log("ran");`);
    const wait = join(one.folder, "wait");
    await writeFile(wait, "");
    const runs = [one, two].map(async (checkout) => {
      await checkout.remove("pulumi");
      await checkout.fake("go", buildingGo);
      return checkout.run("demo", { env: { XDG_CACHE_HOME: one.cache, WAIT: wait } });
    });
    const builds = async () =>
      [...(await one.calls()), ...(await two.calls())].filter((call) =>
        call.startsWith("go build"),
      );
    await vi.waitUntil(async () => (await builds()).length > 0, 10_000);
    await rm(wait);
    for (const { stdout } of await Promise.all(runs)) expect(stdout).toBe("ran");
    expect(await builds()).toHaveLength(1);
  });

  test("that was half built when the set-up was interrupted is built again", async () => {
    await using checkout = await Checkout.create(`console.log("ran");`);
    await checkout.remove("pulumi");
    await checkout.fake("go", buildingGo);
    const wait = join(checkout.folder, "wait");
    await writeFile(wait, "");
    const run = checkout.run("demo", { env: { WAIT: wait } });
    const isBuilding = async () =>
      (await checkout.calls()).some((call) => call.startsWith("go build"));
    await vi.waitUntil(isBuilding, 10_000);
    run.kill("SIGINT");
    const { all, exitCode } = await run;
    expect(exitCode).toBe(130);
    expect(all).toContain("run the same command again");

    await rm(wait);
    expect((await checkout.run("demo")).stdout).toBe("ran");
    const [hash = ""] = await readdir(join(checkout.cache, "pulumi-mxhero/engine"));
    const folder = join(checkout.cache, "pulumi-mxhero/engine", hash);
    expect(await readdir(folder)).toEqual(["pulumi"]);
  });

  test("that cannot be built is told with what Go says", async () => {
    await using checkout = await Checkout.create();
    await checkout.remove("pulumi");
    await checkout.fake("go", "echo go: no space left; exit 2");
    const { all, exitCode } = await checkout.run("demo");
    expect(exitCode).toBe(1);
    expect(all).toContain("Building the Pulumi engine failed (2).\ngo: no space left");
    expect(existsSync(join(checkout.folder, "tools/language-host/pulumi"))).toBe(false);
  });
});
