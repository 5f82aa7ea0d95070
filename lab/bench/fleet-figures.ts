/** The figures of many stacks: how long a preview of all takes, and how much memory. */
import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { descendantsOf } from "../processes.ts";
import type { Say } from "../step.ts";
import type { BenchLab, FleetFolder } from "./bench-lab.ts";
import type { Figure } from "./figure.ts";

const command = fileURLToPath(new URL("../../commands/fleet.ts", import.meta.url));

/** Of the stacks, as many are previewed one by one, spread over all; the time of all is extrapolated from them. */
const SAMPLE = 12;

const STACKS = 120;

/** A pattern for every second stack. */
const HALF = "fleet-*[02468]";

export const fleetFigures: readonly Figure[] = [
  {
    name: "fleet-preview",
    unit: "s",
    goal: 4,
    judged: "ratio-at-least",
    meaning: `baseline: the time of pulumi preview of ${STACKS} unchanged tenant stacks one by one, extrapolated from ${SAMPLE} of them, half before and half after; value: the time of npm run fleet -- preview of all of them`,
    measure: async (lab, say) => {
      const { seconds, oneByOne } = await measureFleet(lab, say);
      return { value: seconds, baseline: oneByOne, ratio: oneByOne / seconds };
    },
  },
  {
    name: "fleet-memory",
    unit: "MB",
    goal: 1500,
    judged: "value-at-most",
    meaning:
      "the highest memory of npm run fleet -- preview of them with its engines, what they share counted once",
    measure: async (lab, say) => ({ value: (await measureFleet(lab, say)).megabytes }),
  },
  {
    name: "fleet-linear",
    unit: "ms",
    goal: 1.1,
    judged: "ratio-at-most",
    meaning: `baseline: the time for each stack where npm run fleet -- preview has ${STACKS / 2} of them, the mean of a run before and one after; value: where it has all ${STACKS}`,
    measure: async (lab, say) => {
      const { seconds, half } = await measureFleet(lab, say);
      return { value: (seconds * 1000) / STACKS, baseline: (half * 1000) / (STACKS / 2) };
    },
  },
];

interface FleetTime {
  /** Of all stacks. */
  readonly seconds: number;
  /** Of half of them. */
  readonly half: number;
  readonly oneByOne: number;
  readonly megabytes: number;
}

const kept = new WeakMap<BenchLab, Promise<FleetTime>>();

/** One run for all figures. */
function measureFleet(lab: BenchLab, say: Say): Promise<FleetTime> {
  const run = kept.get(lab) ?? timeFleet(lab, say);
  kept.set(lab, run);
  return run;
}

async function timeFleet(lab: BenchLab, say: Say): Promise<FleetTime> {
  const folder = await lab.fleet(STACKS);
  say(`bringing ${STACKS} stacks up`);
  await runFleet(folder, "up", `${STACKS} done`);
  // What is loaded for the first time is in nobody's time.
  await runFleet(folder, "preview", `${STACKS} unchanged`);
  await timeOne(folder, 0);
  const samples = [await timeSample(folder, 0)];
  const halves = [await timeHalf(folder)];
  const { seconds, megabytes } = await runFleet(folder, "preview", `${STACKS} unchanged`);
  halves.push(await timeHalf(folder));
  samples.push(await timeSample(folder, 1));
  const [half, oneByOne] = [mean(halves), mean(samples) * STACKS];
  say(
    `one by one: ${seen(samples)} s a stack; half of them: ${seen(halves)} s; all: ${seen([seconds])} s, ${megabytes.toFixed(0)} MB`,
  );
  return { seconds, half, megabytes, oneByOne };
}

async function timeHalf(folder: FleetFolder): Promise<number> {
  const args = ["--stack", HALF];
  return (await runFleet(folder, "preview", `${STACKS / 2} unchanged`, args)).seconds;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function seen(values: readonly number[]): string {
  return values.map((value) => value.toFixed(2)).join(" and ");
}

/** Every so many-th stack, in seconds a stack. */
async function timeSample(folder: FleetFolder, offset: number): Promise<number> {
  const count = SAMPLE / 2;
  const step = Math.floor(STACKS / count);
  const times: number[] = [];
  for (let index = 0; index < count; index += 1)
    times.push(await timeOne(folder, index * step + offset));
  return mean(times);
}

async function timeOne({ project, stacks }: FleetFolder, index: number): Promise<number> {
  const stack = stacks[index] ?? "";
  const start = performance.now();
  const { exitCode, stderr } = await project.run(stack, ["preview", "--expect-no-changes"]);
  if (exitCode !== 0)
    throw new Error(`pulumi preview of ${stack} ended with ${exitCode}: ${stderr}`);
  return (performance.now() - start) / 1000;
}

/** @throws if it fails, or says something else of the stacks */
async function runFleet(
  { project }: FleetFolder,
  name: "preview" | "up",
  expected: string,
  args: readonly string[] = [],
): Promise<{ seconds: number; megabytes: number }> {
  const start = performance.now();
  const run = execa(process.execPath, [command, name, ...args], {
    cwd: project.directory,
    env: project.env,
    extendEnv: false,
    all: true,
    reject: false,
    stdin: "ignore",
  });
  const ended = run.then(() => true);
  let highest = 0;
  do {
    highest = Math.max(highest, await memoryBelow(run.pid));
  } while (!(await Promise.race([sleep(300, false), ended])));
  const { all, exitCode } = await run;
  const seconds = (performance.now() - start) / 1000;
  if (exitCode !== 0 || !all.includes(expected))
    throw new Error(`It ended with ${exitCode}:\n${all}`);
  return { seconds, megabytes: highest };
}

/** Of the process and all below it, in MB. */
async function memoryBelow(pid: number | undefined): Promise<number> {
  if (pid === undefined) return 0;
  const parts = await Promise.all([pid, ...(await descendantsOf(pid))].map(memoryOf));
  return parts.reduce((sum, part) => sum + part, 0);
}

/** The proportional set size: what several share counts once; 0 if it has just ended. */
async function memoryOf(pid: number): Promise<number> {
  const rollup = await readFile(`/proc/${pid}/smaps_rollup`, "utf8").catch(() => "");
  return Number(/^Pss:\s+(\d+) kB/m.exec(rollup)?.[1] ?? 0) / 1024;
}
