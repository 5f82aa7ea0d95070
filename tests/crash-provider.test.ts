/** kill -9 of the provider at every commit of a tenant's life: the same command again. */
import { expect, test } from "vitest";
import { chosenStyles, liveUndisturbed, tryAllPoints } from "./crash-matrix.ts";
import { startActedPlace } from "./crash-place.ts";
import { PROVIDER_KILLED } from "./crash-strikes.ts";

test.each(chosenStyles())(
  "the provider is killed at every commit of a life that %s",
  { timeout: 1_800_000 },
  async (style) => {
    await using place = await startActedPlace();
    const { matrix } = place;
    const undisturbed = await liveUndisturbed(matrix, style);
    const { points, failures } = await tryAllPoints(matrix, undisturbed, PROVIDER_KILLED);
    console.log(`the provider is killed at ${points} points: ${failures.length} failures`);
    expect(failures).toEqual([]);
    expect(points).toBeGreaterThan(30);
  },
);
