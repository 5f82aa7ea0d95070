/** What leads out after a replacement of a slot has failed, or was interrupted. The agents are acted. */
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { recordOf, routeOf } from "../mail/testdata/routes.ts";
import { RouteStore } from "../store/route-store.ts";
import { type ActingAgents, startActingAgents } from "./acting-agents.ts";
import { stepsOf } from "./engine-steps.ts";
import { failed, type GatewayLab, startGatewayLab, succeeded } from "./gateway-lab.ts";

vi.setConfig({ testTimeout: 600_000, hookTimeout: 600_000 });

const parts = new AsyncDisposableStack();
let lab: GatewayLab;
let agents: ActingAgents;

const up = ["up", "--yes", "--skip-preview"];
const refresh = ["refresh", "--yes", "--skip-preview"];
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

test("the first slot's replacement fails: after a refresh, a corrected configuration goes through", async () => {
  const text = await replaceInVain("a");
  expect(text).toContain("pulumi refresh --stack gateway, then pulumi up --stack gateway");
  await lab.configure(await lab.issue());
  await succeeded(lab.run(refresh));
  await succeeded(lab.run(up));
  expect(inDns()).toBe(2);
  expect(await published()).toEqual(["a", "b"]);
  await succeeded(lab.run([...up, "--expect-no-changes"]));
});

test("the last slot's fails: the first does not leave DNS before the last one is back", async () => {
  await replaceInVain("b");
  const before = new Map(agents.instances);
  await lab.configure(await lab.issue());
  const refused = await failed(lab.run(up));
  expect(refused.text).toContain("slot-not-covered");
  expect(refused.text).toContain("slot b: it is not in DNS. Nothing of slot a was changed.");
  expect(refused.text).toContain(
    "pulumi up --stack gateway --exclude '**::gateway-a' --exclude '**::gateway-a-*'",
  );
  expect(inDns()).toBe(1);

  await succeeded(lab.run(refresh));
  const without = ["--exclude", "**::gateway-a", "--exclude", "**::gateway-a-*"];
  const { text } = await succeeded(lab.run([...up, ...without]));
  expect(stepsOf(text, ["gateway-a", "gateway-a-smtp-in", "gateway-a-smtp-relay"])).toEqual([]);
  expect(agents.instances.get("a")).toBe(before.get("a"));
  expect(inDns()).toBe(2);

  await succeeded(lab.run(up));
  expect(agents.instances.get("a")).not.toBe(before.get("a"));
  expect(await published()).toEqual(["a", "b"]);
  await succeeded(lab.run([...up, "--expect-no-changes"]));
});
