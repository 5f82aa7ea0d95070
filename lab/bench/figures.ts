/** The figures. A further one is one more entry. */
import type { Say } from "../step.ts";
import type { BenchLab, BenchStack } from "./bench-lab.ts";
import { type Figure, type Measurement, median } from "./figure.ts";
import { fleetFigures } from "./fleet-figures.ts";
import { gatewayFigures } from "./gateway-figures.ts";
import { tenantFigures } from "./tenant-figures.ts";

const pairs = 9;

export const figures: readonly Figure[] = [
  {
    name: "cloudflare-requests-onboard",
    unit: "requests",
    goal: 10,
    judged: "value-at-most",
    meaning: "requests of pulumi up, preview included, for one domain with border and standard",
    measure: async (lab) => ({ value: (await lab.onboarded()).requests }),
  },
  {
    name: "cloudflare-requests-preview",
    unit: "requests",
    goal: 0,
    judged: "value-at-most",
    meaning: "requests of pulumi preview of that domain without changes",
    measure: (lab) => requestsOf(lab, ["preview", "--expect-no-changes"]),
  },
  {
    name: "cloudflare-requests-refresh",
    unit: "requests",
    goal: 2,
    judged: "value-at-most",
    meaning: "requests of pulumi refresh of that domain",
    measure: (lab) => requestsOf(lab, ["refresh", "--yes", "--expect-no-changes"]),
  },
  {
    name: "preview-noop",
    unit: "ms",
    goal: 1.25,
    judged: "ratio-at-most",
    meaning:
      "time of pulumi preview of the example tenant without changes; baseline: an empty program",
    measure: comparePreviews,
  },
  ...tenantFigures,
  ...fleetFigures,
  ...gatewayFigures,
];

async function requestsOf(lab: BenchLab, args: readonly string[]): Promise<Measurement> {
  const { stack } = await lab.onboarded();
  return { value: await lab.countRequests(() => stack.run(args)) };
}

/** One after the other, in turn, so that other work on the machine meets both alike. */
async function comparePreviews(lab: BenchLab, say: Say): Promise<Measurement> {
  say("bringing both stacks up");
  const [tenant, empty] = [await lab.tenant(), await lab.empty()];
  const times: { readonly tenant: number; readonly empty: number }[] = [];
  for (let pair = 0; pair <= pairs; pair += 1) {
    const time = { tenant: await timePreview(tenant), empty: await timePreview(empty) };
    const name = pair === 0 ? "warm-up" : `pair ${pair} of ${pairs}`;
    say(`${name}: ${time.tenant.toFixed(0)} ms, empty program ${time.empty.toFixed(0)} ms`);
    if (pair > 0) times.push(time);
  }
  return {
    value: median(times.map((time) => time.tenant)),
    baseline: median(times.map((time) => time.empty)),
  };
}

async function timePreview(stack: BenchStack): Promise<number> {
  const start = performance.now();
  await stack.run(["preview", "--expect-no-changes"]);
  return performance.now() - start;
}
