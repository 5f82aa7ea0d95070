/**
 * kill -9 of the provider under faults of the API and of propagation: at every point under one or two of them, with
 * `npm run crash` under each.
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Fault } from "../lab/cloudflare/index.ts";
import { testNet } from "../lab/test-net.ts";
import { createCallRunner } from "./crash-calls.ts";
import { type Life, SCENARIOS, startLife, tryAllPoints } from "./crash-life.ts";
import { triesAll } from "./crash-matrix.ts";

const write = { kind: "write" } as const;
const FAULTS: readonly Fault[] = [
  { fault: "rate-limited", retryAfter: 1, match: write },
  { fault: "error-before-commit", match: write, times: 2 },
  { fault: "error-after-commit", match: write, times: 2 },
  { fault: "dropped-before-commit", match: write, times: 2 },
  { fault: "dropped-after-commit", match: write, times: 2 },
  { fault: "slow", milliseconds: 30, times: "always" },
  { fault: "piecemeal", milliseconds: 40, times: "always" },
  { fault: "lagging-server", server: 1, milliseconds: 150, times: "always" },
];
const CASES = FAULTS.flatMap((fault, turn) =>
  SCENARIOS.map((scenario) => ({
    fault,
    turn,
    scenario,
    title: `${scenario.name}, ${fault.fault}`,
  })),
);
/** The faults take turns. No scenario has fewer points. */
const TURNS = 6;
const isTurnOf = (turn: number) => (point: number) => triesAll() || point % TURNS === turn % TURNS;

let life: Life;
let tried = 0;

beforeAll(async () => {
  life = await startLife(testNet);
});

afterAll(async () => {
  console.log(`killed the provider at ${tried} points under ${FAULTS.length} faults`);
  await life[Symbol.asyncDispose]();
});

test.each(CASES)("the provider is killed in $title", { timeout: 600_000 }, async (crash) => {
  const runner = createCallRunner(life.world);
  const { points, failures } = await tryAllPoints(life, runner, crash.scenario, {
    disturb: () => life.world.cloudflare.addFault(crash.fault),
    isTried: isTurnOf(crash.turn),
  });
  tried += points;
  expect(points).toBeGreaterThan(0);
  expect(failures).toEqual([]);
});
