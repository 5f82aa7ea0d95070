import { expect, test } from "vitest";
import { type Figure, judge, median } from "./figure.ts";

const figure: Figure = {
  name: "example",
  unit: "ms",
  goal: 1.25,
  meaning: "an example",
  measure: async () => ({ value: 0 }),
};

test("a value without baseline meets its goal itself", () => {
  expect(judge({ ...figure, goal: 10 }, { value: 10 })).toEqual({
    name: "example",
    value: 10,
    unit: "ms",
    goal: 10,
    met: true,
  });
  expect(judge({ ...figure, goal: 10 }, { value: 11 }).met).toBe(false);
});

test("with a baseline it is the ratio", () => {
  expect(judge(figure, { value: 1000, baseline: 800 })).toEqual({
    name: "example",
    value: 1000,
    unit: "ms",
    baseline: 800,
    ratio: 1.25,
    goal: 1.25,
    met: true,
  });
  expect(judge(figure, { value: 1001, baseline: 800 }).met).toBe(false);
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
