/** Domains that leave are counted over all stacks of a comment. */
import { expect, test } from "vitest";
import { buildReport } from "./build-report.ts";
import { renderComment } from "./markdown.ts";
import type { StackReport } from "./stack-report.ts";
import { renderTerminal } from "./terminal.ts";
import { partOf, previewOf } from "./test-preview.ts";

/** A stack each, with one domain that leaves. */
function leaving(...names: readonly string[]): StackReport[] {
  return names.map((stack) => {
    const parts = [partOf("component", { op: "delete" }, `${stack}.test`)];
    return buildReport(previewOf(parts), { stack, kind: "tenant" });
  });
}

const ID = /many-domains-leave/;
const WORDS = /3 domains would leave the gateway at once, of 3 stacks\./;

test("one domain of each of many stacks is many, and it is told once", () => {
  const reports = leaving("a", "b", "c");
  const { comment } = renderComment(reports);
  expect(comment).toMatch(WORDS);
  expect(comment.match(/`many-domains-leave`/g)).toHaveLength(1);
  expect(renderTerminal(reports)).toMatch(WORDS);
});

test("also where the comment has not all", () => {
  const reports = leaving(...Array.from({ length: 400 }, (_, index) => `s${index}`));
  const { comment, rest } = renderComment(reports, { limit: 5_000 });
  expect(rest).toBeDefined();
  expect(comment).toContain("400 domains would leave the gateway at once, of 400 stacks.");
});

test("as many as whoever asks lets go are no risk", () => {
  expect(renderComment(leaving("a")).comment).not.toMatch(ID);
  expect(renderTerminal(leaving("a"))).not.toMatch(ID);
  const offboardAtMost = 3;
  expect(renderComment(leaving("a", "b", "c"), { offboardAtMost }).comment).not.toMatch(ID);
  expect(renderTerminal(leaving("a", "b", "c"), { offboardAtMost })).not.toMatch(ID);
  expect(renderComment(leaving("a"), { offboardAtMost: 0 }).comment).toMatch(ID);
});

test("in JSON a stack counts its own, and the comment tells that once", () => {
  const parts = ["a.test", "b.test"].map((name) => partOf("component", { op: "delete" }, name));
  const report = buildReport(previewOf(parts), { stack: "s", kind: "tenant" });
  expect(report.risks.map(({ id }) => id)).toEqual(["many-domains-leave"]);
  for (const text of [renderComment([report]).comment, renderTerminal([report])]) {
    expect(text.match(/many-domains-leave/g)).toHaveLength(1);
  }
  expect(renderComment([report], { offboardAtMost: 2 }).comment).not.toMatch(ID);
});
