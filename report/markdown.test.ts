/** The one comment: nothing breaks out of it, and the riskiest comes first. */
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
import { foreignTags, many, reportWith } from "./test-report.ts";

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
  isFromState: fc.boolean(),
  risks: few(risk),
  unread: few(fault),
});

const stack: fc.Arbitrary<StackReport> = fc.record({
  stack: nasty,
  kind: fc.constantFrom("tenant", "gateway"),
  organisation: nasty,
  status: fc.constantFrom(...STACK_STATUSES),
  isDestroyed: fc.boolean(),
  summary: nasty,
  domains: few(domain),
  faults: few(fault),
  risks: few(risk),
  technical: few(nasty),
  changeDigest: fc.constant(""),
});

/** Without the code, of which a value may have more or less. */
function shape(tags: readonly string[]): string[] {
  return tags.filter((tag) => !tag.startsWith("<code"));
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
