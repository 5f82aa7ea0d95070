/** Every risk, change and status of the mail-path report is explained in report.md, and every one there exists; so is its JSON. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { z } from "zod";
import { RISK_IDS, RISK_LEVELS } from "../report/risk-ids.ts";
import { CHANGE_KINDS, STACK_STATUSES, stackReports } from "../report/stack-report.ts";

const sections = readFileSync(new URL("report.md", import.meta.url), "utf8").split(/^## /m);

/** The cells of each row that begins with an id. */
function rowsOf(title: string): string[][] {
  const section = sections.find((each) => each.startsWith(title)) ?? "";
  const rows = section.split("\n").filter((line) => line.startsWith("| `"));
  return rows.map((line) =>
    line
      .slice(1, -1)
      .split("|")
      .map((cell) => cell.trim()),
  );
}

function idsOf(title: string): string[] {
  return rowsOf(title).map(([cell = ""]) => cell.replaceAll("`", ""));
}

test("every risk is explained once, with its levels and a way on", () => {
  expect(idsOf("Risks").toSorted()).toEqual([...RISK_IDS].toSorted());
  const levels = new Set<string>(RISK_LEVELS);
  const faulty = rowsOf("Risks").filter(
    (cells) =>
      cells.length !== 4 ||
      cells.includes("") ||
      !(cells[1] ?? "").split("/").every((level) => levels.has(level)),
  );
  expect(faulty).toEqual([]);
});

test("every change and every status is explained once", () => {
  expect(idsOf("What happens to a domain").toSorted()).toEqual([...CHANGE_KINDS].toSorted());
  expect(idsOf("What happens to a stack").toSorted()).toEqual([...STACK_STATUSES].toSorted());
});

test("the schema of its JSON is published", async () => {
  const text = `${JSON.stringify(z.toJSONSchema(stackReports), null, 2)}\n`;
  await expect(text).toMatchFileSnapshot("report.schema.json");
});
