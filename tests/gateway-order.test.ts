/** In which order the engine builds, changes and takes down a fleet. The agents are acted. */
import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { recordOf, routeOf } from "../mail/testdata/routes.ts";
import { RouteStore } from "../store/route-store.ts";
import { type ActingAgents, startActingAgents } from "./acting-agents.ts";
import { endedSteps, stepsOf } from "./engine-steps.ts";
import {
  failed,
  type GatewayChanges,
  type GatewayLab,
  startGatewayLab,
  succeeded,
} from "./gateway-lab.ts";

vi.setConfig({ testTimeout: 600_000, hookTimeout: 120_000 });

const parts = new AsyncDisposableStack();
let lab: GatewayLab;
let agents: ActingAgents;
let keys: GatewayChanges;

const up = ["up", "--yes", "--skip-preview"];
const destroy = ["destroy", "--yes", "--skip-preview"];
const { revision: _, ...contoso } = recordOf(routeOf("contoso.test"));
const larger = process.arch === "x64" ? "t3.medium" : "t4g.medium";

beforeAll(async () => {
  lab = parts.use(await startGatewayLab());
  for (const [name, value] of Object.entries(lab.moto.env)) vi.stubEnv(name, value);
  agents = parts.use(startActingAgents(lab.moto));
  keys = await lab.issue();
});

beforeEach(() => agents.says.clear());

afterAll(async () => {
  await parts.disposeAsync();
  vi.unstubAllEnvs();
});

/** What happens to a slot's parts, in order. The two records of a slot have none among themselves. */
function slotSteps(text: string, slot: string): string[] {
  const name = `gateway-${slot}`;
  const records = [`${name}-smtp-in`, `${name}-smtp-relay`];
  const steps = stepsOf(text, [name, ...records]);
  const order = /Instance|VolumeAttachment|GatewaySlot|SlotQueue|SlotGuard|DnsRecord|Volume /;
  return steps
    .filter((step) => order.test(step) && !step.startsWith("replaced"))
    .map((step) => step.replace(/ gateway-.*$/, ""))
    .filter((step, index, all) => step !== all[index - 1]);
}

function addressesOf(name: string): string[] {
  const records = lab.cloudflare.snapshot(lab.zoneId);
  return records.filter((record) => record.name === name).map(({ content }) => content);
}

function openStore(): RouteStore {
  return new RouteStore({ table: "mxhero-gateway-example", secretPrefix: "/mxhero/example" });
}

async function closingMark(slot: string): Promise<string | undefined> {
  using store = openStore();
  return store.closingMark(slot);
}

async function registered(): Promise<string[]> {
  using store = openStore();
  return (await store.slots()).map(({ slot }) => slot);
}

test("quotas that do not admit the fleet are told before anything is built", async () => {
  await lab.configure(keys);
  const quotas = JSON.stringify({ "L-0263D0A3": 3, "L-1216C47A": 3 });
  const { text } = await failed(lab.run(["preview"], { LAB_AWS_QUOTAS: quotas }));
  expect(text).toContain("gateway:pool");
  expect(text).toContain("--quota-code L-0263D0A3 --desired-value 4");
  expect(text).toContain("--quota-code L-1216C47A --desired-value 4");
});

test("the slots come up one after the other, and each is in DNS only when it is healthy", async () => {
  agents.says.set("b", { healthy: false, faults: ["the banner of postfix-in does not come"] });
  const { text } = await failed(lab.run(up, { MXHERO_WAIT_SECONDS: "5" }));
  expect(text).toContain("it is not healthy: the banner of postfix-in does not come");
  expect(slotSteps(text, "a")).toEqual([
    "created ebs:Volume",
    "created ec2:Instance",
    "created ec2:VolumeAttachment",
    "created index:SlotQueue",
    "created index:GatewaySlot",
    "created index:DnsRecord",
    "created index:SlotGuard",
  ]);
  expect(await registered()).toEqual(["a"]);
  expect(addressesOf("smtp-in.gateway.test")).toHaveLength(1);

  agents.says.clear();
  const next = await succeeded(lab.run(up));
  expect(slotSteps(next.text, "a")).toEqual([]);
  expect(await registered()).toEqual(["a", "b"]);
  expect(addressesOf("smtp-in.gateway.test")).toHaveLength(2);
  expect(addressesOf("smtp.gateway.test")).toEqual(["smtp-relay.gateway.test"]);
  await succeeded(lab.run([...up, "--expect-no-changes"]));
});

test("size and certificate replace one slot after the other, out of DNS first; the queue stays", async () => {
  const before = new Map(agents.instances);
  agents.says.set("a", { queued: 3 });
  keys = await lab.issue();
  await lab.configure({ ...keys, "gateway:instanceType": larger });
  const { text } = await succeeded(lab.run(up));
  const replacement = [
    "deleted index:SlotGuard",
    "deleted index:DnsRecord",
    "deleted index:GatewaySlot",
    "deleted ec2:VolumeAttachment",
    "deleted ec2:Instance",
    "created ec2:Instance",
    "created ec2:VolumeAttachment",
    "created index:GatewaySlot",
    "created index:DnsRecord",
    "created index:SlotGuard",
  ];
  expect(slotSteps(text, "a")).toEqual(replacement);
  expect(slotSteps(text, "b")).toEqual(replacement);
  const endOfFirst = text.lastIndexOf(" gateway-a-smtp-in created");
  expect(endOfFirst).toBeGreaterThan(0);
  expect(text.indexOf(" gateway-b-smtp-in deleting")).toBeGreaterThan(endOfFirst);
  expect(agents.instances.get("a")).not.toBe(before.get("a"));
  expect(await registered()).toEqual(["a", "b"]);
  agents.says.clear();
});

test("a slot more touches none of the others; a slot less is closed and emptied first", async () => {
  const sized = { ...keys, "gateway:instanceType": larger };
  await lab.configure({ ...sized, "gateway:slots": 3 });
  const more = await succeeded(lab.run(up));
  expect(slotSteps(more.text, "a")).toEqual([]);
  expect(slotSteps(more.text, "b")).toEqual([]);
  expect(await registered()).toEqual(["a", "b", "c"]);

  agents.says.set("c", { queued: 2 });
  await lab.configure({ ...sized, "gateway:slots": 2, "gateway:pool": 6 });
  const waiting = await failed(lab.run(up, { MXHERO_WAIT_SECONDS: "5" }));
  expect(waiting.text).toMatch(/queue on vol-\w+ is not known to be empty for good: 2 messages/);
  expect(agents.instances.has("c")).toBe(true);
  expect(await closingMark("c")).toBeDefined();
  expect(await registered()).toEqual(["a", "b"]);
  expect(addressesOf("smtp-in.gateway.test")).toHaveLength(2);

  // It is to stay after all, and then not.
  await lab.configure({ ...sized, "gateway:slots": 3 });
  const back = await succeeded(lab.run(up));
  expect(slotSteps(back.text, "c")).toEqual([
    "created index:GatewaySlot",
    "created index:DnsRecord",
    "created index:SlotGuard",
  ]);
  expect(await closingMark("c")).toBeUndefined();
  await lab.configure({ ...sized, "gateway:slots": 2, "gateway:pool": 6 });
  agents.says.set("c", { queued: 0, closing: { mark: "of before", isClosed: true } });
  const open = await failed(lab.run(up, { MXHERO_WAIT_SECONDS: "5" }));
  expect(open.text).toContain("and it still takes mail");

  agents.says.clear();
  const less = await succeeded(lab.run(up));
  expect(slotSteps(less.text, "c")).toEqual([
    "deleted index:SlotQueue",
    "deleted ec2:VolumeAttachment",
    "deleted ec2:Instance",
    "deleted ebs:Volume",
  ]);
});

test("a slot does not leave DNS while no other one is healthy; once one is, the same command goes on", async () => {
  using store = openStore();
  await store.writeRoute(contoso, undefined);
  const before = new Map(agents.instances);
  agents.says.set("b", { healthy: false, faults: ["disk: 3 % free"] });
  keys = await lab.issue();
  await lab.configure({ ...keys, "gateway:instanceType": larger });
  const { text } = await failed(lab.run(up));
  expect(text).toContain(
    "no other slot is in DNS and healthy: slot b: disk: 3 % free. Nothing of slot a was changed.",
  );
  expect(slotSteps(text, "a")).toEqual([]);
  expect(slotSteps(text, "b")).toEqual([]);
  expect(addressesOf("smtp-in.gateway.test")).toHaveLength(2);
  expect(await registered()).toEqual(["a", "b"]);

  agents.says.clear();
  await succeeded(lab.run(up));
  expect(agents.instances.get("a")).not.toBe(before.get("a"));
  expect(agents.instances.get("b")).not.toBe(before.get("b"));
});

test("other names are refused while a domain is served, in a preview, too, before anything is touched", async () => {
  const names = { otherNames: ["smtp-relay.gateway.test", "smtp.gateway.test"] };
  const { cert, key } = await lab.authority.issue("mx.gateway.test", names);
  const renamed = {
    "gateway:certificate": cert,
    "gateway:privateKey": key,
    "gateway:instanceType": larger,
    "gateway:hosts": { smtpIn: "mx.gateway.test" },
  };
  const before = lab.cloudflare.snapshot(lab.zoneId);
  await lab.configure(renamed);
  for (const args of [["preview"], up]) {
    const { text } = await failed(lab.run(args));
    expect(text).toContain(
      "Its names would change: smtp-in.gateway.test to mx.gateway.test. Mail of 1 domain goes through it: contoso.test.",
    );
    expect(text).toContain("(fleet-renamed");
    expect(endedSteps(text)).toEqual([]);
  }
  expect(lab.cloudflare.snapshot(lab.zoneId)).toEqual(before);
  expect(await registered()).toEqual(["a", "b"]);
  await lab.configure({ ...keys, "gateway:instanceType": larger });
  await succeeded(lab.run([...up, "--expect-no-changes"]));
});

test("a destroy is refused while routes are active, with the list, before anything is touched", async () => {
  using store = openStore();
  const refused = await failed(lab.run(destroy));
  expect(refused.text).toContain("Mail of 1 domain goes through it: contoso.test");
  expect(stepsOf(refused.text, ["gateway-a", "gateway-b"])).toEqual([]);
  expect(addressesOf("smtp-in.gateway.test")).toHaveLength(2);

  const leaving = {
    since: "2026-01-01T00:00:00.000Z",
    deferFrom: "2026-01-02T00:00:00.000Z",
    refuseFrom: "2026-01-03T00:00:00.000Z",
    expires: "2026-01-04T00:00:00.000Z",
  };
  await store.writeRoute({ ...contoso, leaving }, 1);
  const { text } = await succeeded(lab.run(destroy));
  expect(stepsOf(text, ["gateway"])[0]).toBe("deleted index:GatewayFleet gateway");
  expect(lab.cloudflare.snapshot(lab.zoneId)).toEqual([]);
  expect(await store.readSecret("tls/key")).toBeUndefined();
});
