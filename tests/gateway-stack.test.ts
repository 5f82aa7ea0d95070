/** A gateway's stack under the real engine: its instances are hosts with the real Postfix and the real agent. */
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { routeOf } from "../mail/testdata/routes.ts";
import { failed, type GatewayChanges, succeeded } from "./gateway-lab.ts";
import {
  flushQueue,
  type GatewayWorld,
  greetingOf,
  instancesBySlot,
  keepSendingTo,
  openRouteStore,
  queuedAt,
  sendAllTheTime,
  sendTo,
  stackOutputs,
  startGatewayWorld,
} from "./gateway-world.ts";

vi.setConfig({ testTimeout: 900_000, hookTimeout: 180_000 });

const parts = new AsyncDisposableStack();
let world: GatewayWorld;
/** The stack's settings. Each test leaves them to the next one. */
let settings: GatewayChanges = { "gateway:pool": 6 };

beforeAll(async () => {
  world = parts.use(await startGatewayWorld());
});

afterAll(() => parts.disposeAsync());

/** Writes the stack's file with further changes. */
async function configure(changes: GatewayChanges): Promise<void> {
  settings = { ...settings, ...changes };
  await world.lab.configure(settings);
}

const up = (more: readonly string[] = [], env: Readonly<Record<string, string>> = {}) =>
  world.lab.run(["up", "--yes", "--skip-preview", ...more], env);
const destroy = () => world.lab.run(["destroy", "--yes", "--skip-preview"]);
const addressesOf = (name: string) => world.resolver.resolve4(name);
const served = () => addressesOf("smtp-in.gateway.test");
const slotsRunning = () => [...instancesBySlot(world).keys()];
const arrived = () => world.contoso.messages.map(({ id }) => id);

/** Contoso's Server takes no mail for now, or again. */
function refuseAll(refuse: boolean): void {
  world.contoso.refuse("recipient", refuse ? "451 4.3.2 Try later" : undefined);
}

/** A letter that the slot has accepted, and cannot deliver for now. */
async function queueLetter(slot: string, id: string): Promise<void> {
  const { addresses } = await stackOutputs(world);
  expect(await sendTo(addresses[slot]?.inbound ?? "", id)).toMatchObject({ outcome: "delivered" });
  await expect.poll(() => queuedAt(world, slot)).toBe(1);
}

/** A route that exists, without the tenant's stack. */
async function activateContoso(): Promise<void> {
  using store = await openRouteStore(world);
  const active = { version: 1, route: routeOf("contoso.test") };
  const holder = { organisation: "contoso", claims: ["test.1"] };
  const content = { domain: "contoso.test", holder, active };
  const { revision } = await store.writeRoute(content, undefined);
  const known = async () => {
    const { answers } = await store.readDomain("contoso.test");
    return answers.filter(({ acknowledged }) => acknowledged === revision).length;
  };
  await expect.poll(known).toBe(2);
}

/** Has the slots a and b try what they hold, until these have arrived. */
async function untilArrived(ids: readonly string[]): Promise<void> {
  const missing = async () => {
    await flushQueue(world, "a");
    await flushQueue(world, "b");
    return ids.filter((id) => !arrived().includes(id));
  };
  await expect.poll(missing, { timeout: 90_000, interval: 2000 }).toEqual([]);
}

/** A cache in which Node is packed otherwise, so that the program makes another bundle. */
async function otherCache(): Promise<string> {
  const bundles = join("pulumi-mxhero", "bundle");
  const former = join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), bundles);
  const other = join(world.lab.directory, "cache");
  await mkdir(join(other, bundles), { recursive: true });
  for (const name of await readdir(former)) {
    if (!/^node-linux-.*\.tar\.gz$/.test(name)) continue;
    const packed = gzipSync(gunzipSync(await readFile(join(former, name))), { level: 1 });
    await writeFile(join(other, bundles, name), packed);
  }
  return other;
}

function daysAgo(days: number): string {
  return new Date(Date.now() - days * 86_400_000).toISOString();
}

/** As when the tenant's stack was destroyed some days ago. */
async function expireContoso(): Promise<void> {
  using store = await openRouteStore(world);
  const { record } = await store.readDomain("contoso.test");
  if (record === undefined) throw new Error("no route");
  const { revision, ...content } = record;
  const leaving = {
    since: daysAgo(4),
    deferFrom: daysAgo(3),
    refuseFrom: daysAgo(2),
    expires: daysAgo(1),
  };
  await store.writeRoute({ ...content, leaving }, revision);
}

/** Forward and reverse agree, and Postfix greets with the endpoint's name. */
async function assertAnswers(address: string, endpoint: string): Promise<void> {
  const [name = ""] = await world.resolver.reverse(address);
  expect(await addressesOf(name)).toEqual([address]);
  expect(await greetingOf(address)).toMatch(`220 ${endpoint} ESMTP`);
}

test("up builds a fleet that answers under its names", async () => {
  await configure(await world.lab.issue());
  await succeeded(world.lab.run(["preview"]));
  await succeeded(up());
  expect(world.runner.failures).toEqual([]);

  const { addresses } = await stackOutputs(world);
  expect(Object.keys(addresses)).toEqual(["a", "b", "c"]);
  for (const [side, endpoint, alias] of [
    ["inbound", "smtp-in.gateway.test", "smtp-in.gateway.test"],
    ["relay", "smtp-relay.gateway.test", "smtp.gateway.test"],
  ] as const) {
    const found = await addressesOf(alias);
    expect(new Set(found)).toEqual(new Set([addresses["a"]?.[side], addresses["b"]?.[side]]));
    for (const address of found) await assertAnswers(address, endpoint);
  }
  using store = await openRouteStore(world);
  expect(new Set((await store.slots()).map(({ slot }) => slot))).toEqual(new Set(["a", "b"]));
  await succeeded(up(["--expect-no-changes"]));
});

test("another certificate and instance size replace one slot after the other: mail is always taken, and queues survive", async () => {
  await activateContoso();
  refuseAll(true);
  await queueLetter("a", "queued-a");
  await queueLetter("b", "queued-b");
  const before = instancesBySlot(world);
  const sending = sendAllTheTime(world);
  const { addresses } = await stackOutputs(world);
  const cached = keepSendingTo(addresses["a"]?.inbound ?? "");

  const instanceType = process.arch === "x64" ? "t3.medium" : "t4g.medium";
  await configure({ ...(await world.lab.issue()), "gateway:instanceType": instanceType });
  await succeeded(up());

  const reports = await sending.stop();
  await cached.stop();
  expect(reports.length).toBeGreaterThan(10);
  expect(reports.filter(({ outcome }) => outcome !== "delivered")).toEqual([]);
  const after = instancesBySlot(world);
  expect([...after.keys()]).toEqual(["a", "b"]);
  expect(after.get("a")).not.toBe(before.get("a"));
  expect(after.get("b")).not.toBe(before.get("b"));

  refuseAll(false);
  // What was accepted while the slot was out of DNS is on the volume, too.
  expect(cached.accepted.length).toBeGreaterThan(10);
  const sent = ["queued-a", "queued-b", ...reports.map(({ id }) => id), ...cached.accepted];
  await untilArrived(sent);
  // Each of them once.
  expect(arrived().filter((id) => sent.includes(id))).toHaveLength(sent.length);
});

test("another bundle alone replaces one slot after the other, the second once the first is healthy with it", async () => {
  refuseAll(true);
  await queueLetter("a", "before-bundle-a");
  await queueLetter("b", "before-bundle-b");
  const before = instancesBySlot(world);
  using store = await openRouteStore(world);
  const reportOf = async (slot: string) => (await store.reports()).find((r) => r.slot === slot);
  const former = (await reportOf("a"))?.bundle;

  const upgrading = up([], { XDG_CACHE_HOME: await otherCache() });
  const isB = () => instancesBySlot(world).get("b") === before.get("b");
  await expect.poll(isB, { timeout: 400_000, interval: 200 }).toBe(false);
  const first = await reportOf("a");
  expect(first).toMatchObject({ healthy: true });
  expect(first?.bundle).not.toBe(former);
  const { addresses } = await stackOutputs(world);
  expect(await served()).toEqual([addresses["a"]?.inbound]);
  await succeeded(upgrading);

  expect((await reportOf("b"))?.bundle).toBe(first?.bundle);
  expect(await served()).toHaveLength(2);
  refuseAll(false);
  await untilArrived(["before-bundle-a", "before-bundle-b"]);
});

test("a slot is added within the pool, and emptied before it is taken away again", async () => {
  await configure({ "gateway:slots": 3 });
  await succeeded(up());
  expect(await served()).toHaveLength(3);

  refuseAll(true);
  await queueLetter("c", "queued-c");
  await configure({ "gateway:slots": 2 });
  const { addresses } = await stackOutputs(world);
  const cached = keepSendingTo(addresses["c"]?.inbound ?? "");
  const removing = up();
  await expect.poll(served, { timeout: 180_000 }).toHaveLength(2);
  const replies = () => cached.refused.join("\n");
  await expect.poll(replies, { timeout: 180_000 }).toContain("421 4.3.2");
  expect(await queuedAt(world, "c")).toBe(1 + cached.accepted.length);
  refuseAll(false);
  await flushQueue(world, "c");
  await succeeded(removing);
  await expect.poll(slotsRunning).toEqual(["a", "b"]);
  await cached.stop();
  // The slot is gone, with its volume: what it had accepted has arrived, up to the last letter.
  expect(cached.accepted.length).toBeGreaterThan(10);
  const missing = ["queued-c", ...cached.accepted].filter((id) => !arrived().includes(id));
  expect(missing).toEqual([]);
});

test("a fleet with an active route is not destroyed; without one it is, all of it", async () => {
  const { text } = await failed(destroy());
  expect(text).toContain("fleet-has-routes");
  expect(text).toContain("contoso.test");
  expect(slotsRunning()).toEqual(["a", "b"]);

  await expireContoso();
  await succeeded(destroy());
  await expect.poll(slotsRunning).toEqual([]);
  expect(world.lab.cloudflare.snapshot(world.lab.zoneId)).toEqual([]);
  expect(world.runner.failures).toEqual([]);
});
