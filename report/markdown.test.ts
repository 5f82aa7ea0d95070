/** The one comment: nothing breaks out of it, it is never too long, and the riskiest comes first. */
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { renderComment } from "./markdown.ts";
import { NASTY, nasty } from "./nasty.ts";
import { LINKED, rendered } from "./rendered.ts";
import { RISK_IDS, RISK_LEVELS } from "./risk-ids.ts";
import {
  CHANGE_KINDS,
  type DomainReport,
  STACK_STATUSES,
  type StackReport,
} from "./stack-report.ts";
import { renderTerminal } from "./terminal.ts";

const pair = fc.record({ before: nasty, after: nasty });
const fault = fc.record({
  code: fc.constant("some-code"),
  where: nasty,
  problem: nasty,
  fix: nasty,
});
const risk = fc.record({
  id: fc.constantFrom(...RISK_IDS),
  level: fc.constantFrom(...RISK_LEVELS),
  text: nasty,
  fix: nasty,
});
const few = <T>(arbitrary: fc.Arbitrary<T>) => fc.array(arbitrary, { maxLength: 3 });

const domain: fc.Arbitrary<DomainReport> = fc.record({
  domain: nasty,
  displayName: nasty,
  change: fc.constantFrom(...CHANGE_KINDS),
  summary: nasty,
  inboundPath: pair,
  outboundPath: pair,
  mx: fc.record({ before: few(nasty), after: few(nasty) }),
  spf: pair,
  spfLookups: fc.record({
    used: fc.nat({ max: 999 }),
    limit: fc.constant(10 as const),
    byTerm: few(fc.record({ term: nasty, lookups: fc.nat({ max: 999 }) })),
  }),
  settings: few(fc.record({ name: fc.constant("Server"), before: nasty, after: nasty })),
  notices: few(nasty),
  duration: few(nasty),
  steps: few(
    few(
      fc.oneof(
        nasty,
        nasty.map((text) => `     ${text}`),
        nasty.map((text) => `   - ${text}`),
      ),
    ),
  ),
  risks: few(risk),
  unread: few(fault),
});

const stack: fc.Arbitrary<StackReport> = fc.record({
  stack: nasty,
  kind: fc.constantFrom("tenant", "gateway"),
  organisation: nasty,
  status: fc.constantFrom(...STACK_STATUSES),
  summary: nasty,
  domains: few(domain),
  faults: few(fault),
  risks: few(risk),
  technical: few(nasty),
  changeDigest: fc.constant(""),
});

/** What the comment itself is made of. */
const OWN_TAGS = new Set([
  "<h2>",
  "<h3>",
  "<p>",
  "<ul>",
  "<ol>",
  "<li>",
  "<strong>",
  "<code>",
  '<code class="language-text">',
  '<code class="language-diff">',
  "<pre>",
  "<br>",
  "<br />",
  "<details>",
  "<summary>",
  "<sub>",
  "<blockquote>",
]);

/** Without the code, of which a value may have more or less. */
function shape(tags: readonly string[]): string[] {
  return tags.filter((tag) => !tag.startsWith("<code"));
}

function foreignTags(markdown: string): string[] {
  return rendered(markdown).tags.filter((tag) => !OWN_TAGS.has(tag));
}

describe("injection", () => {
  test("no value breaks out of the comment, be it ever so nasty", () => {
    fc.assert(
      fc.property(fc.array(stack, { maxLength: 2 }), (reports) => {
        const { comment } = renderComment(reports);
        expect(foreignTags(comment)).toEqual([]);
        expect(rendered(comment).prose.replace("[!WARNING]", "")).not.toMatch(LINKED);
      }),
      { numRuns: 100 },
    );
  });

  test("a value makes no heading, no list and no fold of its own", () => {
    const plain = rendered(renderComment([reportWith("plain")]).comment);
    for (const value of NASTY.filter((each) => each.trim() !== "")) {
      const { tags } = rendered(renderComment([reportWith(value)]).comment);
      expect(shape(tags)).toEqual(shape(plain.tags));
    }
  });

  test("nothing in a terminal is commanded by a value", () => {
    fc.assert(
      fc.property(fc.array(stack, { maxLength: 2 }), (reports) => {
        expect(renderTerminal(reports).replaceAll("\n", "")).not.toMatch(/\p{Cc}/u);
      }),
      { numRuns: 300 },
    );
  });
});

/** One value in all places. */
function reportWith(value: string): StackReport {
  const both = { before: value, after: `${value}2` };
  return {
    stack: value,
    kind: "tenant",
    organisation: value,
    status: "failed",
    summary: value,
    domains: [
      {
        domain: value,
        displayName: value,
        change: "onboard",
        summary: value,
        inboundPath: both,
        outboundPath: both,
        mx: { before: [value], after: [`${value}2`] },
        spf: both,
        spfLookups: { used: 1, limit: 10, byTerm: [{ term: value, lookups: 1 }] },
        settings: [{ name: "Server", before: `a ${value}`, after: value }],
        notices: [value],
        duration: [value],
        steps: [[value, `   - ${value}`, `     ${value}`]],
        risks: [{ id: "warned", level: "high", text: value, fix: value }],
        unread: [{ code: "x-y", where: value, problem: value, fix: value }],
      },
    ],
    faults: [{ code: "x-y", where: value, problem: value, fix: value }],
    risks: [],
    technical: [value],
    changeDigest: "",
  };
}

/** With so many domains, each of the kind. */
function many(stacks: number, level: "high" | "medium" | "low" | undefined): StackReport[] {
  return Array.from({ length: stacks }, (_, index) => {
    const [only] = reportWith(`s${index}.test`).domains;
    const risks =
      level === undefined ? [] : [{ id: "warned" as const, level, text: "t", fix: "f" }];
    const own = only === undefined ? [] : [{ ...only, unread: [], risks }];
    return { ...reportWith(`s${index}.test`), status: "changed", faults: [], domains: own };
  });
}

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

test("the riskiest comes first: what nobody knows, then by level, then by what happens", () => {
  const [unknown, high, low, none] = ["unknown.test", "high.test", "low.test", "none.test"];
  const reports = [
    ...many(1, undefined).map((each) => renamed(each, none)),
    ...many(1, "low").map((each) => renamed(each, low)),
    ...many(1, "high").map((each) => renamed(each, high)),
    renamed({ ...reportWith("x"), status: "incomplete", faults: [] }, unknown),
  ];
  const { comment } = renderComment(reports);
  const order = [...comment.matchAll(/^### `([^`]*)`/gm)].map(([, name]) => name);
  expect(order).toEqual([unknown, high, low, none]);
});

function renamed(report: StackReport, displayName: string): StackReport {
  return { ...report, domains: report.domains.map((each) => ({ ...each, displayName })) };
}

test("nothing to tell is told in one line", () => {
  const reports = Array.from({ length: 40 }, (_, index) => ({
    ...reportWith(`s${index}`),
    status: "unchanged" as const,
    domains: [],
    faults: [],
    technical: [],
  }));
  const { comment } = renderComment(reports);
  expect(comment).toMatch(/Nothing changes in 40 stacks: `s0`, .* and 10 more\./);
  expect(comment).not.toContain("###");
});
