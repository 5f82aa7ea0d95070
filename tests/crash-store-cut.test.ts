/** The route store is cut off at every commit of a tenant's life, until the run has ended: the same command again. */
import { expect, test } from "vitest";
import { chosenStyles, liveUndisturbed, tryAllPoints } from "./crash-matrix.ts";
import { startActedPlace } from "./crash-place.ts";
import { STORE_CUT } from "./crash-strikes.ts";

test.each(chosenStyles())(
  "the route store is cut off at every commit of a life that %s",
  { timeout: 1_800_000 },
  async (style) => {
    await using place = await startActedPlace();
    const { matrix } = place;
    const undisturbed = await liveUndisturbed(matrix, style);
    const { points, failures } = await tryAllPoints(matrix, undisturbed, STORE_CUT);
    console.log(`the route store is cut off at ${points} points: ${failures.length} failures`);
    expect(failures).toEqual([]);
    expect(points).toBeGreaterThan(30);
  },
);
