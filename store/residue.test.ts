/** What is left of a domain in the store, and that all of it goes once the route has ended. */
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { letTimePass } from "../lab/aws/passing-time.ts";
import type { Route, RouteRecord } from "../mail/route.ts";
import { giveUpRoute, proposeRoute, type RouteContent } from "../mail/route-changes.ts";
import { LEAVING, type LeavingLengths } from "../mail/route-life.ts";
import { recordOf, routeOf } from "../mail/testdata/routes.ts";
import { startTestStore, type TestStore } from "./test-store.ts";

// Moto loads each of AWS's services at its first call.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 90_000 });

let lab: TestStore;

beforeAll(async () => {
  lab = await startTestStore();
});

afterAll(() => lab[Symbol.asyncDispose]());

const DAY_MS = 86_400_000;

function contentOf(domain: string, organisation: string, network: string): RouteContent {
  const identities: Route["identities"] = [{ kind: "network", network }];
  const holder = { organisation, claims: [`${organisation}.00000001`] };
  return { ...recordOf(routeOf(domain, { identities })), holder };
}

async function giveUp(
  record: RouteRecord,
  now: Date,
  lengths?: LeavingLengths,
): Promise<RouteRecord> {
  return lab.store.writeRoute(giveUpRoute(record, now, lengths), record.revision);
}

test("everything ends with the route, and a new life begins above the old one", async () => {
  const { store, options } = lab;
  const domain = "left.test";
  const content = contentOf(domain, "left", "11.1.2.0/24");
  const first = await store.writeRoute(content, undefined);
  await store.putAnswer({ domain, slot: "a", acknowledged: first.revision });
  await store.putAnswer({ domain, slot: "dead", acknowledged: first.revision });
  await store.putSecret(`relay/${domain}/1`, "s3cret");
  expect((await store.traces(domain)).map(({ ends }) => ends)).toEqual(Array(6).fill(undefined));

  const now = new Date();
  const left = await giveUp(first, now);
  const ends = left.leaving?.expires;
  await store.endAnswers(left);
  await store.putAnswer({ domain, slot: "a", acknowledged: left.revision, expires: ends ?? "" });
  await store.putSecret(`relay/${domain}/1`, "s3cret", ends);
  const traces = await store.traces(domain);
  expect(traces.map(({ text }) => text).toSorted()).toEqual([
    "11.1.2.0/24 is held by left",
    "left.test is held by left",
    "the password /mxhero/example/relay/left.test/1",
    "the route",
    "what slot a answered",
    "what slot dead answered",
  ]);
  const length = (LEAVING.delivers + LEAVING.defers + LEAVING.refuses) * 1000;
  for (const trace of traces) {
    const end = Date.parse(trace.ends ?? "");
    expect(Math.abs(end - now.getTime() - length)).toBeLessThanOrEqual(1000);
  }

  await letTimePass(options, new Date(Date.parse(ends ?? "") - DAY_MS));
  expect(await store.traces(domain)).toHaveLength(6);
  await letTimePass(options, new Date(Date.parse(ends ?? "") + DAY_MS));
  expect(await store.traces(domain, "left")).toEqual([]);

  // A slot may still have what it knew of the former life.
  const route = routeOf(domain);
  const again = proposeRoute(undefined, route, { organisation: "other", claims: ["a.1"] }, now);
  const written = await store.writeRoute(again, undefined);
  expect(written.revision).toBeGreaterThan(left.revision);
  expect(written.proposed).toEqual({ version: written.revision, route });
});

test("an answer stays once the domain is back", async () => {
  const { store, options } = lab;
  const domain = "back.test";
  const first = await store.writeRoute(contentOf(domain, "back", "11.2.2.0/24"), undefined);
  await store.putAnswer({ domain, slot: "a", acknowledged: first.revision });
  const left = await giveUp(first, new Date());
  await store.endAnswers(left);
  const { leaving: _, revision, ...content } = left;
  const back = await store.writeRoute(content, revision);
  await store.putAnswer({ domain, slot: "a", acknowledged: back.revision });
  // Whoever is late changes nothing.
  await store.endAnswers(left);
  await letTimePass(options, new Date(Date.now() + 1000 * DAY_MS));
  const { record, answers } = await store.readDomain(domain);
  expect(record).toEqual(back);
  expect(answers).toEqual([{ domain, slot: "a", acknowledged: back.revision }]);
});

test("in a block that others share, what has ended goes with their next write", async () => {
  const { store, options } = lab;
  const one = await store.writeRoute(contentOf("one.test", "one", "11.3.1.0/24"), undefined);
  const two = await store.writeRoute(contentOf("two.test", "two", "11.3.2.0/24"), undefined);
  const left = await giveUp(one, new Date(), { delivers: 1, defers: 1, refuses: 1 });
  await sleep(Date.parse(left.leaving?.expires ?? "") - Date.now() + 1);
  await letTimePass(options, new Date(Date.now() + 1000));
  const held = { text: "11.3.1.0/24 is held by one", ends: left.leaving?.expires };
  expect(await store.traces("one.test", "one")).toEqual([held]);
  await store.writeRoute({ ...two }, two.revision);
  expect(await store.traces("one.test", "one")).toEqual([]);
});
