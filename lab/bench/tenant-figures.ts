/** The figures of onboarding: one domain, two hundred within Cloudflare's rate limit, a thousand in memory. */
import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import type { LoggedRequest } from "../cloudflare/index.ts";
import type { PulumiRun, RunOptions } from "../pulumi.ts";
import type { Say } from "../step.ts";
import type { BenchLab } from "./bench-lab.ts";
import { type Figure, type Measurement, measurePairs, mostInSpan, type Pair } from "./figure.ts";
import { addDomains, namesOf, tenantOf } from "./many-domains.ts";
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
    goal: limit.requests,
    judged: "value-at-most",
    meaning:
      "pulumi up of 200 domains against a rate limit of 1,200 requests in 100 s, a third of Cloudflare's time: the most in any such span",
    measure: async (lab, say) => {
      const { requests } = await twoHundred(lab, say);
      const times = requests.map(({ time }) => time.getTime());
      return { value: mostInSpan(times, limit.seconds * 1000) };
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

interface Onboarding {
  readonly seconds: number;
  readonly requests: readonly LoggedRequest[];
  /** The highest memory of any of the provider's processes. */
  readonly megabytes: number;
}

const kept = new WeakMap<BenchLab, Promise<Onboarding>>();

/** One run for both of its figures. */
function twoHundred(lab: BenchLab, say: Say): Promise<Onboarding> {
  const run = kept.get(lab) ?? onboardWithinLimit(lab, say);
  kept.set(lab, run);
  return run;
}

/** @throws if a request was refused for the limit, or if the limit was never near */
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
    const refused = done.requests.filter(({ status }) => status === 429);
    if (refused.length > 0) throw new Error(`${refused.length} requests were answered 429.`);
    if (waits === 0) throw new Error("Nothing waited for the rate limit: it was not tried.");
    say(`${done.requests.length} requests in ${done.seconds.toFixed(0)} s, ${waits} waits shown`);
    return done;
  } finally {
    cloudflare.limitRequests(unlimited);
  }
}

/** Brings new domains onto the gateway in one run. */
async function onboard(
  lab: BenchLab,
  names: readonly string[],
  say: Say,
  options: RunOptions = {},
): Promise<Onboarding> {
  const { world } = lab;
  say(`adding ${names.length} zones`);
  await addDomains(world, names);
  const stack = await lab.addStack(tenantOf(names));
  const before = world.cloudflare.requests.length;
  const start = performance.now();
  const run = stack.start(["up", "--yes"], options);
  const megabytes = await watch(run, say);
  await stack.succeeded(run);
  const seconds = (performance.now() - start) / 1000;
  return { seconds, requests: world.cloudflare.requests.slice(before), megabytes };
}

/** Follows a run: says what waits, and returns the highest memory that the provider had. */
async function watch(run: PulumiRun, say: Say): Promise<number> {
  const end = run.result.then(() => true);
  let highest = 0;
  let shown = 0;
  do {
    const lines = run.output().split("\n").slice(0, -1);
    for (const line of lines.slice(shown)) if (line.includes("rate limit")) say(line.trim());
    shown = lines.length;
    for (const pid of await run.providerPids()) highest = Math.max(highest, await memoryOf(pid));
  } while (!(await Promise.race([sleep(200, false), end])));
  return highest;
}

/** The highest memory of a process since its start, in MB; 0 if it has just ended. */
async function memoryOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0) / 1024;
}
