import { stripVTControlCharacters } from "node:util";
import { expect, test } from "vitest";
import type { Result } from "./figure.ts";
import { table } from "./table.ts";

test("shows each figure in a row", () => {
  const results: Result[] = [
    {
      name: "requests",
      value: 11,
      unit: "requests",
      goal: 10,
      judged: "value-at-most",
      met: false,
    },
    {
      name: "time",
      value: 990,
      unit: "ms",
      baseline: 900,
      ratio: 1.1,
      goal: 1.25,
      judged: "ratio-at-most",
      met: true,
    },
  ];
  expect(stripVTControlCharacters(table(results)).split("\n")).toEqual([
    "figure          value  baseline  ratio           goal  met",
    "requests  11 requests                   ≤ 10 requests  no",
    "time           990 ms    900 ms   1.10         ≤ 1.25  yes",
  ]);
});
