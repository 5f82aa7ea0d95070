/** A figure of the benchmark, and its result in the form of `bench.json`. */
import type { Say } from "../step.ts";
import type { BenchLab } from "./bench-lab.ts";

export interface Figure {
  readonly name: string;
  readonly unit: string;
  /** At most this: the ratio to the baseline where there is one, the value otherwise. */
  readonly goal: number;
  /** For the table: what the value is, and what it is compared with. */
  readonly meaning: string;
  readonly measure: (lab: BenchLab, say: Say) => Promise<Measurement>;
}

export interface Measurement {
  readonly value: number;
  /** In the same unit. */
  readonly baseline?: number;
}

export interface Result {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly baseline?: number;
  readonly ratio?: number;
  readonly goal: number;
  readonly met: boolean;
}

export function judge(figure: Figure, { value, baseline }: Measurement): Result {
  const { name, unit, goal } = figure;
  if (baseline === undefined) return { name, value, unit, goal, met: value <= goal };
  const ratio = value / baseline;
  return { name, value, unit, baseline, ratio, goal, met: ratio <= goal };
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
