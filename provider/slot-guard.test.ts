/** What the guard of a slot's records asks, in a route store of an emulated AWS account. */
import { setInterval as every } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { recordOf, routeOf } from "../mail/testdata/routes.ts";
import { startTestStore, type TestStore } from "../store/test-store.ts";
import type { Call } from "./resource.ts";
import { readSettings } from "./settings.ts";
import { slotGuard } from "./slot-guard.ts";

// Moto loads each of AWS's services at its first call.
vi.setConfig({ testTimeout: 120_000 });

let lab: TestStore;
const healthy = new Set<string>();
const ended = new AbortController();
let reporting: Promise<void>;

beforeAll(async () => {
  lab = await startTestStore();
  for (const [name, value] of Object.entries(lab.moto.env)) vi.stubEnv(name, value);
  await lab.store.writeRoute(recordOf(routeOf("contoso.test")), undefined);
  for (const slot of ["a", "b"]) await lab.store.registerSlot({ slot, registered: "now" });
  reporting = reportHealth();
}, 90_000);

beforeEach(async () => {
  healthy.add("a").add("b");
  await slotGuard.create(inputsOf("a"), callOf().call);
  await slotGuard.create(inputsOf("b"), callOf().call);
});

afterAll(async () => {
  ended.abort();
  await reporting;
  await lab[Symbol.asyncDispose]();
  vi.unstubAllEnvs();
});

async function reportHealth(): Promise<void> {
  for await (const _ of every(100)) {
    if (ended.signal.aborted) return;
    for (const slot of ["a", "b"]) {
      const health = { healthy: healthy.has(slot), faults: healthy.has(slot) ? [] : ["disk"] };
      const heartbeat = new Date().toISOString();
      await lab.store.putReport({ slot, heartbeat, bundle: "", ...health });
    }
  }
}

function inputsOf(slot: string) {
  const { table, region, secretPrefix } = lab.options;
  return { slot, store: { table, region, secretPrefix }, instance: "i-1" };
}

function stateOf(slot: string) {
  return { ...inputsOf(slot), published: true };
}

function callOf(env: Readonly<Record<string, string>> = {}, slot = "a") {
  const warnings: string[] = [];
  const call: Call = {
    urn: `urn:pulumi:gateway::mail::mxhero:index:SlotGuard::gateway-${slot}`,
    preview: false,
    signal: new AbortController().signal,
    settings: readSettings({}, { MXHERO_WAIT_SECONDS: "3", ...env }),
    info: () => undefined,
    warn: (message) => warnings.push(message),
    progress: () => undefined,
  };
  return { call, warnings };
}

test("a preview marks nothing", async () => {
  await lab.store.unmarkPublished("a");
  await slotGuard.create(inputsOf("a"), { ...callOf().call, preview: true });
  expect(await lab.store.publishedSlots()).toEqual(["b"]);
});

test("a healthy slot whose records are out of DNS is no cover for another one", async () => {
  await slotGuard.delete("b", stateOf("b"), callOf({}, "b").call);
  expect(await lab.store.publishedSlots()).toEqual(["a"]);
  const leaving = slotGuard.delete("a", stateOf("a"), callOf().call);
  await expect(leaving).rejects.toMatchObject({
    code: "slot-not-covered",
    problem: expect.stringContaining("slot b: it is not in DNS. Nothing of slot a was changed."),
    fix: expect.stringContaining(
      "pulumi up --stack gateway --exclude '**::gateway-a' --exclude '**::gateway-a-*'",
    ),
  });
  expect(await lab.store.publishedSlots()).toEqual(["a"]);

  await slotGuard.create(inputsOf("b"), callOf({}, "b").call);
  await slotGuard.delete("a", stateOf("a"), callOf().call);
  expect(await lab.store.publishedSlots()).toEqual(["b"]);
});

test("neither is a slot in DNS that is not healthy", async () => {
  healthy.delete("b");
  const leaving = slotGuard.delete("a", stateOf("a"), callOf().call);
  await expect(leaving).rejects.toMatchObject({ code: "slot-not-covered" });
  expect(await lab.store.publishedSlots()).toEqual(["a", "b"]);
});

test("the guard looks away only where the environment says so, and the slot is no cover then", async () => {
  healthy.delete("b");
  const { call, warnings } = callOf({ MXHERO_UNCOVERED_SLOTS: "a" });
  await slotGuard.delete("a", stateOf("a"), call);
  expect(warnings).toEqual([expect.stringContaining("MXHERO_UNCOVERED_SLOTS names it")]);
  expect(await lab.store.publishedSlots()).toEqual(["b"]);
});

test("a refresh sees that the mark is gone, and an update writes it again", async () => {
  await lab.store.unmarkPublished("a");
  const found = await slotGuard.read("a", stateOf("a"), callOf().call);
  expect(found).toEqual({ inputs: inputsOf("a"), outputs: { ...inputsOf("a"), published: false } });
  await slotGuard.update("a", { ...stateOf("a"), published: false }, inputsOf("a"), callOf().call);
  expect(await lab.store.publishedSlots()).toEqual(["a", "b"]);
});
