/** Both sides can be read off a difference again, and it says no more than it must. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { difference, spfDifference } from "./difference.ts";

const term = fc.constantFrom(
  "a",
  "mx",
  "include:_spf.a.test",
  "include:_spf.b.test",
  "-all",
  "+mx",
  "~all",
);
const terms = fc.array(term, { maxLength: 8 });
const record = terms.map((list) => ["v=spf1", ...list].join(" "));

function side(lines: readonly string[], sign: "+" | "-"): string[] {
  return lines
    .filter((line) => line.startsWith(" ") || line.startsWith(sign))
    .map((line) => line.slice(2));
}

test("an SPF record before and after stands in its difference", () => {
  fc.assert(
    fc.property(record, record, (before, after) => {
      const lines = spfDifference(before, after, "no record");
      expect(side(lines, "-").join(" ")).toBe(before);
      expect(side(lines, "+").join(" ")).toBe(after);
    }),
  );
});

test("one term that comes is one line that comes", () => {
  fc.assert(
    fc.property(terms, terms, (first, last) => {
      const before = ["v=spf1", ...first, ...last].join(" ");
      const after = ["v=spf1", ...first, "include:_spf.gateway.test", ...last].join(" ");
      const changed = spfDifference(before, after, "no record").filter(
        (line) => !line.startsWith(" "),
      );
      expect(changed).toEqual(["+ include:_spf.gateway.test"]);
    }),
  );
});

test("a record that comes, goes, or is not known is shown whole", () => {
  const spf = "v=spf1 mx -all";
  expect(spfDifference("", spf, "no record")).toEqual(["- no record", `+ ${spf}`]);
  expect(spfDifference(spf, "", "no record")).toEqual([`- ${spf}`, "+ no record"]);
  expect(spfDifference(spf, "[not known yet]", "no record")).toEqual([
    `- ${spf}`,
    "+ [not known yet]",
  ]);
});

test("MX that stay, go and come", () => {
  expect(difference(["10 a", "20 b"], ["10 a", "10 c"], "none")).toEqual([
    "  10 a",
    "- 20 b",
    "+ 10 c",
  ]);
  expect(difference([], ["10 a"], "none")).toEqual(["- none", "+ 10 a"]);
});
