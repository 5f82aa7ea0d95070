/** What is kept of a preview's events, and what is dropped as it is read. */
import { expect, test } from "vitest";
import { MailRuleError } from "../mail/errors.ts";
import { buildReport, failedReport } from "./build-report.ts";
import { PreviewReader } from "./preview-reader.ts";
import { urnOf } from "./test-preview.ts";

const SECRET = "correct-horse-battery-staple";
const done = { exitCode: 0, text: "" };

function stepOf(op: string, inputs: object, more: object = {}) {
  const type = "mxhero:index:MxTakeover";
  return {
    metadata: { op, urn: urnOf("mx"), type, old: null, new: { inputs, outputs: {} }, ...more },
  };
}

function read(...events: readonly unknown[]) {
  const reader = new PreviewReader();
  for (const event of events) reader.see(event);
  return reader.end(done);
}

test("debug events and values that no report needs are dropped", () => {
  const preview = read(
    { diagnosticEvent: { severity: "debug", message: SECRET, urn: urnOf("mx") } },
    { diagnosticEvent: { severity: "info", message: SECRET, ephemeral: true } },
    { preludeEvent: { config: { "mail:relayPasswords": SECRET } } },
    {
      resourcePreEvent: stepOf("create", {
        overlapSeconds: 60,
        token: SECRET,
        nested: { a: SECRET },
      }),
    },
    { stdoutEvent: { message: SECRET } },
    "no event",
    undefined,
  );
  expect(JSON.stringify(preview)).not.toContain(SECRET);
  expect(preview.resources[0]?.new?.mx).toEqual({ overlapSeconds: 60 });
});

test("a value that is not known, or secret, shows as such", () => {
  const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
  const preview = read({
    resOutputsEvent: stepOf("update", { before: unknown, after: "[secret]" }),
  });
  expect(preview.resources[0]?.new?.mx).toEqual({ before: "[not known yet]", after: "[secret]" });
});

test("the last event of a resource counts, and each thing said is kept once", () => {
  const said = { diagnosticEvent: { severity: "warning", message: "Look.\n", urn: urnOf("mx") } };
  const preview = read(
    { resourcePreEvent: stepOf("update", { overlapSeconds: 1 }) },
    said,
    said,
    { resOutputsEvent: stepOf("update", { overlapSeconds: 2 }) },
    { diagnosticEvent: { severity: "error", message: "preview failed" } },
  );
  expect(preview.resources).toHaveLength(1);
  expect(preview.resources[0]?.new?.mx).toEqual({ overlapSeconds: 2 });
  expect(preview.said).toEqual([{ urn: urnOf("mx"), severity: "warning", text: "Look." }]);
});

function digestOf(...events: readonly unknown[]): string {
  return buildReport(read(...events), { stack: "contoso", kind: "tenant" }).changeDigest;
}

test("the digest is of what would be done, whatever the order of events and keys", () => {
  const a = { resourcePreEvent: stepOf("update", { server: "a", token: SECRET }) };
  const same = { resourcePreEvent: stepOf("update", { token: SECRET, server: "a" }) };
  const other = {
    resourcePreEvent: { metadata: { ...stepOf("create", {}).metadata, urn: urnOf("spf") } },
  };
  expect(digestOf(a, other)).toBe(digestOf(other, same));
  // Also a value that no report shows.
  expect(digestOf(a)).not.toBe(
    digestOf({ resourcePreEvent: stepOf("update", { server: "a", token: "b" }) }),
  );
  expect(digestOf(a)).not.toBe(
    digestOf({ resourcePreEvent: stepOf("create", { server: "a", token: SECRET }) }),
  );
  expect(digestOf(a)).not.toBe(digestOf());
});

test("the digest is of where it comes from, too: the same goal from elsewhere was not reviewed", () => {
  expect(digestFrom("a")).toBe(digestFrom("a"));
  expect(digestFrom("a")).not.toBe(digestFrom("c"));
  expect(digestFrom("a", "replace")).not.toBe(digestFrom("c", "replace"));
  // Of what stays nothing is done.
  expect(digestFrom("a", "same")).toBe(digestFrom("c", "same"));
});

function digestFrom(server: string, op = "update"): string {
  const old = { inputs: { server, token: SECRET }, outputs: {} };
  return digestOf({ resOutputsEvent: stepOf(op, { server: "b" }, { old }) });
}

test("the digest does not change with what is only seen, nor with what stays", () => {
  const spf = (lookups: number) => ({
    resOutputsEvent: stepOf(
      "update",
      {},
      { new: { inputs: {}, outputs: { after: "v=spf1 -all", lookups } } },
    ),
  });
  expect(digestOf(spf(3))).toBe(digestOf(spf(4)));
  expect(digestOf({ resourcePreEvent: stepOf("same", { server: "a" }) })).toBe(digestOf());
});

test("a preview that failed without an event tells what was printed", () => {
  const preview = new PreviewReader().end({ exitCode: 255, text: "error: incorrect passphrase" });
  const { status, faults } = buildReport(preview, { stack: "contoso", kind: "tenant" });
  expect({ status, faults }).toEqual({
    status: "failed",
    faults: [{ problem: "error: incorrect passphrase" }],
  });
});

test("an error that is a refusal keeps its code, place and fix; several are told one by one", () => {
  const refusal = new MailRuleError({
    code: "key-unknown",
    where: "a.yaml",
    problem: "No.",
    fix: "Do.",
  });
  const error = new AggregateError([refusal, new Error("Other.")]);
  expect(failedReport({ stack: "contoso", kind: "tenant" }, error).faults).toEqual([
    { code: "key-unknown", where: "a.yaml", problem: "No.", fix: "Do." },
    { problem: "Other." },
  ]);
});
