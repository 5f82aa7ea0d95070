/** What is said of a gateway's stack, by what becomes of its hosts and stores. */
import { expect, test } from "vitest";
import { buildReport } from "./build-report.ts";
import { PreviewReader, type SeenResource } from "./preview-reader.ts";
import { previewOf } from "./test-preview.ts";

function resource(
  type: string,
  name: string,
  op: string,
  paths: readonly string[] = [],
): SeenResource {
  const urn = `urn:pulumi:gateway::mail::mxhero:gateway:Gateway$${type}::${name}`;
  const changes = paths.map((path) => ({ path, kind: "update" }));
  return { urn, type, op, changes, digest: `${name} ${op}` };
}

const host = (slot: string, op: string) =>
  resource("aws:ec2/instance:Instance", `gateway-${slot}`, op);
const stack = (op: string) => resource("pulumi:pulumi:Stack", "mail-gateway", op);

function said(...resources: readonly SeenResource[]) {
  const { summary, risks } = buildReport(previewOf(resources), {
    stack: "gateway",
    kind: "gateway",
  });
  return { summary, risks: risks.map(({ level, text }) => `${level}: ${text}`) };
}

const PASSES = "The mail of every domain at the gateway passes there.";

test("nothing changes", () => {
  expect(said(host("a", "same"))).toEqual({
    summary: "Nothing changes at the gateway.",
    risks: [],
  });
});

test("it is built", () => {
  expect(said(stack("create"), host("a", "create"), host("b", "create"))).toEqual({
    summary: "The gateway is built, with hosts a, b. No domain uses it yet.",
    risks: [],
  });
});

test("it is taken down", () => {
  expect(said(stack("delete"), host("a", "delete"))).toEqual({
    summary: "The gateway is taken down, with host a.",
    risks: [`high: The gateway would lose host a; 0 would be left. ${PASSES}`],
  });
});

test("hosts are replaced one after the other", () => {
  const steps = ["delete-replaced", "replace", "create-replacement"];
  const both = steps.flatMap((op) => [host("a", op), host("b", op)]);
  expect(said(stack("same"), ...both)).toEqual({
    summary:
      "The gateway changes. It replaces hosts a, b, one after the other: each leaves DNS first, and its queue stays. Its domains keep their records.",
    risks: [
      `low: The gateway would be without hosts a, b for a while, one at a time, of 2 in all. ${PASSES}`,
    ],
  });
  expect(said(host("a", "replace")).risks[0]).toMatch(/^high: /);
});

test("a host less is worse than a host more", () => {
  expect(said(host("a", "same"), host("b", "delete")).risks).toEqual([
    `medium: The gateway would lose host b; 1 would be left. ${PASSES}`,
  ]);
  expect(said(host("a", "same"), host("b", "create")).risks).toEqual([]);
});

test("a store that goes is the worst", () => {
  const table = resource("aws:dynamodb/table:Table", "gateway-routes", "replace");
  expect(said(host("a", "same"), table).risks).toEqual([
    `high: This goes or is made anew: the table of routes. ${PASSES}`,
  ]);
});

const LEAD_NOWHERE =
  "The MX and SPF records of every domain at the gateway name the former ones: they would lead nowhere.";
const record = (name: string, op: string, ...paths: readonly string[]) =>
  resource("cloudflare:index/dnsRecord:DnsRecord", name, op, paths);

test("other names are the worst that a change of a gateway can be, whatever becomes of its hosts", () => {
  const spf = record("gateway-spf", "update", "name");
  const { summary, risks } = said(host("a", "replace"), host("b", "replace"), spf);
  expect(summary).toMatch(
    /Its names change, and the records of its domains lead to the former ones\.$/,
  );
  expect(risks).toEqual([
    `high: Records of the gateway would go to another name or zone: gateway-spf. ${LEAD_NOWHERE}`,
    expect.stringMatching(/^low: /),
  ]);
  expect(said(record("gateway-spf", "replace", "zoneId")).risks).toHaveLength(1);
});

test("addresses that change, and a host whose records go with it, are no other names", () => {
  const changed = [
    record("gateway-spf", "update", "content"),
    record("gateway-b-smtp-in", "delete"),
  ];
  expect(said(...changed).summary).toMatch(/Its domains keep their records\.$/);
  expect(said(...changed).risks).toEqual([]);
});

function side(outputs: object | undefined) {
  return outputs && { inputs: {}, outputs };
}

/** The end of a stack's preview, as the engine tells it. */
function outputsOf(op: string, old: object | undefined, next: object | undefined) {
  const reader = new PreviewReader();
  const { urn, type } = stack(op);
  reader.see({ resOutputsEvent: { metadata: { urn, type, op, old: side(old), new: side(next) } } });
  const preview = reader.end({ exitCode: 0, text: "" });
  return buildReport(preview, { stack: "gateway", kind: "gateway" }).risks;
}

const names = { smtpIn: "smtp-in.a.test", smtp: "smtp.a.test", spfInclude: "_spf.a.test" };
const others = { smtpIn: "smtp-in.b.test", smtp: "smtp.a.test", spfInclude: "_spf.b.test" };

test("the stack's outputs tell of other names before any record does", () => {
  expect(outputsOf("same", names, others)).toEqual([
    expect.objectContaining({
      id: "gateway-renamed",
      level: "high",
      text: `The gateway would change its names: smtp-in.a.test to smtp-in.b.test, _spf.a.test to _spf.b.test. ${LEAD_NOWHERE}`,
    }),
  ]);
  expect(outputsOf("same", names, names)).toEqual([]);
  expect(outputsOf("create", undefined, names)).toEqual([]);
  expect(outputsOf("delete", names, undefined)).toEqual([]);
  // A stack of before this output.
  expect(outputsOf("same", { slots: ["a"] }, names)).toEqual([]);
});
