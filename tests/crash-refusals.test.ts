/** The API refuses from one write of a run on, or someone else edits the zone there: the next run converges. */
import { afterAll, beforeAll, expect, test } from "vitest";
import type { FaultEffect } from "../lab/cloudflare/index.ts";
import { testNet } from "../lab/test-net.ts";
import { createCallRunner } from "./crash-calls.ts";
import { DOMAIN, type Life, SCENARIOS, startLife, tryAllPoints } from "./crash-life.ts";
import type { Strike } from "./crash-points.ts";

const REFUSALS: readonly FaultEffect[] = [
  { fault: "token-expired" },
  { fault: "token-read-only" },
  { fault: "zone-missing" },
];
const CASES = REFUSALS.flatMap((refusal) =>
  SCENARIOS.map((scenario) => ({ refusal, scenario, title: `${scenario.name}, ${refusal.fault}` })),
);

let life: Life;
let tried = 0;

beforeAll(async () => {
  life = await startLife(testNet);
});

afterAll(async () => {
  console.log(`refused or edited at ${tried} points`);
  await life[Symbol.asyncDispose]();
});

test.each(CASES)("the API refuses in $title", { timeout: 600_000 }, async (crash) => {
  const strike: Strike = (cloudflare, { request }) =>
    cloudflare.addFault({ ...crash.refusal, skip: request - 1, times: "always" });
  const runner = createCallRunner(life.world);
  const { points, failures } = await tryAllPoints(life, runner, crash.scenario, {
    moments: ["uncommitted"],
    strike,
  });
  tried += points;
  expect(points).toBeGreaterThan(1);
  expect(failures).toEqual([]);
});

test.each(SCENARIOS)("someone edits the zone in $name", { timeout: 600_000 }, async (scenario) => {
  const { cloudflare } = life.world;
  const theirs = { name: DOMAIN, type: "TXT", content: '"a-verification=1"' };
  const strike: Strike = (_, { request }) =>
    cloudflare.intercept("before", { skip: request - 1 }, () =>
      cloudflare.edit(life.zoneId, { add: [theirs] }),
    );
  // Their record has outlived our run; without it, the zone compares with one that nobody else edited.
  const recover = () => cloudflare.edit(life.zoneId, { remove: [theirs] });
  const runner = { ...createCallRunner(life.world), recover };
  const { points, failures } = await tryAllPoints(life, runner, scenario, {
    moments: ["uncommitted"],
    strike,
  });
  tried += points;
  expect(points).toBeGreaterThan(1);
  expect(failures).toEqual([]);
});
