/** The route store in an emulated AWS account. */
import { DynamoDBClient, ScanCommand, UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { Route, RouteRecord } from "../mail/route.ts";
import { giveUpRoute } from "../mail/route-changes.ts";
import { recordOf, routeOf } from "../mail/testdata/routes.ts";
import { ChangeReader } from "./change-reader.ts";
import { routeKey } from "./item.ts";
import { RouteConflict, RouteStore } from "./route-store.ts";
import { startTestStore, type TestStore } from "./test-store.ts";

// Moto loads each of AWS's services at its first call.
vi.setConfig({ testTimeout: 120_000 });

let lab: TestStore;
let store: RouteStore;

function activeRecord(domain: string, route: Partial<Route> = {}, organisation = "contoso") {
  const holder = { organisation, claims: [`${organisation}.00000001`] };
  return { ...recordOf(routeOf(domain, route)), holder };
}

function withNetwork(network: string): Partial<Route> {
  return { identities: [{ kind: "network", network }] };
}

beforeAll(async () => {
  lab = await startTestStore();
  ({ store } = lab);
}, 90_000);

afterAll(() => lab[Symbol.asyncDispose]());

test("a route is read back as it was written, with the slots' answers", async () => {
  expect(await store.readDomain("contoso.test")).toEqual({ answers: [] });
  const written = await store.writeRoute(activeRecord("contoso.test"), undefined);
  const proof = {
    version: 1,
    at: "2026-01-02T03:04:05.000Z",
    verdict: "proven" as const,
    steps: [],
  };
  await store.putAnswer({ domain: "contoso.test", slot: "a", proof });
  await store.putAnswer({ domain: "contoso.test", slot: "a", acknowledged: 1 });

  expect(written).toEqual({ ...activeRecord("contoso.test"), revision: 1 });
  expect(await store.readDomain("contoso.test")).toEqual({
    record: written,
    answers: [{ domain: "contoso.test", slot: "a", proof, acknowledged: 1 }],
  });
});

test("a write names the revision that it has read", async () => {
  const domain = "revisions.test";
  const { revision } = await store.writeRoute(activeRecord(domain), undefined);
  await expect(store.writeRoute(activeRecord(domain), undefined)).rejects.toThrow(RouteConflict);
  await expect(store.writeRoute(activeRecord(domain), revision + 1)).rejects.toThrow(RouteConflict);
  const second = await store.writeRoute(activeRecord(domain, { server: "b.test" }), revision);
  expect(second.revision).toBe(revision + 1);
  expect((await store.readDomain(domain)).record?.active?.route.server).toBe("b.test");
});

test("of writers that read the same revision one wins", async () => {
  const domain = "race.test";
  const writers = Array.from({ length: 6 }, () => lab.connect());
  const results = await Promise.allSettled(
    writers.map((writer, index) =>
      writer.writeRoute(activeRecord(domain, { server: `${index}.test` }), undefined),
    ),
  );
  const refused = results.flatMap((one) => (one.status === "rejected" ? [one.reason] : []));
  expect(refused).toHaveLength(5);
  expect(refused.every((reason) => reason instanceof RouteConflict)).toBe(true);
});

describe("of two organisations that claim what overlaps at once, one gets it", () => {
  const none = { identities: [] };
  test.each<[string, RouteRecord, RouteRecord, string]>([
    [
      "a domain",
      activeRecord("same.test", none, "a"),
      activeRecord("same.test", none, "b"),
      "domain-held",
    ],
    [
      "parent and subdomain",
      activeRecord("parent.test", none, "a"),
      activeRecord("sub.parent.test", none, "b"),
      "domain-relative-held",
    ],
    [
      "networks",
      activeRecord("n1.test", withNetwork("198.51.100.0/24"), "a"),
      activeRecord("n2.test", withNetwork("198.51.100.7/32"), "b"),
      "identity-held",
    ],
  ])("%s", async (_, first, second, code) => {
    const results = await Promise.allSettled(
      [first, second].map((record) => lab.connect().writeRoute(record, undefined)),
    );
    const [refused, ...more] = results.flatMap((one) =>
      one.status === "rejected" ? [one.reason] : [],
    );
    expect(more).toEqual([]);
    // Of the same domain, the one who comes later sees another revision than it has read.
    const reason = refused instanceof RouteConflict ? "conflict" : refused.code;
    expect(["conflict", code]).toContain(reason);
    const loser = results[0]?.status === "rejected" ? first : second;
    const { record } = await store.readDomain(loser.domain);
    await expect(store.writeRoute(loser, record?.revision)).rejects.toMatchObject({ code });
    await expect(store.checkRoute(loser)).rejects.toMatchObject({ code });
  });
});

describe("what was given up blocks others until its end, and is free afterwards", () => {
  const yesterday = new Date(Date.now() - 86_400_000);
  const days = 86_400;

  test.each([
    ["before", { delivers: days, defers: days, refuses: days }, "203.0.113.0/24"],
    ["after", { delivers: 1, defers: 1, refuses: 1 }, "203.0.114.0/24"],
  ])("%s the end", async (when, lengths, network) => {
    const identities = [{ kind: "network", network } as const];
    const record = activeRecord(`${when}.test`, { identities }, "a");
    const first = await store.writeRoute(record, undefined);
    await store.writeRoute(giveUpRoute(first, yesterday, lengths), first.revision);
    const other = store.writeRoute(activeRecord(`x${when}.test`, { identities }, "b"), undefined);
    const sub = store.writeRoute(
      activeRecord(`sub.${when}.test`, { identities: [] }, "b"),
      undefined,
    );
    const outcomes = await Promise.allSettled([other, sub]);
    const codes = outcomes.map((one) => (one.status === "rejected" ? one.reason.code : "free"));
    const held = ["identity-held", "domain-relative-held"];
    expect(codes).toEqual(when === "before" ? held : ["free", "free"]);
  });
});

test("an organisation that was renamed can give up what shares an identity with a domain that has left", async () => {
  const identities = [{ kind: "network", network: "203.0.115.0/24" } as const];
  const gone = activeRecord("gone.test", { identities }, "former");
  const left = await store.writeRoute(gone, undefined);
  await store.writeRoute(giveUpRoute(left, new Date()), left.revision);
  const stays = activeRecord("stays.test", { identities }, "former");
  const first = await store.writeRoute(stays, undefined);
  const holder = { ...stays.holder, organisation: "renamed" };
  const renamed = await store.writeRoute({ ...stays, holder }, first.revision);
  await store.writeRoute(giveUpRoute(renamed, new Date()), renamed.revision);
  const { record } = await store.readDomain("stays.test");
  expect(record).toMatchObject({ holder: { organisation: "renamed" } });
  expect(record).toHaveProperty("leaving");
});

test("a reader of the changes misses no write of many writers at once, and gives each once", async () => {
  const { sequence: start } = await store.changesSince(0);
  const reader = new ChangeReader({ store, sequence: start });
  const writers = Array.from({ length: 4 }, () => lab.connect());
  const writing = writers.map(async (writer, number) => {
    for (let index = 0; index < 10; index += 1) {
      const domain = `w${number}-${index}.test`;
      await writer.writeRoute(activeRecord(domain, { identities: [] }), undefined);
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
    closing: { mark: "2026-01-02T03:00:00.000Z", isClosed: false },
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

test("a slot is told to close once, whoever asks again, and to open again", async () => {
  expect(await store.closingMark("a")).toBeUndefined();
  const mark = await store.closeSlot("a");
  expect(await store.closeSlot("a")).toBe(mark);
  expect(await store.closingMark("a")).toBe(mark);
  expect(await store.closingMark("b")).toBeUndefined();
  await store.openSlot("a");
  await store.openSlot("a");
  expect(await store.closingMark("a")).toBeUndefined();
});

test("a secret is written, read and deleted, and never stands in the table", async () => {
  const password = "correct horse battery staple";
  expect(await store.readSecret("relay/contoso.test")).toBeUndefined();
  await store.putSecret("relay/contoso.test", "the first one");
  await store.putSecret("relay/contoso.test", password);
  expect(await store.readSecret("relay/contoso.test")).toBe(password);
  const long = "x".repeat(6000);
  await store.putSecret("tls/key", long);
  expect(await store.readSecret("tls/key")).toBe(long);
  await store.putSecret("tls/key", "short again");
  expect(await store.readSecret("tls/key")).toBe("short again");

  const { endpoint, region, table } = lab.options;
  const client = new DynamoDBClient({ endpoint, region });
  const { Items: items = [] } = await client.send(new ScanCommand({ TableName: table }));
  expect(items.length).toBeGreaterThan(0);
  expect(JSON.stringify(items)).not.toContain("battery");

  await store.deleteSecret("relay/contoso.test");
  await store.deleteSecret("relay/contoso.test");
  expect(await store.readSecret("relay/contoso.test")).toBeUndefined();
});

test("a route that cannot be read stops the others only where nobody is told of it", async () => {
  const { sequence: start } = await store.changesSince(0);
  await store.writeRoute(activeRecord("before.newer.test", { identities: [] }), undefined);
  await store.writeRoute(activeRecord("of.newer.test", { identities: [] }), undefined);
  const { endpoint, region, table } = lab.options;
  const client = new DynamoDBClient({ endpoint, region });
  const update = new UpdateItemCommand({
    TableName: table,
    Key: routeKey("of.newer.test"),
    UpdateExpression: "SET #record = :record",
    ExpressionAttributeNames: { "#record": "record" },
    ExpressionAttributeValues: { ":record": { S: '{"color":"red"}' } },
  });
  await client.send(update);
  await expect(store.changesSince(start)).rejects.toThrow("of.newer.test / route");

  const told: string[] = [];
  using reader = new RouteStore({ ...lab.options, onUnreadable: (domain) => told.push(domain) });
  const { records, sequence } = await reader.changesSince(start);
  expect(records.map(({ domain }) => domain)).toEqual(["before.newer.test"]);
  expect(sequence).toBe(start + 2);
  expect(told).toEqual(["of.newer.test"]);
  const domains: string[] = [];
  for await (const page of (await reader.allRoutes()).pages) {
    domains.push(...page.map(({ domain }) => domain));
  }
  expect(domains).toContain("before.newer.test");
  expect(domains).not.toContain("of.newer.test");
  expect(told).toEqual(["of.newer.test", "of.newer.test"]);
});
