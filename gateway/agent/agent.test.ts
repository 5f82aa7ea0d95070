/** The agent on a host with real Postfix. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { recordOf, routeOf } from "../../mail/testdata/routes.ts";
import { startTestHost, type TestHost } from "./test-host.ts";

let gateway: TestHost;

beforeAll(async () => {
  gateway = await startTestHost();
}, 120_000);

afterAll(() => gateway[Symbol.asyncDispose]());

const until = { timeout: 20_000, interval: 200 };

test("a host becomes healthy, and says so to the store", async () => {
  await expect.poll(async () => (await gateway.health())?.healthy, until).toBe(true);
  const health = await gateway.health();
  expect(health).toMatchObject({ slot: "a", faults: [], queued: 0 });
  await expect
    .poll(() => gateway.lab.store.reports(), until)
    .toMatchObject([{ slot: "a", healthy: true, faults: [], queued: 0 }]);
}, 90_000);

test("a change comes into the maps, and is acknowledged", async () => {
  const { store } = gateway.lab;
  await store.writeRoute(
    recordOf(routeOf("change.test", { server: "mail.change.test" })),
    undefined,
  );
  await expect
    .poll(async () => (await store.readDomain("change.test")).answers, until)
    .toMatchObject([{ slot: "a", acknowledged: 1 }]);
  expect(await gateway.lookUp("inbound-transport", "change.test")).toBe(
    "server:[mail.change.test]",
  );
}, 90_000);
