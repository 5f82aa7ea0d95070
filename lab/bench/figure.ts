/** A figure of the benchmark, and its result in the form of `bench.json`. */
import type { Say } from "../step.ts";
import type { BenchLab } from "./bench-lab.ts";

/** What meets the goal: a value or a ratio to the baseline that is at most so much, or at least. */
export type Judged = "value-at-most" | "ratio-at-most" | "ratio-at-least";

export interface Figure {
  readonly name: string;
  readonly unit: string;
  readonly goal: number;
  readonly judged: Judged;
  /** For the table: what the value is, and what it is compared with. */
  readonly meaning: string;
  readonly measure: (lab: BenchLab, say: Say) => Promise<Measurement>;
}

export interface Measurement {
  readonly value: number;
  /** In the same unit. */
  readonly baseline?: number;
  /** The middle one of the pairs' ratios, where value and baseline were measured in turn. @default their own */
  readonly ratio?: number;
}

/** Both measured right after one another, so that other work on the machine meets both alike. */
export interface Pair {
  readonly value: number;
  readonly baseline: number;
}

/** Less noisy than the ratio of two medians: what slows a whole pair down does not count. */
export function measurePairs(pairs: readonly Pair[]): Measurement {
  return {
    value: median(pairs.map(({ value }) => value)),
    baseline: median(pairs.map(({ baseline }) => baseline)),
    ratio: median(pairs.map(({ value, baseline }) => value / baseline)),
  };
}

export interface Result {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly baseline?: number;
  readonly ratio?: number;
  readonly goal: number;
  readonly judged: Judged;
  readonly met: boolean;
}

export function judge(figure: Figure, measurement: Measurement): Result {
  const { name, unit, goal, judged } = figure;
  const { value, baseline } = measurement;
  const ratio = baseline === undefined ? undefined : (measurement.ratio ?? value / baseline);
  const compared = judged === "value-at-most" ? value : ratio;
  if (compared === undefined) throw new RangeError(`${name} has no baseline to be compared with`);
  const met = judged === "ratio-at-least" ? compared >= goal : compared <= goal;
  const comparison = baseline === undefined || ratio === undefined ? {} : { baseline, ratio };
  return { name, value, unit, ...comparison, goal, judged, met };
}

/** The middle value; of an even number the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.ceil(sorted.length / 2) - 1];
  if (upper === undefined || lower === undefined)
    throw new RangeError("There is no median of nothing");
  return (lower + upper) / 2;
}

/** The value that the given part of all, e.g. 0.99, does not exceed (nearest rank). */
export function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const value = sorted[Math.ceil(part * sorted.length) - 1];
  if (value === undefined) throw new RangeError("There is no quantile of nothing");
  return value;
}
