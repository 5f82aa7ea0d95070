/**
 * A slot's agent is killed, or its host loses its power, at commits of a tenant's life: the run waits for it, and
 * goes on. All commits with `npm run crash`; else the points of these numbers in each phase.
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import { agentKilled, type FleetPlace, hostKilled, startFleetPlace } from "./crash-fleet-place.ts";
import { liveUndisturbed, tryAllPoints, type Undisturbed } from "./crash-matrix.ts";

/**
 * The proposal is written, and not answered: slots are about to prove it. Before and after the second write the
 * slots' part begins.
 */
const CHOSEN = [3, 4];

let place: FleetPlace;
let undisturbed: Undisturbed;

beforeAll(async () => {
  place = await startFleetPlace();
  undisturbed = await liveUndisturbed(place.matrix);
}, 400_000);

afterAll(() => place?.[Symbol.asyncDispose]());

const DAMAGES = [
  ["the agent of a slot is killed", agentKilled],
  ["a host of the gateway loses its power", hostKilled],
] as const;

test.each(DAMAGES)("%s at commits of a life", { timeout: 7_200_000 }, async (name, damage) => {
  const chosen = process.env["CRASH_POINTS"] === "all" ? undefined : CHOSEN;
  const { matrix, fleet } = place;
  const { points, failures } = await tryAllPoints(matrix, undisturbed, damage(fleet), chosen);
  console.log(`${name} at ${points} points: ${failures.length} failures`);
  expect(points).toBeGreaterThanOrEqual(chosen?.length ?? 30);
  expect(failures).toEqual([]);
});
