/** The comment as a whole: no value breaks out of it, and it keeps within its limit. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { renderComment } from "./markdown.ts";
import { nasty } from "./nasty.ts";
import { LINKED, rendered } from "./rendered.ts";
import { CHANGE_KINDS, type DomainReport, type StackReport, UNKNOWN } from "./stack-report.ts";
import { renderTerminal } from "./terminal.ts";

/** A report whose every text that may come from outside is given by one function. */
function reportOf(text: () => string, change: DomainReport["change"] = "onboard"): StackReport {
  const fault = { code: "not-read", where: text(), problem: text(), fix: text() };
  return {
    stack: text(),
    kind: "tenant",
    organisation: text(),
    status: "incomplete",
    summary: text(),
    domains: [{ ...domainOf(text, change), unread: [fault] }],
    faults: [fault],
    risks: [{ id: "many-domains-leave", level: "high", text: text(), fix: text() }],
    technical: [`+ ${text()}`],
    changeDigest: "0".repeat(64),
  };
}

function domainOf(text: () => string, change: DomainReport["change"]): DomainReport {
  const commands = ["   In shell, as root:", `     ${text()}`, `   Check: ${text()}`];
  return {
    domain: text(),
    displayName: text(),
    change,
    summary: text(),
    inboundPath: { before: text(), after: text() },
    outboundPath: { before: text(), after: UNKNOWN },
    mx: { before: [text(), text()], after: [text()] },
    spf: { before: text(), after: text() },
    spfLookups: { used: 9, limit: 10, byTerm: [{ term: text(), lookups: 9 }] },
    settings: [{ name: "Server", before: text(), after: text() }],
    notices: [text()],
    duration: [text()],
    steps: [[text(), `   - ${text()}`, ...commands]],
    risks: [{ id: "long-ttl", level: "medium", text: text(), fix: text() }],
    unread: [],
  };
}

/** One value after the other, again and again. */
function inTurn(values: readonly string[]): () => string {
  let index = -1;
  return () => {
    index += 1;
    return values[index % values.length] ?? "";
  };
}

const OWN_LINKS = /pulumi up|docs\/report\.md/g;

test("a comment of nasty values has the tags of a harmless one", () => {
  const harmless = new Set(rendered(renderComment([reportOf(inTurn(["a", "b"]))]).comment).tags);
  const values = fc.array(nasty, { minLength: 1, maxLength: 9 });
  fc.assert(
    fc.property(values, fc.constantFrom(...CHANGE_KINDS), (texts, change) => {
      const { comment } = renderComment([reportOf(inTurn(texts), change)]);
      const { tags, prose } = rendered(comment);
      expect(tags.filter((tag) => !harmless.has(tag))).toEqual([]);
      expect(prose.replaceAll(OWN_LINKS, "")).not.toMatch(LINKED);
    }),
    { numRuns: 200 },
  );
});

test("so many domains keep within the limit, and where the rest is is said", () => {
  const values = fc.array(nasty, { minLength: 1, maxLength: 5 });
  const limits = fc.constantFrom(6_000, 30_000, 65_000);
  fc.assert(
    fc.property(values, fc.integer({ min: 1, max: 200 }), limits, (texts, number, limit) => {
      const next = inTurn(texts);
      const reports = Array.from({ length: number }, () => reportOf(next));
      const { comment, rest } = renderComment(reports, { limit, restUrl: "https://ci.test/1" });
      expect(comment.length).toBeLessThanOrEqual(limit);
      expect(comment.includes("(https://ci.test/1)")).toBe(rest !== undefined);
    }),
    { numRuns: 30 },
  );
});

test("of a thousand domains the riskiest are told in full, the others in a line each, or as a number", () => {
  const reports = Array.from({ length: 1_000 }, (_, index): StackReport => {
    const name = `d${index}.test`;
    const level = index === 700 ? "high" : "low";
    const risks = [{ id: "long-ttl", level, text: "It may be late.", fix: "Wait." } as const];
    const domain = { ...domainOf(() => name, "onboard"), risks };
    return { ...reportOf(() => name), status: "changed", faults: [], risks: [], domains: [domain] };
  });
  const { comment, rest } = renderComment(reports);
  const headings = [...comment.matchAll(/^### `(d\d+\.test)`/gm)].map(([, name]) => name);
  expect(headings[0]).toBe("d700.test");
  expect(comment).toMatch(/^- `d\d+\.test` comes onto the gateway/m);
  expect(comment).toMatch(/And \d+ domains more/);
  expect(rest).toContain("`d999.test`");
});

test("a terminal gets no command", () => {
  fc.assert(
    fc.property(fc.array(nasty, { minLength: 1, maxLength: 9 }), (texts) => {
      const text = renderTerminal([reportOf(inTurn(texts))]);
      expect(text.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    }),
    { numRuns: 100 },
  );
});
