/** The route store in an emulated AWS account. */
import { DynamoDBClient, ScanCommand } from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ChangeReader } from "./change-reader.ts";
import { activeRecord } from "./example-route.ts";
import { RouteConflict, type RouteStore } from "./route-store.ts";
import { startTestStore, type TestStore } from "./test-store.ts";

let lab: TestStore;
let store: RouteStore;

beforeAll(async () => {
  lab = await startTestStore();
  ({ store } = lab);
}, 90_000);

afterAll(() => lab[Symbol.asyncDispose]());

test("a route is read back as it was written, with the slots' answers", async () => {
  expect(await store.readDomain("contoso.test")).toEqual({ answers: [] });
  const written = await store.writeRoute(activeRecord(), undefined);
  const proof = {
    version: 1,
    at: "2026-01-02T03:04:05.000Z",
    verdict: "proven" as const,
    steps: [],
  };
  await store.putAnswer({ domain: "contoso.test", slot: "a", proof });
  await store.putAnswer({ domain: "contoso.test", slot: "a", acknowledged: 1 });

  expect(written).toEqual({ ...activeRecord(), revision: 1 });
  expect(await store.readDomain("contoso.test")).toEqual({
    record: written,
    answers: [{ domain: "contoso.test", slot: "a", proof, acknowledged: 1 }],
  });
});

test("a write names the revision that it has read", async () => {
  const domain = "revisions.test";
  await store.writeRoute(activeRecord({ domain }), undefined);
  await expect(store.writeRoute(activeRecord({ domain }), undefined)).rejects.toThrow(
    RouteConflict,
  );
  await expect(store.writeRoute(activeRecord({ domain }), 2)).rejects.toThrow(RouteConflict);
  const second = await store.writeRoute(activeRecord({ domain, server: "b.test" }), 1);
  expect(second.revision).toBe(2);
  expect((await store.readDomain(domain)).record?.active?.route.server).toBe("b.test");
});

test("of writers that read the same revision one wins", async () => {
  const domain = "race.test";
  const writers = Array.from({ length: 6 }, () => lab.connect());
  const results = await Promise.allSettled(
    writers.map((writer, index) =>
      writer.writeRoute(activeRecord({ domain, server: `${index}.test` }), undefined),
    ),
  );
  const refused = results.flatMap((one) => (one.status === "rejected" ? [one.reason] : []));
  expect(refused).toHaveLength(5);
  expect(refused.every((reason) => reason instanceof RouteConflict)).toBe(true);
});

test("a reader of the changes misses no write of many writers at once, and gives each once", async () => {
  const { sequence: start } = await store.changesSince(0);
  const reader = new ChangeReader({ store, sequence: start });
  const writers = Array.from({ length: 4 }, () => lab.connect());
  const writing = writers.map(async (writer, number) => {
    for (let index = 0; index < 10; index += 1) {
      const domain = `w${number}-${index}.test`;
      await writer.writeRoute(activeRecord({ domain, identities: [] }), undefined);
    }
  });
  const seen: string[] = [];
  const look = async () => {
    seen.push(...(await reader.next()).map(({ domain }) => domain));
  };
  const written = new AbortController();
  const writes = Promise.all(writing).finally(() => written.abort());
  while (!written.signal.aborted) await look();
  await writes;
  await look();

  const expected = writers.flatMap((_, number) =>
    Array.from({ length: 10 }, (__, index) => `w${number}-${index}.test`),
  );
  expect(seen.toSorted()).toEqual(expected.toSorted());
  expect((await store.changesSince(0)).sequence).toBe(start + 40);
});

test("all routes, and from where to go on", async () => {
  const { sequence, pages } = await store.allRoutes();
  const domains: string[] = [];
  for await (const page of pages) domains.push(...page.map(({ domain }) => domain));

  const { records, sequence: last } = await store.changesSince(0);
  expect(domains.toSorted()).toEqual(records.map(({ domain }) => domain).toSorted());
  expect(sequence).toBe(last);
});

test("slots and their reports", async () => {
  const slot = { slot: "a", registered: "2026-01-02T03:04:05.000Z" };
  const report = {
    slot: "a",
    heartbeat: "2026-01-02T03:04:06.000Z",
    bundle: "0".repeat(64),
    healthy: false,
    faults: ["the maps are old"],
    queued: 3,
  };
  await store.registerSlot(slot);
  await store.putReport({ ...report, queued: 1 });
  await store.putReport(report);
  expect(await store.slots()).toEqual([slot]);
  expect(await store.reports()).toEqual([report]);
  await store.removeSlot("a");
  await store.removeSlot("a");
  expect(await store.slots()).toEqual([]);
});

test("a secret is written, read and deleted, and never stands in the table", async () => {
  const password = "correct horse battery staple";
  expect(await store.readSecret("relay/contoso.test")).toBeUndefined();
  expect(await store.putSecret("relay/contoso.test", "the first one")).toBe(1);
  expect(await store.putSecret("relay/contoso.test", password)).toBe(2);
  expect(await store.readSecret("relay/contoso.test")).toBe(password);
  const long = "x".repeat(6000);
  await store.putSecret("tls/key", long);
  expect(await store.readSecret("tls/key")).toBe(long);

  const { endpoint, region, table } = lab.options;
  const client = new DynamoDBClient({ endpoint, region });
  const { Items: items = [] } = await client.send(new ScanCommand({ TableName: table }));
  expect(items.length).toBeGreaterThan(0);
  expect(JSON.stringify(items)).not.toContain("battery");

  await store.deleteSecret("relay/contoso.test");
  await store.deleteSecret("relay/contoso.test");
  expect(await store.readSecret("relay/contoso.test")).toBeUndefined();
});
