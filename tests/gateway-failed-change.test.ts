/** What leads out after a replacement of a slot has failed, or was interrupted. The agents are acted. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { z } from "zod";
import { recordOf, routeOf } from "../mail/testdata/routes.ts";
import { RouteStore } from "../store/route-store.ts";
import { type ActingAgents, startActingAgents } from "./acting-agents.ts";
import { failed, type GatewayLab, startGatewayLab, succeeded } from "./gateway-lab.ts";

vi.setConfig({ testTimeout: 600_000, hookTimeout: 600_000 });

const parts = new AsyncDisposableStack();
let lab: GatewayLab;
let agents: ActingAgents;

const up = ["up", "--yes", "--skip-preview"];
const stateFile = z.looseObject({
  deployment: z.looseObject({
    resources: z.array(z.looseObject({ pendingReplacement: z.boolean().optional() })),
  }),
});
const impatient = { MXHERO_WAIT_SECONDS: "8" };
const { revision: _, ...contoso } = recordOf(routeOf("contoso.test"));

beforeAll(async () => {
  lab = parts.use(await startGatewayLab());
  for (const [name, value] of Object.entries(lab.moto.env)) vi.stubEnv(name, value);
  agents = parts.use(startActingAgents(lab.moto));
  await lab.configure(await lab.issue());
  await succeeded(lab.run(up));
  using store = openStore();
  await store.writeRoute(contoso, undefined);
});

afterAll(async () => {
  await parts.disposeAsync();
  vi.unstubAllEnvs();
});

function openStore(): RouteStore {
  return new RouteStore({ table: "mxhero-gateway-example", secretPrefix: "/mxhero/example" });
}

async function published(): Promise<readonly string[]> {
  using store = openStore();
  return store.publishedSlots();
}

/** How many slots smtp-in leads to. */
function inDns(): number {
  const records = lab.cloudflare.snapshot(lab.zoneId);
  return records.filter(({ name }) => name === "smtp-in.gateway.test").length;
}

/** The commands of docs/gateway.md; what jq does is done here. */
async function forgetDeleted(): Promise<void> {
  const file = join(lab.directory, "state.json");
  await succeeded(lab.run(["stack", "export", "--file", file]));
  const state = stateFile.parse(JSON.parse(await readFile(file, "utf8")));
  const { resources } = state.deployment;
  const kept = resources.filter(({ pendingReplacement }) => pendingReplacement !== true);
  expect(kept.length).toBeLessThan(resources.length);
  const deployment = { ...state.deployment, resources: kept };
  await writeFile(file, JSON.stringify({ ...state, deployment }));
  await succeeded(lab.run(["stack", "import", "--force", "--file", file]));
  await succeeded(lab.run(["state", "repair", "--yes"]));
}

/** Changes the certificate. The slot's new instance does not become healthy. */
async function replaceInVain(slot: string): Promise<string> {
  const before = agents.instances.get(slot);
  await lab.configure(await lab.issue());
  const run = failed(lab.run(up, impatient));
  const sick = (async () => {
    const options = { timeout: 120_000, interval: 50 };
    await vi.waitUntil(async () => !(await published()).includes(slot), options);
    agents.says.set(slot, { healthy: false, faults: ["the new configuration is wrong"] });
  })();
  const [{ text }] = await Promise.all([run, sick]);
  expect(agents.instances.get(slot)).not.toBe(before);
  expect(text).toContain("it is not healthy: the new configuration is wrong");
  expect(inDns()).toBe(1);
  agents.says.clear();
  return text;
}

test("the first slot's replacement fails: once what is deleted is forgotten, a corrected configuration goes through", async () => {
  const text = await replaceInVain("a");
  expect(text).toContain("docs/gateway.md, After a run that failed or was interrupted");
  await lab.configure(await lab.issue());
  await forgetDeleted();
  await succeeded(lab.run(up));
  expect(inDns()).toBe(2);
  expect(await published()).toEqual(["a", "b"]);
  await succeeded(lab.run([...up, "--expect-no-changes"]));
});

test("the last slot's fails: the first does not leave DNS before the last one is back", async () => {
  await replaceInVain("b");
  await lab.configure(await lab.issue());
  const refused = await failed(lab.run(up));
  expect(refused.text).toContain("slot a: No other slot serves");
  expect(refused.text).toContain("Nothing of slot a was changed.");
  expect(refused.text).toContain(
    "pulumi up --stack gateway --exclude '**::gateway-a' --exclude '**::gateway-a-*'",
  );
  expect(inDns()).toBe(1);
});
