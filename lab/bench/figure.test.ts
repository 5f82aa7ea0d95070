import { expect, test } from "vitest";
import { type Figure, judge, measurePairs, median, quantile } from "./figure.ts";

const figure: Figure = {
  name: "example",
  unit: "ms",
  goal: 1.25,
  judged: "ratio-at-most",
  meaning: "an example",
  measure: async () => ({ value: 0 }),
};

test("a value meets its goal itself, with a baseline or without", () => {
  const ten = { ...figure, goal: 10, judged: "value-at-most" } as const;
  expect(judge(ten, { value: 10 })).toEqual({
    name: "example",
    value: 10,
    unit: "ms",
    goal: 10,
    judged: "value-at-most",
    met: true,
  });
  expect(judge(ten, { value: 11 }).met).toBe(false);
  expect(judge(ten, { value: 11, baseline: 11 })).toMatchObject({ ratio: 1, met: false });
});

test("a ratio meets its goal from above or from below", () => {
  expect(judge(figure, { value: 1000, baseline: 800 })).toEqual({
    name: "example",
    value: 1000,
    unit: "ms",
    baseline: 800,
    ratio: 1.25,
    goal: 1.25,
    judged: "ratio-at-most",
    met: true,
  });
  expect(judge(figure, { value: 1001, baseline: 800 }).met).toBe(false);
  const least = { ...figure, goal: 0.95, judged: "ratio-at-least" } as const;
  expect(judge(least, { value: 95, baseline: 100 }).met).toBe(true);
  expect(judge(least, { value: 94, baseline: 100 }).met).toBe(false);
  expect(() => judge(figure, { value: 1 })).toThrow("example has no baseline");
});

test("pairs are compared with one another, so that a slow moment of both does not count", () => {
  const pairs = [
    { value: 100, baseline: 100 },
    { value: 10, baseline: 10 },
    { value: 50, baseline: 100 },
  ];
  expect(measurePairs(pairs)).toEqual({ value: 50, baseline: 100, ratio: 1 });
  expect(judge(figure, measurePairs(pairs))).toMatchObject({ ratio: 1, met: true });
});

test.each([
  [[3], 3],
  [[9, 1, 5], 5],
  [[10, 1, 4, 2], 3],
])("the median of %j is %d", (values, middle) => {
  expect(median(values)).toBe(middle);
});

test("nothing has no median", () => {
  expect(() => median([])).toThrow(RangeError);
});

test.each([
  [0.5, 50],
  [0.99, 99],
  [1, 100],
])("the quantile %d of 1 to 100 is %d", (part, expected) => {
  const values = Array.from({ length: 100 }, (_, index) => 100 - index);
  expect(quantile(values, part)).toBe(expected);
});
