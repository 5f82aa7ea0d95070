/** What belongs to no domain is told of the stack, and what could not be read is never called safe. */
import { expect, test } from "vitest";
import { formatNote } from "../mail/preview-note.ts";
import { buildReport } from "./build-report.ts";
import { renderComment } from "./markdown.ts";
import type { Said } from "./preview-reader.ts";
import { renderTerminal } from "./terminal.ts";
import { partOf, previewOf, urnOf } from "./test-preview.ts";

const STACK = "urn:pulumi:gateway::mail::pulumi:pulumi:Stack::mail-gateway";
const HOST =
  "urn:pulumi:gateway::mail::mxhero:gateway:Gateway$aws:ec2/instance:Instance::gateway-a";

function reportWith(said: readonly Said[], kind: "tenant" | "gateway" = "gateway") {
  return buildReport(previewOf([], said), { stack: "gateway", kind });
}

const warning = (urn: string, text: string): Said => ({ urn, severity: "warning", text });

test.each([
  ["a gateway's part", HOST, "gateway-a"],
  ["a part of a domain of which nothing else is known", urnOf("mx"), "tenant-contoso.test-mx"],
])("what was not read of %s makes the stack incomplete", (_, urn, where) => {
  const report = reportWith([warning(urn, formatNote("not-read", "The store did not answer."))]);
  expect(report.status).toBe("incomplete");
  expect(report.faults).toEqual([
    { code: "not-read", where, problem: "The store did not answer." },
  ]);
  expect(report.risks.map(({ id, level }) => `${level} ${id}`)).toEqual(["high not-read"]);
  expect(report.summary).toMatch(/^Not everything could be read/);
  for (const text of [renderComment([report]).comment, renderTerminal([report])]) {
    expect(text.replaceAll("`", "")).toContain("The store did not answer.");
    expect(text).not.toContain("Nothing changes");
  }
  expect(renderComment([report]).comment).toContain("Do not merge yet");
});

test.each([
  ["", "Somebody should know."],
  [STACK, "Somebody should know."],
  [HOST, "gateway-a: Somebody should know."],
])("a warning of %j is a risk of the stack", (urn, text) => {
  const report = reportWith([warning(urn, "Somebody should know.")]);
  expect(report.risks).toEqual([
    { id: "warned", level: "medium", text, fix: "Read it before you merge." },
  ]);
  for (const shown of [renderComment([report]).comment, renderTerminal([report])]) {
    expect(shown).toContain("Somebody should know.");
  }
});

test("a note of no domain is the risk that it names", () => {
  const { risks } = reportWith([warning(HOST, formatNote("slot-left-out", "Look."))], "tenant");
  expect(risks.map(({ id, text }) => `${id}: ${text}`)).toEqual([
    "slot-left-out: gateway-a: Look.",
  ]);
});

test("what is said of a domain stays with it, and what only informs is no risk", () => {
  const said = [
    warning(urnOf("mx"), "Look."),
    { urn: HOST, severity: "info" as const, text: "It goes on." },
  ];
  const { risks, domains } = buildReport(previewOf([partOf("mx", {})], said), {
    stack: "contoso",
    kind: "tenant",
  });
  expect(risks).toEqual([]);
  expect(domains[0]?.risks.map(({ id }) => id)).toEqual(["warned"]);
});
