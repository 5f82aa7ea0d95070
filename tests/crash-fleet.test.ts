/**
 * A slot's agent is killed, or its host loses its power, at commits of a tenant's life: the run waits for it, and
 * goes on. All commits with `npm run crash`; else the points of these numbers in each phase.
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import { letTimePass } from "../lab/aws/passing-time.ts";
import { leavingTimes } from "../mail/route-life.ts";
import {
  agentKilled,
  type FleetPlace,
  hostKilled,
  killAgent,
  startFleetPlace,
  traceLines,
} from "./crash-fleet-place.ts";
import { liveUndisturbed, triesAll, tryAllPoints, type Undisturbed } from "./crash-matrix.ts";
import { STYLES } from "./crash-tenant.ts";

/**
 * The proposal is written, and not answered: slots are about to prove it. Before and after the second write the
 * slots' part begins.
 */
const CHOSEN = [3, 4];

const DAY_MS = 86_400_000;

let place: FleetPlace;
let undisturbed: Undisturbed;

beforeAll(async () => {
  place = await startFleetPlace();
  undisturbed = await liveUndisturbed(place.matrix, STYLES[0]);
}, 400_000);

afterAll(() => place?.[Symbol.asyncDispose]());

test("of a tenant whose route has ended, slots and store keep nothing", async () => {
  const { fleet } = place;
  const { store, storeOptions, slots } = fleet;
  const { domain, organisation } = undisturbed;
  const kept = () => Promise.all(slots.map((slot) => traceLines(slot, domain)));
  for (const lines of await kept()) expect(lines.length).toBeGreaterThan(3);
  const { record } = await store.readDomain(domain);
  if (record === undefined) throw new Error("the route is not there");
  const { revision: _, ...content } = record;
  // As if it had left long ago.
  const leaving = leavingTimes(new Date(Date.now() - 50 * DAY_MS));
  await fleet.write({ ...content, leaving });
  const inMaps = async () => (await kept()).flat().filter((line) => line.includes(".lmdb "));
  expect(await inMaps()).toEqual([]);

  // Its password still has the end that the run gave it.
  await letTimePass(storeOptions, new Date(Date.now() + 50 * DAY_MS));
  expect(await store.traces(domain, organisation)).toEqual([]);
  // An agent that starts reads all routes at once.
  for (const slot of slots) await killAgent(slot);
  await expect.poll(kept, { timeout: 60_000, interval: 500 }).toEqual(slots.map(() => []));
  expect(await store.traces(domain, organisation)).toEqual([]);
}, 180_000);

const DAMAGES = [
  ["the agent of a slot is killed", agentKilled],
  ["a host of the gateway loses its power", hostKilled],
] as const;

test.each(DAMAGES)("%s at commits of a life", { timeout: 7_200_000 }, async (name, damage) => {
  const isChosen = (life: number) => triesAll() || CHOSEN.includes(life);
  const { matrix, fleet } = place;
  const { points, failures } = await tryAllPoints(matrix, undisturbed, damage(fleet), isChosen);
  console.log(`${name} at ${points} points: ${failures.length} failures`);
  expect(failures).toEqual([]);
  expect(points).toBeGreaterThanOrEqual(triesAll() ? 30 : CHOSEN.length);
});
