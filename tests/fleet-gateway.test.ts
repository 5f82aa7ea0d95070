/** A gateway's stack and a tenant's of it in one run, with the real engine. The slots' agents are acted. */
import { readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { RouteStore } from "../store/route-store.ts";
import { startActingAgents } from "./acting-agents.ts";
import { emptyFleet, fleet, statuses } from "./fleet-command.ts";
import { type GatewayLab, startGatewayLab, tenantAtGateway } from "./gateway-lab.ts";
import { mx, txt } from "./tenant.ts";
import { startAgents, type TestAgents } from "./test-agents.ts";

vi.setConfig({ testTimeout: 600_000, hookTimeout: 120_000 });

const domain = "t.test";
const slots = ["a", "b"];
const patient = { timeout: 300_000, interval: 200 };
const parts = new AsyncDisposableStack();
let lab: GatewayLab;
let store: RouteStore;

beforeAll(async () => {
  lab = parts.use(await startGatewayLab());
  for (const [name, value] of Object.entries(lab.moto.env)) vi.stubEnv(name, value);
  parts.use(startActingAgents(lab.moto));
  store = parts.use(
    new RouteStore({ table: "mxhero-gateway-example", secretPrefix: "/mxhero/example" }),
  );
  await emptyFleet(lab.project);
  await lab.configure(await lab.issue());
  const zone = await lab.cloudflare.addZone({ name: domain });
  await lab.cloudflare.seed(zone, [mx(domain, 10, `mail.${domain}`), txt(domain, "v=spf1 -all")]);
  await lab.project.writeStackFile("tenant", tenantAtGateway(domain, { quietSeconds: 0 }));
});

afterAll(async () => {
  await parts.disposeAsync();
  vi.unstubAllEnvs();
});

let agents: TestAgents;

test("up: the gateway comes first, for only then is there something for the tenant to be at", async () => {
  const report = join(lab.directory, "up.json");
  const running = fleet(lab.project, ["up", "--json", report]);
  await expect.poll(hasSlots, patient).toBe(true);
  agents = await startAgents(store, slots);
  const { text, exitCode } = await running;
  expect(text).toContain("2 stacks: 2 done.");
  expect(exitCode).toBe(0);
  expect(doneIn(text, "up")).toEqual(["gateway", "tenant"]);
  expect(await statuses(report)).toEqual({ gateway: "changed", tenant: "changed" });
  expect((await store.readDomain(domain)).record).toHaveProperty("active");

  const again = await fleet(lab.project, ["up"]);
  expect(again.text).toContain("2 stacks: 2 unchanged. Nothing was changed.");
});

test("a gateway whose file is gone is still previewed as one", async () => {
  const file = join(lab.project.directory, "stacks/Pulumi.gateway.yaml");
  const json = join(lab.directory, "leaving.json");
  const aside = `${file}.aside`;
  await rename(file, aside);
  await fleet(lab.project, ["preview", "--leaving", "--stack", "gateway", "--json", json]);
  await rename(aside, file);
  expect(JSON.parse(await readFile(json, "utf8"))).toMatchObject([
    { stack: "gateway", kind: "gateway", isDestroyed: true },
  ]);
});

test("destroy: the gateway goes last, once nobody's mail goes through it", async () => {
  const running = fleet(lab.project, ["destroy", "--stack", "*"]);
  await expect.poll(isKnownToLeave, patient).toBe(true);
  await agents[Symbol.asyncDispose]();
  await expireRoute();
  const { text, exitCode } = await running;
  expect(text).toContain("2 stacks: 2 done.");
  expect(exitCode).toBe(0);
  expect(doneIn(text, "destroy")).toEqual(["tenant", "gateway"]);
  expect(lab.cloudflare.snapshot(lab.zoneId)).toEqual([]);
});

/** The stacks that are done after their previews, in order. */
function doneIn(text: string, operation: string): string[] {
  const [, ...turns] = text.split(new RegExp(`^${operation}: 1 stack$`, "m"));
  return turns.flatMap((turn) => /^\[1\/1\] (\w+): done$/m.exec(turn)?.[1] ?? []);
}

/** The gateway's table is there, and its slots report. */
async function hasSlots(): Promise<boolean> {
  const reports = await store.reports().catch(() => []);
  return reports.length === slots.length;
}

/** Every slot has heard that the route was given up. */
async function isKnownToLeave(): Promise<boolean> {
  const { record, answers } = await store.readDomain(domain);
  const heard = answers.filter(({ acknowledged }) => acknowledged === record?.revision);
  return record?.leaving !== undefined && heard.length === slots.length;
}

/** As if days had passed, in which senders learn that the domain is elsewhere. */
async function expireRoute(): Promise<void> {
  const { record } = await store.readDomain(domain);
  if (record === undefined) throw new Error("There is no route.");
  const { revision, ...content } = record;
  const leaving = {
    since: "2026-01-01T00:00:00.000Z",
    deferFrom: "2026-01-02T00:00:00.000Z",
    refuseFrom: "2026-01-03T00:00:00.000Z",
    expires: "2026-01-04T00:00:00.000Z",
  };
  await store.writeRoute({ ...content, leaving }, revision);
}
