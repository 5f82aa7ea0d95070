/** What is said of a domain's records: how well they are known, and how many lookups SPF needs. */
import { expect, test } from "vitest";
import { buildReport } from "./build-report.ts";
import { NOT_READ_NOW } from "./domain-diff.ts";
import { renderComment } from "./markdown.ts";
import type { SeenResource } from "./preview-reader.ts";
import { renderTerminal } from "./terminal.ts";
import { partOf, previewOf, type TestPart } from "./test-preview.ts";

const records = [{ exchange: "mail.contoso.test", preference: 10 }];
const report = { report: { inbound: "border", outbound: "none", gateway: "smtp-in.gateway.test" } };
const stays = partOf("component", { op: "same", old: report, new: report });
const goes = partOf("component", { op: "delete", old: report });
const mx = (part: TestPart) => partOf("mx", { old: { before: records, after: records }, ...part });

function said(...resources: readonly SeenResource[]) {
  const built = buildReport(previewOf(resources), { stack: "contoso", kind: "tenant" });
  const { comment } = renderComment([built]);
  return { domain: built.domains[0], comment, text: renderTerminal([built]) };
}

test.each([
  ["a domain that leaves", [goes, mx({ op: "delete" })]],
  ["one whose MX go", [stays, mx({ op: "delete" })]],
  [
    "one whose SPF term goes",
    [stays, partOf("spf", { op: "delete", old: { after: "v=spf1 -all" } })],
  ],
  ["one that has no records here", [goes, partOf("route", { op: "delete" })]],
])("of %s it is told everywhere that DNS was not read", (_, resources) => {
  const { domain, comment, text } = said(...resources);
  expect(domain?.isFromState).toBe(true);
  expect(comment).toContain("Not read now.");
  expect(comment).toContain("what goes is shown as the last run left it");
  expect(text).toContain(NOT_READ_NOW);
});

test("also where there is room for a line only", () => {
  const all = Array.from({ length: 200 }, (_, index) => {
    const parts = [partOf("component", { op: "delete", old: report }, `d${index}.test`)];
    return buildReport(previewOf(parts), { stack: `s${index}`, kind: "tenant" });
  });
  const { comment } = renderComment(all, { limit: 12_000 });
  const lines = comment.match(/^- `d\d+\.test`.*$/gm) ?? [];
  expect(lines.length).toBeGreaterThan(20);
  expect(lines.filter((line) => !line.endsWith("DNS was not read for it."))).toEqual([]);
});

test("what comes or changes was read", () => {
  const { domain, comment, text } = said(stays, mx({ new: { after: records } }));
  expect(domain?.isFromState).toBe(false);
  expect(`${comment}${text}`).not.toContain("not read");
});

function lookupsOf(values: object) {
  return said(stays, partOf("spf", { old: {}, new: values })).domain?.spfLookups;
}

test("lookups of a record that is faulty are not counted", () => {
  // As provider/spf-include-outputs.ts gives them.
  const faulty = { after: "v=spf1 include:", lookups: 0, lookupsByTerm: "the record is faulty" };
  expect(lookupsOf(faulty)).toBeUndefined();
  const { comment, text } = said(stays, partOf("spf", { old: {}, new: faulty }));
  expect(`${comment}${text}`).not.toContain("SPF lookups");
});

test("lookups are counted by term, be there any or none", () => {
  const one = { lookups: 1, lookupsByTerm: "1 of 10 lookups: mx 1, ip4:192.0.2.1 0" };
  expect(lookupsOf(one)).toEqual({
    used: 1,
    limit: 10,
    byTerm: [
      { term: "mx", lookups: 1 },
      { term: "ip4:192.0.2.1", lookups: 0 },
    ],
  });
  expect(lookupsOf({ lookups: 0, lookupsByTerm: "0 of 10 lookups" })).toEqual({
    used: 0,
    limit: 10,
    byTerm: [],
  });
});
