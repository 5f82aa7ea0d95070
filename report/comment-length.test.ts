/** The one comment is never too long, and the least risky is what it leaves out. */
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { renderComment } from "./markdown.ts";
import { foreignTags, many, reportWith } from "./test-report.ts";

describe("length", () => {
  test("a comment fits into GitHub's limit whatever is in it, and the rest has all", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1_500 }),
        fc.integer({ min: 3_000, max: 65_000 }),
        (stacks, limit) => {
          const reports = many(stacks, "medium");
          const { comment, rest } = renderComment(reports, {
            limit,
            restUrl: "https://example.com/a",
          });
          expect(comment.length).toBeLessThanOrEqual(limit);
          if (rest === undefined) return;
          expect(rest.length).toBeGreaterThan(limit);
          expect(comment).toContain("(https://example.com/a)");
          expect(rest.match(/^### /gm)).toHaveLength(stacks);
        },
      ),
      { numRuns: 25 },
    );
  });

  test("a thousand stacks that failed fit, too, and are counted", () => {
    const reports = Array.from({ length: 1_000 }, (_, index) => reportWith(`s${index}.test`));
    const { comment, rest } = renderComment(reports);
    expect(comment.length).toBeLessThanOrEqual(65_000);
    expect(comment).toContain("1000 stacks could not be previewed");
    expect(rest).toContain("s999.test");
  });

  test("what is cut is the least risky", () => {
    const risky = reportWith("risky.test");
    const reports = [...many(200, undefined), { ...risky, status: "changed" as const, faults: [] }];
    const { comment } = renderComment(reports);
    const [, first = ""] = comment.split("### ");
    expect(first).toContain("risky.test");
    expect(first).toContain("Each step in full");
    expect(comment).toContain("### In short");
  });

  test("a link's target breaks out of nothing", () => {
    const restUrl = "https://example.com/a)(b) <img src=x> [c](d)";
    const { comment } = renderComment(many(300, "low"), { restUrl });
    expect(foreignTags(comment)).toEqual([
      expect.stringMatching(/^<a href="https:\/\/example\.com[^"]*">$/),
    ]);
  });
});
