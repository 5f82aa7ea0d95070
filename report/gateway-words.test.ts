/** What is said of a gateway's stack, by what becomes of its hosts and stores. */
import { expect, test } from "vitest";
import { buildReport } from "./build-report.ts";
import type { SeenResource } from "./preview-reader.ts";
import { previewOf } from "./test-preview.ts";

function resource(type: string, name: string, op: string): SeenResource {
  const urn = `urn:pulumi:gateway::mail::mxhero:gateway:Gateway$${type}::${name}`;
  return { urn, type, op, changes: [], digest: `${name} ${op}` };
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
