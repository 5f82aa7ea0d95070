/** The results as a table for a person. */
import { styleText } from "node:util";
import type { Result } from "./figure.ts";

const titles = ["figure", "value", "baseline", "ratio", "goal", "met"];

export function table(results: readonly Result[]): string {
  const rows = [titles, ...results.map(cells)];
  const widths = titles.map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? "").length)),
  );
  const lines = rows.map((row) =>
    row
      .map((cell, column) => aligned(cell, widths[column] ?? 0, column))
      .join("  ")
      .trimEnd(),
  );
  return lines
    .map((line, index) => {
      if (index === 0) return styleText("bold", line);
      return styleText(results[index - 1]?.met === true ? "green" : "red", line);
    })
    .join("\n");
}

function cells({ name, value, unit, baseline, ratio, goal, judged, met }: Result): string[] {
  const quantity = (number: number | undefined) =>
    number === undefined ? "" : `${Math.round(number)} ${unit}`;
  const limit = judged === "value-at-most" ? quantity(goal) : String(goal);
  const sign = judged === "ratio-at-least" ? "≥" : "≤";
  return [
    name,
    quantity(value),
    quantity(baseline),
    ratio?.toFixed(2) ?? "",
    `${sign} ${limit}`,
    met ? "yes" : "no",
  ];
}

/** Text to the left, numbers to the right. */
function aligned(cell: string, width: number, column: number): string {
  return column === 0 || column === titles.length - 1 ? cell.padEnd(width) : cell.padStart(width);
}
