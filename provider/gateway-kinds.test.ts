/** What the resources of a fleet decide without a network; the rest is tests/gateway-order.test.ts. */
import { expect, test } from "vitest";
import { gatewayFleet } from "./gateway-fleet.ts";
import { gatewayHosts } from "./gateway-hosts.ts";
import { gatewaySlot } from "./gateway-slot.ts";
import type { Call } from "./resource.ts";
import { readSettings } from "./settings.ts";
import { slotGuard } from "./slot-guard.ts";
import { slotQueue } from "./slot-queue.ts";

const store = { table: "routes", region: "eu-central-1", secretPrefix: "/mxhero/example" };

const slot = {
  slot: "a",
  store,
  instance: "i-1",
  bundle: "0".repeat(64),
  smtpIn: "smtp-in.gateway.test",
  smtpRelay: "smtp-relay.gateway.test",
  inboundAddress: "198.51.100.1",
  relayAddress: "198.51.100.2",
  ttlSeconds: 60,
  spfChanged: "2026-11-26T12:00:00Z",
};
const state = { ...slot, registered: "2026-11-26T12:01:00.000Z" };

function callOf(env: Readonly<Record<string, string>> = {}) {
  const warnings: string[] = [];
  const call: Call = {
    urn: "urn:pulumi:gateway::mail::mxhero:index:SlotQueue::gateway-a",
    preview: false,
    signal: new AbortController().signal,
    settings: readSettings({}, env),
    info: () => undefined,
    warn: (message) => warnings.push(message),
    progress: () => undefined,
  };
  return { call, warnings };
}

test("a protected fleet is not deleted, whatever its routes are", async () => {
  const inputs = { gateway: "example", store, deletionProtection: true };
  const deleting = gatewayFleet.delete("example", inputs, callOf().call);
  await expect(deleting).rejects.toMatchObject({ code: "fleet-protected" });
});

test("other names are a change of the fleet's hosts; where none differs, no store is asked", async () => {
  const hosts = {
    gateway: "example",
    store,
    smtpIn: "smtp-in.gateway.test",
    smtpRelay: "smtp-relay.gateway.test",
    smtp: "smtp.gateway.test",
    spf: "_spf.gateway.test",
  };
  const news = { ...hosts, smtpIn: "mx.gateway.test", spf: "_spf.mx.gateway.test" };
  expect(gatewayHosts.diff(hosts, hosts)).toEqual([]);
  expect(gatewayHosts.diff(hosts, news)).toEqual([
    { path: "smtpIn", kind: "update" },
    { path: "spf", kind: "update" },
  ]);
  const elsewhere = { ...hosts, store: { ...store, table: "others" } };
  await expect(gatewayHosts.update("example", hosts, elsewhere, callOf().call)).resolves.toEqual(
    elsewhere,
  );
});

test("another instance is another GatewaySlot; another bundle is not", () => {
  expect(gatewaySlot.diff(state, { ...slot, instance: "i-2" })).toEqual([
    { path: "instance", kind: "update", replace: true },
  ]);
  expect(gatewaySlot.diff(state, { ...slot, bundle: "1".repeat(64) })).toEqual([
    { path: "bundle", kind: "update" },
  ]);
});

test("a changed SPF record changes no slot that serves", () => {
  expect(gatewaySlot.diff(state, { ...slot, spfChanged: "2026-11-27T12:00:00Z" })).toEqual([]);
});

test("another instance has another guard; a mark that is missing is written again", () => {
  const guard = { slot: "a", store, instance: "i-1" };
  expect(slotGuard.diff({ ...guard, published: true }, guard)).toEqual([]);
  expect(slotGuard.diff({ ...guard, published: true }, { ...guard, instance: "i-2" })).toEqual([
    { path: "instance", kind: "update", replace: true },
  ]);
  expect(slotGuard.diff({ ...guard, published: false }, guard)).toEqual([
    { path: "published", kind: "update" },
  ]);
});

test("another volume is another queue", () => {
  const queue = { slot: "a", store, volume: "vol-1" };
  expect(slotQueue.diff(queue, { ...queue, volume: "vol-2" })).toEqual([
    { path: "volume", kind: "update", replace: true },
  ]);
});

test("the queue of a dead slot is given up only where it is named, and it is said", async () => {
  const { call, warnings } = callOf({ MXHERO_ABANDONED_QUEUES: "b, a" });
  await slotQueue.delete("vol-1", { slot: "a", store, volume: "vol-1" }, call);
  expect(warnings).toEqual([expect.stringContaining("The queue of slot a is given up unread")]);
});
