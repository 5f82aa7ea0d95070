/** The one comment is never too long, and the least risky is what it leaves out. */
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { renderComment } from "./markdown.ts";
import type { StackReport } from "./stack-report.ts";
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

/** The stacks that have a heading of their own. */
function told(comment: string): (string | undefined)[] {
  return [...comment.matchAll(/^### Stack `(.*)`$/gm)].map(([, name]) => name);
}

describe("stacks that have much to say", () => {
  const faults = Array.from({ length: 260 }, (_, index) => ({
    code: "value-unknown",
    where: `stacks/Pulumi.big.yaml: config mail:domains[${index}].inbound`,
    problem: `"boarder" is not known. ${"The values here are border, loopback and none. ".repeat(3)}`,
    fix: "Correct it.",
  }));
  const failed = (stack: string): StackReport => ({
    ...reportWith(`${stack}.test`),
    stack,
    domains: [],
    faults,
  });
  const risk = {
    id: "gateway-renamed",
    level: "high",
    text: "Its names change.",
    fix: "Keep them.",
  } as const;
  const gateway = (stack: string): StackReport => ({
    ...reportWith(`${stack}.test`),
    stack,
    kind: "gateway",
    status: "changed",
    domains: [],
    faults: [],
    risks: [risk],
  });
  test("one with many faults takes the room of no other", () => {
    const small = { ...reportWith("small.test"), domains: [], stack: "small" };
    const { comment, rest } = renderComment([gateway("z"), failed("big"), small]);
    expect(comment.length).toBeLessThanOrEqual(65_000);
    expect(told(comment)).toEqual(["big", "small", "z"]);
    expect(comment).toContain("**High** (`gateway-renamed`)");
    const shown = comment.match(/^- `stacks\/Pulumi\.big\.yaml/gm)?.length ?? 0;
    const [, hidden] = /And (\d+) more of this stack\./.exec(comment) ?? [];
    expect(shown).toBeGreaterThan(20);
    expect(shown + Number(hidden)).toBe(260);
    expect(rest).toContain("mail:domains[259]");
  });

  test("several of them share the room", () => {
    const { comment } = renderComment(["a", "b", "c"].map(failed));
    const hidden = [...comment.matchAll(/And (\d+) more of this stack/g)].map(([, n]) => Number(n));
    expect(told(comment)).toEqual(["a", "b", "c"]);
    expect(Math.max(...hidden) - Math.min(...hidden)).toBeLessThan(5);
  });

  test("its own high risk stands above its faults", () => {
    const { comment } = renderComment([{ ...failed("big"), risks: [risk] }]);
    expect(comment.indexOf("gateway-renamed")).toBeGreaterThan(0);
    expect(comment.indexOf("gateway-renamed")).toBeLessThan(comment.indexOf("mail:domains[0]"));
    const long = { ...risk, text: "Its names change. ".repeat(100) };
    const cut = renderComment([{ ...failed("big"), risks: [long] }], { limit: 3_000 });
    expect(cut.comment).toMatch(/And 2\d\d more of this stack, high `gateway-renamed`\./);
  });

  test("those that do not fit are named, the riskiest first, and a high risk is never among them", () => {
    const all = Array.from({ length: 1_000 }, (_, index) => ({
      ...failed(`f${index}`),
      faults: faults.slice(0, 4),
    }));
    const { comment } = renderComment([...all, gateway("z")]);
    expect(comment.length).toBeLessThanOrEqual(65_000);
    expect(told(comment)).toContain("z");
    const left = 1_001 - told(comment).length;
    expect(comment).toMatch(
      new RegExp(`And ${left} stacks more that failed or need a look: \`f\\d+\`, \`f`),
    );
    const gateways = Array.from({ length: 300 }, (_, index) => gateway(`g${index}`));
    const crowded = renderComment([...all, ...gateways]);
    expect(crowded.comment.length).toBeLessThanOrEqual(65_000);
    expect(crowded.comment).toMatch(/need a look: `g\d+`, high `gateway-renamed`, `g/);
  });
});
