/** Every check of `npm run verify` is explained in verify.md, and every one there exists; so is its JSON. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { z } from "zod";
import { stackVerdict } from "../commands/verify-schema.ts";
import { CHECK_IDS, CHECK_STATUSES } from "../mail/verify/check.ts";

/** The cells of each row that begins with an id. */
const rows = readFileSync(new URL("verify.md", import.meta.url), "utf8")
  .split("\n")
  .filter((line) => line.startsWith("| `"))
  .map((line) =>
    line
      .slice(1, -1)
      .split("|")
      .map((cell) => cell.trim()),
  );
const first = rows.map(([cell = ""]) => cell.replaceAll("`", ""));
const ids = first.filter(
  (cell) => /^[a-z]+(-[a-z]+)*$/.test(cell) && cell !== "note" && cell !== "ok",
);

test("every check is explained once", () => {
  expect(ids.toSorted()).toEqual([...CHECK_IDS].toSorted());
});

test("every check has a meaning and a way on, every result its word in JSON", () => {
  expect(rows.filter((cells) => cells.length !== 3 || cells.includes(""))).toEqual([]);
  const results = rows.filter((_, index) => !ids.includes(first[index] ?? ""));
  const inJson = results.map(([, word = ""]) => word.replaceAll("`", ""));
  expect(inJson).toEqual([...CHECK_STATUSES]);
});

test("the schema of its JSON is published", async () => {
  const text = `${JSON.stringify(z.toJSONSchema(stackVerdict), null, 2)}\n`;
  await expect(text).toMatchFileSnapshot("verify.schema.json");
});
