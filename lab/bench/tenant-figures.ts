/** The figures of onboarding: one domain, two hundred within Cloudflare's rate limit, a thousand in memory. */
import type { Say } from "../step.ts";
import type { BenchLab } from "./bench-lab.ts";
import { type Figure, type Measurement, measurePairs, type Pair } from "./figure.ts";
import { namesOf, type Onboarding, onboard } from "./many-domains.ts";
import { timeParts } from "./onboarding-parts.ts";

const pairs = 5;

/** Cloudflare's limit on a clock that runs three times as fast: 1,200 requests in 100 instead of 300 seconds. */
const limit = { requests: 1200, seconds: 100 };

/** What the provider uses of it if nothing is said. */
const share = 0.8;

/** The engine writes its whole state at the end only: of a thousand domains it would write gigabytes. */
const fewWrites = { env: { PULUMI_EXPERIMENTAL: "true", PULUMI_SKIP_CHECKPOINTS: "true" } };

/** More than any figure asks. */
const unlimited = { requests: 1_000_000, seconds: 1 };

export const tenantFigures: readonly Figure[] = [
  {
    name: "onboard-one",
    unit: "ms",
    goal: 1.5,
    judged: "ratio-at-most",
    meaning:
      "time of pulumi up, preview included, for one domain without waits for time; baseline: an empty program's, two starts of the provider, and as many requests to the API",
    measure: measureOne,
  },
  {
    name: "onboard-200",
    unit: "requests",
    goal: 0,
    judged: "value-at-most",
    meaning:
      "requests refused with 429 in pulumi up of 200 domains, where 1,200 are answered in 100 s, a third of Cloudflare's time",
    measure: async (lab, say) => {
      const { requests } = await twoHundred(lab, say);
      return { value: requests.filter(({ status }) => status === 429).length };
    },
  },
  {
    name: "onboard-200-time",
    unit: "s",
    goal: 1.5,
    judged: "ratio-at-most",
    meaning: "its time; baseline: the least that the limit and the provider's share of it allow",
    measure: async (lab, say) => {
      const { requests, seconds } = await twoHundred(lab, say);
      const spans = Math.floor(requests.length / (limit.requests * share));
      return { value: seconds, baseline: spans * limit.seconds };
    },
  },
  {
    name: "provider-memory-1000",
    unit: "MB",
    goal: 300,
    judged: "value-at-most",
    meaning: "the provider's highest memory in pulumi up of 1,000 domains; baseline: of one",
    measure: async (lab, say) => {
      lab.world.cloudflare.limitRequests(unlimited);
      const baseline = await onboard(lab, namesOf("small", 1), say, fewWrites);
      const { megabytes } = await onboard(lab, namesOf("large", 1000), say, fewWrites);
      return { value: megabytes, baseline: baseline.megabytes };
    },
  },
];

async function measureOne(lab: BenchLab, say: Say): Promise<Measurement> {
  const { world } = lab;
  world.cloudflare.limitRequests(unlimited);
  const measured: Pair[] = [];
  for (let pair = 0; pair <= pairs; pair += 1) {
    const { seconds, requests } = await onboard(lab, namesOf(`one-${pair}`, 1), () => undefined);
    const parts = await timeParts(lab, requests);
    const time = { value: seconds * 1000, baseline: parts.sum };
    const name = pair === 0 ? "warm-up" : `pair ${pair} of ${pairs}`;
    const all = Object.entries(parts).map(([part, ms]) => `${part} ${ms.toFixed(0)} ms`);
    say(`${name}: ${time.value.toFixed(0)} ms, ${requests.length} requests; ${all.join(", ")}`);
    if (pair > 0) measured.push(time);
  }
  return measurePairs(measured);
}

const kept = new WeakMap<BenchLab, Promise<Onboarding>>();

/** One run for both of its figures. */
function twoHundred(lab: BenchLab, say: Say): Promise<Onboarding> {
  const run = kept.get(lab) ?? onboardWithinLimit(lab, say);
  kept.set(lab, run);
  return run;
}

/** @throws if the run failed, or if nothing had to wait */
async function onboardWithinLimit(lab: BenchLab, say: Say): Promise<Onboarding> {
  const { cloudflare } = lab.world;
  const names = namesOf("paced", 200);
  let waits = 0;
  const listen = (line: string) => {
    if (line.includes("rate limit")) waits += 1;
    say(line);
  };
  cloudflare.limitRequests(limit);
  try {
    const done = await onboard(lab, names, listen);
    if (waits === 0) throw new Error("Nothing waited for the rate limit: it was not tried.");
    say(`${done.requests.length} requests in ${done.seconds.toFixed(0)} s, ${waits} waits shown`);
    return done;
  } finally {
    cloudflare.limitRequests(unlimited);
  }
}
