/** kill -9 of the provider at every point, for domains that begin otherwise than with two MX, and for a bypass. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { testNet } from "../lab/test-net.ts";
import { createCallRunner } from "./crash-calls.ts";
import {
  type Beginning,
  beginLife,
  type Life,
  SCENARIOS,
  type Scenario,
  startLife,
  TWO_MX,
  tryAllPoints,
} from "./crash-life.ts";

const BYPASS: readonly Scenario[] = [
  { name: "bypass", before: [{ up: "first" }], disturbed: { up: "first", bypass: true } },
  {
    name: "delete",
    before: [{ up: "first" }, { up: "first", bypass: true }],
    disturbed: "destroy",
  },
];

interface Kind {
  readonly kind: string;
  readonly beginning: Beginning;
  readonly scenarios: readonly Scenario[];
}

const KINDS: readonly Kind[] = [
  {
    kind: "a null MX",
    beginning: { mx: [{ content: ".", priority: 0, ttl: 3600, comment: "takes no mail" }] },
    scenarios: SCENARIOS,
  },
  { kind: "no MX", beginning: { mx: [] }, scenarios: SCENARIOS },
  {
    kind: "an SPF record that relies on the MX",
    beginning: {
      ...TWO_MX,
      spf: "v=spf1 mx a:backup.mail-host.test -all",
      replaceMx: ["a:backup.mail-host.test", "a:contoso-test.mail.protection.outlook.test"],
    },
    scenarios: SCENARIOS,
  },
  { kind: "a bypass", beginning: TWO_MX, scenarios: BYPASS },
];
const CASES = KINDS.flatMap(({ kind, beginning, scenarios }) =>
  scenarios.map((scenario) => ({ beginning, scenario, title: `${scenario.name}, ${kind}` })),
);

let life: Life;
let tried = 0;

beforeAll(async () => {
  life = await startLife(testNet);
});

afterAll(async () => {
  console.log(`killed the provider at ${tried} points of ${KINDS.length} lives`);
  await life[Symbol.asyncDispose]();
});

test.each(CASES)("the provider is killed in $title", { timeout: 600_000 }, async (crash) => {
  const { beginning, scenario } = crash;
  const runner = createCallRunner(life.world, beginning.replaceMx);
  const { points, failures } = await tryAllPoints(
    await beginLife(life, beginning),
    runner,
    scenario,
  );
  tried += points;
  expect(points).toBeGreaterThan(5);
  expect(failures).toEqual([]);
});
