/** Cloudflare's rate limit: a run of many domains keeps to it, and gets over what others use of it. */
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import {
  failed,
  gatewayMx,
  mx,
  startTenantLab,
  succeeded,
  type TenantLab,
  type TenantStack,
  type TenantZone,
  txt,
} from "./tenant.ts";

vi.setConfig({ testTimeout: 240_000, hookTimeout: 120_000 });

let lab: TenantLab;

beforeAll(async () => {
  lab = await startTenantLab();
});

afterEach(() => lab.world.cloudflare.limitRequests({ requests: 1200, seconds: 300 }));
afterAll(() => lab[Symbol.asyncDispose]());

async function tenantOf(
  stackName: string,
  count: number,
): Promise<{ stack: TenantStack; zones: readonly TenantZone[] }> {
  const zones: TenantZone[] = [];
  for (let number = 1; number <= count; number += 1) {
    const name = `${stackName}${number}.test`;
    const spf = txt(name, `v=spf1 a:mail.${name} -all`);
    zones.push(await lab.addZone(name, [mx(name, 10, `mail.${name}`), spf]));
  }
  const stack = await lab.addStack(stackName, { domains: zones.map(({ name }) => ({ name })) });
  return { stack, zones };
}

function mxOf(zone: TenantZone): string[] {
  const records = zone.snapshot().filter(({ type }) => type === "MX");
  return records.map(({ priority, content }) => `${priority} ${content}`);
}

function statuses(): (number | undefined)[] {
  return lab.world.cloudflare.requests.map(({ status }) => status);
}

/** Another program with the run's token asks until nobody is answered any more. */
async function useUp(requests: number): Promise<void> {
  const { cloudflare, env } = lab.world;
  const headers = { authorization: `Bearer ${env["CLOUDFLARE_API_TOKEN"]}` };
  for (let sent = 0; sent <= requests; sent += 1) {
    const { status } = await fetch(`${cloudflare.url}/zones`, { headers });
    if (status === 429) return;
  }
  throw new Error("The limit was never reached.");
}

test("a run that needs more than the limit waits, says so, and is never refused", async () => {
  const { stack, zones } = await tenantOf("paced", 8);
  const { cloudflare } = lab.world;
  cloudflare.limitRequests({ requests: 100, seconds: 40 });
  cloudflare.clearLogs();
  const { text } = await succeeded(stack.up([], { env: { MXHERO_CLOUDFLARE_SHARE: "0.4" } }));
  expect(text).toMatch(
    /waiting for Cloudflare's rate limit before reading records of the zone paced\d\.test \(\d+ s\)/,
  );
  expect(zones.map(mxOf)).toEqual(zones.map(() => gatewayMx));
  // More than the share of 40, so that it had to wait.
  expect(cloudflare.requests.length).toBeGreaterThan(50);
  expect(statuses().filter((status) => status === 429)).toEqual([]);
});

test("a run that finds the limit used up waits as long as it is told, and goes on", async () => {
  const { stack, zones } = await tenantOf("late", 3);
  const { cloudflare } = lab.world;
  cloudflare.limitRequests({ requests: 50, seconds: 15 });
  using used = cloudflare.intercept("before", { match: { token: "operator" } }, () => useUp(50));
  const { text } = await succeeded(stack.up());
  expect(used.count).toBe(1);
  expect(text).toContain("waiting for Cloudflare's rate limit");
  expect(zones.map(mxOf)).toEqual(zones.map(() => gatewayMx));
});

test("what is used up in the middle of a run holds it up, and nothing is lost", async () => {
  const { stack, zones } = await tenantOf("middle", 3);
  const { cloudflare } = lab.world;
  cloudflare.limitRequests({ requests: 50, seconds: 15 });
  const write = { kind: "write", token: "operator" } as const;
  // Before the second write of the run everything is used up.
  using used = cloudflare.intercept("before", { match: write, skip: 1 }, () => useUp(50));
  const { text } = await succeeded(stack.up());
  expect(used.count).toBe(1);
  expect(text).toContain("Cloudflare's rate limit is reached. Reading again");
  expect(zones.map(mxOf)).toEqual(zones.map(() => gatewayMx));
});

test("a limit that holds longer than one wait may last ends the run at once, with what to do", async () => {
  const { stack, zones } = await tenantOf("closed", 1);
  const before = zones.map((zone) => zone.snapshot());
  lab.world.cloudflare.limitRequests({ requests: 5, seconds: 300 });
  await useUp(5);
  const { text } = await failed(stack.up([], { env: { MXHERO_WAIT_SECONDS: "60" } }));
  expect(text).toContain("rate-limit-reached");
  expect(text).toMatch(/it takes (5|4) min more/);
  expect(zones.map((zone) => zone.snapshot())).toEqual(before);
});

test("a run that waits for the limit can be cancelled, and is taken up again", async () => {
  const { stack, zones } = await tenantOf("stopped", 1);
  const before = zones.map((zone) => zone.snapshot());
  lab.world.cloudflare.limitRequests({ requests: 5, seconds: 300 });
  await useUp(5);
  const run = stack.start(["up", "--yes", "--skip-preview"]);
  await vi.waitUntil(() => run.output().includes("waiting for Cloudflare's rate limit"), 60_000);
  run.kill("SIGINT");
  const { exitCode } = await run.result;
  expect(exitCode).toBe(255);
  expect(run.output()).toContain("The run was cancelled.");
  expect(zones.map((zone) => zone.snapshot())).toEqual(before);
  lab.world.cloudflare.limitRequests({ requests: 1200, seconds: 300 });
  await succeeded(stack.up());
  expect(zones.map(mxOf)).toEqual([gatewayMx]);
});
