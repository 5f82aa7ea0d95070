import { expect, test } from "vitest";
import { untilEmpty } from "./drain.ts";

test.for([
  { seen: [0, 0], seconds: 60, left: 0 },
  // The second count has missed a message.
  { seen: [1, 0, 1, 0, 0], seconds: 60, left: 0 },
  { seen: [2], seconds: 0, left: 2 },
  { seen: [0, 2], seconds: 0, left: 2 },
  { seen: [0, 0], seconds: 0, left: 0 },
])(
  "queues with $seen messages, for $seconds s: $left are left",
  async ({ seen, seconds, left }) => {
    const counts = [...seen];
    const count = () => {
      const next = counts.shift();
      if (next === undefined) throw new Error("counted too often");
      return Promise.resolve(next);
    };
    expect(await untilEmpty(count, seconds, 1)).toBe(left);
    expect(counts).toEqual([]);
  },
);
