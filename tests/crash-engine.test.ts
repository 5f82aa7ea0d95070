/** kill -9 of the engine at every commit of a tenant's life: what `npm run leftovers` says mends it. */
import { expect, test } from "vitest";
import { chosenStyles, liveUndisturbed, tryAllPoints } from "./crash-matrix.ts";
import { startActedPlace } from "./crash-place.ts";
import { ENGINE_KILLED } from "./crash-strikes.ts";

test.each(chosenStyles())(
  "the engine is killed at every commit of a life that %s",
  { timeout: 1_800_000 },
  async (style) => {
    await using place = await startActedPlace();
    const { matrix } = place;
    const undisturbed = await liveUndisturbed(matrix, style);
    const { points, failures } = await tryAllPoints(matrix, undisturbed, ENGINE_KILLED);
    console.log(`the engine is killed at ${points} points: ${failures.length} failures`);
    expect(failures).toEqual([]);
    expect(points).toBeGreaterThan(30);
  },
);
