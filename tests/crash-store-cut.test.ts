/** The route store is cut off at every commit of a tenant's life, until the run has ended: the same command again. */
import { expect, test } from "vitest";
import { liveUndisturbed, tryAllPoints } from "./crash-matrix.ts";
import { startActedPlace } from "./crash-place.ts";
import { STORE_CUT } from "./crash-strikes.ts";

test("the route store is cut off at every commit of a life", { timeout: 1_800_000 }, async () => {
  await using place = await startActedPlace();
  const { matrix } = place;
  const undisturbed = await liveUndisturbed(matrix);
  const { points, failures } = await tryAllPoints(matrix, undisturbed, STORE_CUT);
  console.log(`the route store is cut off at ${points} points: ${failures.length} failures`);
  expect(points).toBeGreaterThan(30);
  expect(failures).toEqual([]);
});
