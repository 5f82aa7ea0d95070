/** Many stacks in one process, under the real engine: what happens to each does not depend on the others. */
import { readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { emptyFleet, type FleetOptions, findings, fleet, statuses } from "./fleet-command.ts";
import {
  gatewayTerm,
  mx,
  startTenantLab,
  type TenantLab,
  type TenantZone,
  tenantStack,
  txt,
} from "./tenant.ts";

vi.setConfig({ testTimeout: 120_000 });

let lab: TenantLab;
const zones = new Map<string, TenantZone>();

const spf = "v=spf1 -all";
const withGateway = `v=spf1 ${gatewayTerm} -all`;

beforeAll(async () => {
  lab = await startTenantLab();
  await emptyFleet(lab.project);
  for (const name of ["a", "b"]) {
    const domain = `${name}.test`;
    await addZone(domain, [mx(domain, 10, `mail.${domain}`), txt(domain, spf)]);
  }
  // Nobody has registered the last: only the provider's preview can tell.
  for (const name of ["a", "b", "nowhere"]) {
    await lab.addStackFile(name, { organisation: name, domains: [{ name: `${name}.test` }] });
  }
  await writeFile(stackFile("broken"), "config:\n  mail:organisation: [broken\n");
});

afterAll(() => lab[Symbol.asyncDispose]());

test("a preview says of every stack what would happen, and leaves nothing behind", async () => {
  const before = await readFile(stackFile("a"), "utf8");
  const { mtimeMs } = await stat(stackFile("a"));
  // Whoever asks an empty folder first makes a backend of it.
  expect(await knownStacks()).toBe("[]");
  const backend = await backendTimes();
  const { exitCode, text } = await run(["preview", "--json", file("preview.json")]);
  expect(await statuses(file("preview.json"))).toEqual({
    a: "changed",
    b: "changed",
    broken: "failed",
    nowhere: "failed",
  });
  expect(text).toContain("stacks/Pulumi.broken.yaml: line 3, column 1");
  expect(text).toContain("domain-not-delegated");
  expect(exitCode).toBe(1);
  expect(await knownStacks()).toBe("[]");
  expect(await readFile(stackFile("a"), "utf8")).toBe(before);
  // Nobody has written it meanwhile, so that what a person writes is not lost.
  expect((await stat(stackFile("a"))).mtimeMs).toBe(mtimeMs);
  expect(await backendTimes()).toEqual(backend);
});

test("up stops before anything where more was not reviewed", async () => {
  const reports: unknown = JSON.parse(await readFile(file("preview.json"), "utf8"));
  const reviewed = (Array.isArray(reports) ? reports : []).filter(({ stack }) => stack !== "b");
  await writeFile(file("reviewed.json"), JSON.stringify(reviewed));
  const both = ["up", "--stack", "[ab]", "--reviewed"];
  const { exitCode, text } = await run([
    ...both,
    file("reviewed.json"),
    "--markdown",
    file("up.md"),
  ]);
  expect(text).toContain("b: Nobody has reviewed it.");
  expect(text).toContain("2 stacks: 2 waiting. Nothing was changed.");
  expect(await readFile(file("up.md"), "utf8")).toContain("Nobody has reviewed it.");
  expect(exitCode).toBe(1);
  expect(await knownStacks()).toBe("[]");
});

test("up does what was reviewed, and says why not of the others; a second time there is nothing to do", async () => {
  const first = await run(["up", "--reviewed", file("preview.json")]);
  expect(first.text).toContain("4 stacks: 2 done, 2 failed.");
  expect(first.exitCode).toBe(1);
  expect(mxOf("a.test")).toEqual(["smtp-in.gateway.test"]);
  expect(mxOf("b.test")).toEqual(["smtp-in.gateway.test"]);
  await rm(stackFile("broken"));
  await rm(stackFile("nowhere"));
  const again = await run(["up"]);
  expect(again.text).toContain("2 stacks: 2 unchanged. Nothing was changed.");
  expect(again.exitCode).toBe(0);
});

test("refresh and verify tell what somebody has changed in DNS, and when; nothing is changed by them", async () => {
  const state = await lab.storedState();
  const backend = await backendTimes();
  const { id = "" } = zones.get("a.test") ?? {};
  await lab.world.cloudflare.edit(id, { add: [mx("a.test", 5, "elsewhere.test")] });
  const refreshed = await run(["refresh", "--json", file("refresh.json")]);
  const [found, ...others] = await findings(file("refresh.json"));
  expect(found).toMatch(
    /^a\.test wrong dns-changed: .* 5 elsewhere\.test\. stands there since 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d UTC\./,
  );
  expect(others).toEqual([]);
  expect(refreshed.exitCode).toBe(1);

  const verified = await run(["verify", "--no-smtp", "--json", file("verify.json")]);
  expect(await findings(file("verify.json"))).toContainEqual(
    expect.stringMatching(
      /^a\.test notice dns-changed: .* 5 elsewhere\.test\. stands there since /,
    ),
  );
  expect(verified.exitCode).toBe(1);
  expect(await lab.storedState()).toBe(state);
  expect(await backendTimes()).toEqual(backend);
});

test("with --refresh a preview tells what others have changed, and up brings it back", async () => {
  const only = ["--stack", "b"];
  const { id = "" } = zones.get("b.test") ?? {};
  const gone = lab.world.cloudflare
    .snapshot(id)
    .filter(({ type, name }) => type === "MX" && name === "b.test");
  await lab.world.cloudflare.edit(id, { remove: gone, add: [mx("b.test", 10, "mail.b.test")] });
  expect((await run(["preview", ...only])).text).toContain("Nothing changes in: b");
  const preview = await run(["preview", "--refresh", ...only, "--json", file("back.json")]);
  expect(await statuses(file("back.json"))).toEqual({ b: "changed" });
  expect(preview.text).toContain("changed-by-others");
  const up = await run(["up", "--refresh", ...only, "--reviewed", file("back.json")]);
  expect(up.text).toContain("1 stack: 1 done.");
  expect(mxOf("b.test")).toEqual(["smtp-in.gateway.test"]);
});

test("what cannot be read is said to be unread, and stays in the state", async () => {
  const before = await kept("a");
  const env = { CLOUDFLARE_API_TOKEN: "no-such-token" };
  const { exitCode } = await run(["refresh", "--write", "--json", file("unread.json")], { env });
  const found = await findings(file("unread.json"));
  expect(found).toContainEqual(
    expect.stringMatching(/^a\.test unread dns-changed: .*token-refused/s),
  );
  expect(found).toContainEqual(
    expect.stringMatching(/^b\.test unread dns-changed: .*token-refused/s),
  );
  expect(exitCode).toBe(2);
  expect(before.length).toBeGreaterThan(4);
  expect(await kept("a")).toEqual(before);
});

test("with --changed only the stacks whose files differ; a removed file lets its domains leave, within the bound", async () => {
  await git("init", "--quiet");
  await git("add", "--all");
  await git("-c", "user.name=t", "-c", "user.email=t@t.test", "commit", "--quiet", "-m", "all");
  await rm(stackFile("b"));
  const backend = await backendTimes();
  await run(["preview", "--changed", "HEAD", "--json", file("changed.json")]);
  expect(await statuses(file("changed.json"))).toEqual({ b: "changed" });
  // Whoever looks without git sees it as well.
  const gone = "stacks/Pulumi.b.yaml is gone, and the stack is still on the gateway.";
  for (const look of ["refresh", "verify"]) {
    const args = look === "verify" ? ["--no-smtp"] : [];
    const { exitCode } = await run([look, "--stack", "b", ...args, "--json", file("gone.json")]);
    expect(await findings(file("gone.json"))).toEqual([`b wrong stack-file: ${gone}`]);
    expect(exitCode).toBe(1);
  }
  expect(await backendTimes()).toEqual(backend);

  await run(["preview", "--leaving", "--stack", "[ab]", "--json", file("leaving.json")]);
  expect(await statuses(file("leaving.json"))).toEqual({ a: "changed", b: "changed" });
  const tooMany = ["--offboard-at-most", "0", "--json", file("bound.json")];
  await run(["preview", "--changed", "HEAD", ...tooMany]);
  expect(await readFile(file("bound.json"), "utf8")).toContain('"many-domains-leave"');
  expect(await readFile(file("changed.json"), "utf8")).not.toContain('"many-domains-leave"');
  await writeFile(file("nobody.json"), "[]");
  const unseen = await run(["destroy", "--changed", "HEAD", "--reviewed", file("nobody.json")]);
  expect(unseen.text).toContain("b: Nobody has reviewed it.");
  expect(mxOf("b.test")).toEqual(["smtp-in.gateway.test"]);

  const refused = await run(["destroy", "--changed", "HEAD", "--offboard-at-most", "0"]);
  expect(refused.text).toContain("1 domain would leave the gateway: b.test (b)");
  expect(refused.exitCode).toBe(1);
  expect(mxOf("b.test")).toEqual(["smtp-in.gateway.test"]);

  const reviewed = ["--reviewed", file("leaving.json")];
  const destroyed = await run(["destroy", "--changed", "HEAD", ...reviewed]);
  expect(destroyed.text).toContain("1 stack: 1 done.");
  expect(mxOf("b.test")).toEqual(["mail.b.test"]);
  const { text, exitCode } = await run(["refresh", "--stack", "b"]);
  expect(text).toContain("No stack is concerned.");
  expect(exitCode).toBe(0);
});

test("a tenant that is adopted: its first up changes no MX and no SPF record", async () => {
  const domain = "c.test";
  const zone = await addZone(domain, [
    mx(domain, 10, "smtp-in.gateway.test"),
    txt(domain, withGateway),
  ]);
  const before = served(zone);
  const rows = [
    "organisation,domain,mailSystem,server",
    "c,c.test,other,mail.c.test",
    "d,d.test,other,",
  ];
  await writeFile(file("domains.csv"), rows.join("\n"));
  const adopted = await run(["adopt", file("domains.csv"), "--like", "a"]);
  expect(adopted.text).toContain("stacks/Pulumi.c.yaml is written.");
  expect(adopted.text).toContain("line 3");
  expect(adopted.exitCode).toBe(1);

  const requests = lab.world.cloudflare.requests.length;
  const { text } = await run(["up", "--stack", "c"]);
  expect(text).toContain("1 stack: 1 done.");
  expect(lab.world.cloudflare.requests.length).toBeGreaterThan(requests);
  expect(served(zone)).toEqual(before);
});

test("Ctrl-C stops at a safe point, and running again goes on", async () => {
  const domain = "e.test";
  const zone = await addZone(domain, [mx(domain, 10, `mail.${domain}`), txt(domain, spf)]);
  await lab.addStackFile("e", {
    organisation: "e",
    domains: [{ name: domain, overlapSeconds: 6 }],
  });
  const ctrlC = new AbortController();
  const stopped = run(["up", "--stack", "e"], { cancelSignal: ctrlC.signal });
  await expect.poll(() => mxOf(domain), { timeout: 60_000 }).toHaveLength(2);
  ctrlC.abort();
  const { text } = await stopped;
  expect(text).toContain("e: stopped.");
  expect(text).toContain("1 stack: 1 stopped. Running again goes on.");
  expect(mxOf(domain)).toHaveLength(2);

  const again = await run(["up", "--stack", "e"]);
  expect(again.text).toContain("1 stack: 1 done.");
  expect(mxOf(domain)).toEqual(["smtp-in.gateway.test"]);
  expect(zone.snapshot().filter(({ type }) => type === "MX")).toHaveLength(1);
});

test("what is not as it was previewed when its turn comes is left as it is", async () => {
  for (const name of ["g", "h"]) {
    const domain = `${name}.test`;
    await addZone(domain, [mx(domain, 10, `mail.${domain}`), txt(domain, spf)]);
    await lab.addStackFile(name, {
      organisation: name,
      domains: [{ name: domain, overlapSeconds: 6 }],
    });
  }
  const args = ["up", "--stack", "[gh]", "--parallel", "1"];
  const running = run([...args, "--json", file("turn.json")]);
  await expect.poll(() => mxOf("g.test"), { timeout: 60_000 }).toHaveLength(2);
  await lab.addStackFile("h", {
    organisation: "h",
    domains: [{ name: "h.test", overlapSeconds: 7 }],
  });
  const { text, exitCode } = await running;
  expect(await statuses(file("turn.json"))).toEqual({ g: "changed", h: "changed" });
  expect(text).toContain("h: failed. h: Right before its turn its preview was another one");
  expect(text).toContain("2 stacks: 1 done, 1 failed.");
  expect(exitCode).toBe(1);
  expect(mxOf("h.test")).toEqual(["mail.h.test"]);
});

function run(args: readonly string[], options?: FleetOptions) {
  return fleet(lab.project, args, options);
}

async function addZone(domain: string, records: Parameters<TenantLab["addZone"]>[1]) {
  const zone = await lab.addZone(domain, records);
  zones.set(domain, zone);
  return zone;
}

function file(name: string): string {
  return join(lab.world.directory, name);
}

function stackFile(stack: string): string {
  return join(lab.project.directory, "stacks", `Pulumi.${stack}.yaml`);
}

/** When each file and folder of the backend was last changed: a lock that comes and goes changes its folder. */
async function backendTimes(): Promise<Record<string, number>> {
  const folder = fileURLToPath(lab.project.env["PULUMI_BACKEND_URL"] ?? "");
  const names = await readdir(folder, { recursive: true });
  const times = names.map(async (name) => [name, (await stat(join(folder, name))).mtimeMs]);
  return Object.fromEntries(await Promise.all(times));
}

/** The stacks that the backend has, as JSON. */
async function knownStacks(): Promise<string> {
  return (await lab.project.run("a", ["stack", "ls", "--json"])).stdout.trim();
}

/** What the state remembers of the resources. */
async function kept(stack: string) {
  const resources = await tenantStack(lab.project, stack).resources();
  return resources.map(({ urn, id, outputs }) => ({ urn, id, outputs }));
}

function git(...args: readonly string[]) {
  return execa("git", args, { cwd: lab.project.directory });
}

function mxOf(domain: string): string[] {
  const records = zones.get(domain)?.snapshot() ?? [];
  return records.filter(({ type }) => type === "MX").map(({ content }) => content);
}

/** What senders and receivers are told: no comments, no journal. */
function served(zone: TenantZone) {
  return zone
    .snapshot()
    .filter(({ name }) => !name.includes("_mxhero"))
    .map(({ name, type, content, priority, ttl }) => ({ name, type, content, priority, ttl }));
}
