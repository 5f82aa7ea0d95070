/** The check with the real engine: runs that are killed, what it finds, and the commands that it names. */
import { existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { stringify } from "yaml";
import type { RecordSpec } from "../lab/cloudflare/index.ts";
import { createProject, type PulumiProject, type PulumiRun } from "../lab/pulumi.ts";
import { testNet } from "../lab/test-net.ts";
import { startWorld, type World } from "../lab/world.ts";
import type { StackReport } from "./inspect-stack.ts";

const DOMAIN = "contoso.test";
const OLD_MX = "contoso-test.mail.protection.outlook.test";
const NEW_MX = "smtp-in.gateway.test";
const program = fileURLToPath(new URL("leftovers.ts", import.meta.url));
const up = ["up", "--yes", "--skip-preview"];
const destroy = ["destroy", "--yes", "--skip-preview"];

let world: World;
let zone: string;
let start: readonly RecordSpec[];
let project: PulumiProject;
let count = 0;
let stack: string;

beforeAll(async () => {
  world = await startWorld({ net: testNet });
  zone = world.zoneIds.get(DOMAIN) ?? "";
  start = world.cloudflare.snapshot(zone);
});

afterAll(() => world[Symbol.asyncDispose]());

beforeEach(async () => {
  world.cloudflare.clearFaults();
  await world.cloudflare.seed(zone, start);
  project = await createProject({ directory: world.directory, env: world.env });
  count += 1;
  stack = `killed${count}`;
  await project.addStack(stack, stackFile([DOMAIN]));
});

function stackFile(domains: readonly string[], more: object = {}): string {
  return stringify({
    config: {
      "mail:organisation": "contoso",
      "mail:gateway": {
        mx: [{ exchange: NEW_MX, preference: 10 }],
        smtpIn: NEW_MX,
        smtpRelay: "smtp-relay.gateway.test",
        spfInclude: "_spf.gateway.test",
      },
      "mail:domains": domains.map((name) => ({
        name,
        mailSystem: "other",
        server: OLD_MX,
        inbound: "border",
        outbound: "standard",
        quietSeconds: 0,
        overlapSeconds: 0,
        ...more,
      })),
    },
  });
}

/** Asserts that the check has changed nothing. */
async function check(env: Readonly<Record<string, string>> = {}) {
  world.cloudflare.clearLogs();
  const { stdout, stderr, exitCode } = await execa(process.execPath, [program, stack, "--json"], {
    cwd: project.directory,
    env: { ...project.env, ...env },
    extendEnv: false,
    reject: false,
  });
  expect(world.cloudflare.commits).toEqual([]);
  if (stdout === "") return { exitCode, stderr, codes: [stderr], report: undefined };
  const report: StackReport = JSON.parse(stdout);
  const found = [...report.findings, ...report.domains.flatMap(({ findings }) => findings)];
  return { exitCode, stderr, codes: found.map(({ code }) => code), report };
}

/** Runs commands as they are named, with what a terminal would ask for answered. */
async function runNamed(commands: readonly string[] = []): Promise<void> {
  expect(commands.length).toBeGreaterThan(0);
  for (const command of commands) {
    const [name, ...args] = command.split(" ");
    expect(name).toBe("pulumi");
    expect(args.slice(-2)).toEqual(["--stack", stack]);
    await succeed([...args.slice(0, -2), "--yes"]);
  }
}

async function succeed(args: readonly string[]): Promise<void> {
  const result = await project.run(stack, args);
  expect(result.exitCode, `${args.join(" ")}\n${result.stdout}\n${result.stderr}`).toBe(0);
}

/** Runs the CLI, and kills it or its provider right after a write was committed. */
async function kill(
  args: readonly string[],
  { victim, write }: { victim: "engine" | "provider"; write: number },
): Promise<void> {
  let run: PulumiRun | undefined;
  let pids: readonly number[] = [];
  const occasion = { match: { kind: "write" as const }, skip: write - 1 };
  using hook = world.cloudflare.intercept("after", occasion, async () => {
    pids = (await run?.providerPids()) ?? [];
    if (victim === "engine") run?.kill("SIGKILL");
    else for (const pid of pids) process.kill(pid, "SIGKILL");
    if (victim === "engine") await run?.result;
  });
  run = project.start(stack, args);
  await run.result;
  if (hook.count !== 1) throw new Error(`Nothing was killed:\n${run.output()}`);
  for (let waited = 0; pids.some((pid) => existsSync(`/proc/${pid}`)); waited += 50) {
    expect(waited).toBeLessThan(15_000);
    await sleep(50);
  }
}

function mx(): readonly (string | undefined)[] {
  const records = world.cloudflare.snapshot(zone);
  return records.flatMap(({ name, type, content }) =>
    name === DOMAIN && type === "MX" ? content : [],
  );
}

test("nothing is left behind before the onboarding, while it lasts, and after it", async () => {
  expect(await check()).toMatchObject({ exitCode: 0, codes: [] });
  await succeed(up);
  expect(await check()).toMatchObject({
    exitCode: 0,
    codes: [],
    report: { domains: [{ domain: DOMAIN, status: "clean" }], mend: { stay: [], leave: [] } },
  });
  await succeed(destroy);
  expect(await check()).toMatchObject({ exitCode: 0, codes: [] });
  expect(world.cloudflare.snapshot(zone)).toEqual(start);
}, 120_000);

test("a destroy after a killed create leaves the domain behind; the named commands let it leave", async () => {
  await kill(up, { victim: "engine", write: 3 });
  await succeed(["cancel", "--yes"]);
  await succeed(destroy);
  expect(mx()).toContain(NEW_MX);

  const { exitCode, codes, report } = await check();
  expect(exitCode).toBe(1);
  expect(codes).toEqual(["operation-pending", "claim-without-resource"]);
  expect(report?.domains[0]?.findings[0]?.text).toContain(
    `phase taking; to put back: 0 ${OLD_MX}.`,
  );
  await runNamed(report?.mend.leave);
  expect(world.cloudflare.snapshot(zone)).toEqual(start);
  expect(await check()).toMatchObject({ exitCode: 0, codes: [] });
}, 120_000);

test.each([1, 4])(
  "a create that was killed after write %i goes on by the named commands",
  async (write) => {
    await kill(up, { victim: "engine", write });
    const { exitCode, codes, report } = await check();
    expect(exitCode).toBe(1);
    expect(codes).toContain("stack-locked");
    expect(codes).toContain("operation-pending");
    expect(codes).toContain("claim-without-resource");
    await runNamed(report?.mend.stay);
    expect(mx()).toEqual([NEW_MX]);
    expect(await check()).toMatchObject({ exitCode: 0, codes: [] });
    await succeed(destroy);
    expect(world.cloudflare.snapshot(zone)).toEqual(start);
  },
  120_000,
);

test("a create whose provider was killed leaves no pending operation, and is found all the same", async () => {
  await kill(up, { victim: "provider", write: 2 });
  const { exitCode, codes, report } = await check();
  expect({ exitCode, codes }).toEqual({ exitCode: 1, codes: ["claim-without-resource"] });
  await runNamed(report?.mend.leave);
  expect(world.cloudflare.snapshot(zone)).toEqual(start);
}, 120_000);

test.each([
  { write: 1, way: "stay", mxAfter: [NEW_MX] },
  { write: 3, way: "stay", mxAfter: [NEW_MX] },
  { write: 4, way: "leave", mxAfter: [OLD_MX] },
] as const)(
  "a destroy that was killed after write $write, and the domain is to $way",
  async ({ write, way, mxAfter }) => {
    await succeed(up);
    await kill(destroy, { victim: "engine", write });
    const { exitCode, codes, report } = await check();
    expect(exitCode).toBe(1);
    expect(codes).toContain("operation-pending");
    await runNamed(report?.mend[way]);
    expect(mx()).toEqual(mxAfter);
    expect(await check()).toMatchObject({ exitCode: 0, codes: [] });
    await succeed(destroy);
    expect(world.cloudflare.snapshot(zone)).toEqual(start);
  },
  120_000,
);

test("an update that was killed is found, and goes on by the named commands", async () => {
  await succeed(up);
  const file = stackFile([DOMAIN], { bypass: true });
  await project.writeStackFile(stack, file);
  await kill(up, { victim: "engine", write: 1 });
  const { exitCode, codes, report } = await check();
  expect(exitCode).toBe(1);
  expect(codes).toEqual(["stack-locked", "operation-pending", "takeover-half-way"]);
  await runNamed(report?.mend.stay);
  expect(mx()).toEqual([OLD_MX]);
  expect(await check()).toMatchObject({ exitCode: 0, codes: [] });
}, 120_000);

test("a domain that was deleted from the file after a killed create is still looked at", async () => {
  await kill(up, { victim: "engine", write: 2 });
  await project.writeStackFile(stack, stackFile(["sub.contoso.test"]));
  const { codes, report } = await check();
  expect(codes).toContain("claim-without-resource");
  expect(report?.domains[0]?.findings[0]?.text).toContain(
    `First write ${DOMAIN} into the stack's file again.`,
  );
}, 120_000);

test("what a removed stack left behind leaves with a new stack of that name", async () => {
  await kill(up, { victim: "engine", write: 2 });
  await succeed(["cancel", "--yes"]);
  await succeed([...destroy, "--remove"]);
  expect(await check()).toMatchObject({ exitCode: 2 });

  await project.addStack(stack, stackFile([DOMAIN]));
  const { exitCode, codes, report } = await check();
  expect({ exitCode, codes }).toMatchObject({ exitCode: 1 });
  expect(codes).toContain("claim-without-resource");
  await runNamed(report?.mend.leave);
  expect(world.cloudflare.snapshot(zone)).toEqual(start);
}, 120_000);

test("the gateway's MX without a journal need handBackTo", async () => {
  const own = { name: DOMAIN, type: "MX", content: OLD_MX };
  const gateway = { name: DOMAIN, type: "MX", content: NEW_MX, priority: 10 };
  await world.cloudflare.edit(zone, { remove: [own], add: [gateway] });
  const { codes } = await check();
  expect(codes).toEqual(["gateway-mx-without-journal"]);

  const handBackTo = [{ exchange: OLD_MX, preference: 0 }];
  await project.writeStackFile(stack, stackFile([DOMAIN], { handBackTo }));
  const { report } = await check();
  await runNamed(report?.mend.leave);
  expect(world.cloudflare.snapshot(zone)).toEqual(start);
}, 120_000);

test("a journal that someone deleted is missed, and written again as the text says", async () => {
  await succeed(up);
  const journal = world.cloudflare
    .snapshot(zone)
    .filter(({ content }) => /kind=(mx|was) /.test(content));
  await world.cloudflare.edit(zone, { remove: journal });
  const { exitCode, codes } = await check();
  expect({ exitCode, codes }).toEqual({ exitCode: 1, codes: ["journal-missing"] });

  await project.writeStackFile(stack, stackFile([DOMAIN], { overlapSeconds: 1 }));
  await succeed(up);
  expect(await check()).toMatchObject({ exitCode: 0, codes: [] });
  await succeed(destroy);
  expect(world.cloudflare.snapshot(zone)).toEqual(start);
}, 120_000);

test("what cannot be read is unknown, never clean", async () => {
  const noToken = await check({ CLOUDFLARE_API_TOKEN: "" });
  expect(noToken).toMatchObject({
    exitCode: 2,
    report: { status: "unknown", domains: [{ domain: DOMAIN, status: "unknown" }] },
  });
  expect(noToken.report?.domains[0]?.problem).toContain("CLOUDFLARE_API_TOKEN");

  await project.writeStackFile(stack, stackFile([]));
  expect(await check()).toMatchObject({ exitCode: 2, report: { status: "unknown" } });

  stack = "nosuchstack";
  const noStack = await check();
  expect(noStack.exitCode).toBe(2);
  expect(noStack.stderr).toContain("nosuchstack");
});

test("a person reads which commands to run, and a wrong call is no finding", async () => {
  await kill(up, { victim: "engine", write: 2 });
  const options = { cwd: project.directory, env: project.env, extendEnv: false, reject: false };
  const { stdout, exitCode } = await execa(process.execPath, [program, stack], options);
  expect(exitCode).toBe(1);
  expect(stdout).toContain(`${DOMAIN}: FOUND`);
  expect(stdout).toContain(
    [
      `  pulumi cancel --stack ${stack}`,
      `  pulumi refresh --clear-pending-creates --stack ${stack}`,
    ]
      .concat(`  pulumi up --stack ${stack}`)
      .join("\n"),
  );
  const wrong = await execa(process.execPath, [program, "--wrong"], options);
  expect(wrong.exitCode).toBe(2);
});
