/** kill -9 of the provider at every point of create, update and delete: the next run converges. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { testNet } from "../lab/test-net.ts";
import { createEngineRunner } from "./crash-engine.ts";
import { type Life, SCENARIOS, startLife, tryAllPoints } from "./crash-life.ts";

let life: Life;

beforeAll(async () => {
  life = await startLife(testNet);
});

afterAll(() => life[Symbol.asyncDispose]());

test.each(SCENARIOS)("the provider is killed in $name", { timeout: 900_000 }, async (scenario) => {
  const runner = createEngineRunner(life.world, "provider");
  const { points, failures } = await tryAllPoints(life, runner, scenario);
  console.log(
    `killed the provider at ${points} points of ${scenario.name}: ${failures.length} failures`,
  );
  expect(points).toBeGreaterThan(5);
  expect(failures).toEqual([]);
});
