/** What a refresh finds, told apart by where it was changed. Events as the engine gives them. */
import { expect, test } from "vitest";
import { DriftReader } from "./drift-reader.ts";
import { storedResources } from "./stored-resources.ts";

interface Kept {
  readonly type: string;
  readonly name: string;
  readonly domain?: string;
}

const parts = {
  mx: { type: "mxhero:index:MxTakeover", name: "mx", domain: "a.test" },
  spf: { type: "mxhero:index:SpfInclude", name: "spf", domain: "a.test" },
  route: { type: "mxhero:index:Route", name: "route", domain: "a.test" },
  drain: { type: "mxhero:index:Drain", name: "drain", domain: "a.test" },
  bucket: { type: "aws:s3/bucket:Bucket", name: "bucket" },
  // An Elastic IP has a "domain", too: it is no mail's.
  address: { type: "aws:ec2/eip:Eip", name: "address", domain: "vpc" },
} satisfies Record<string, Kept>;
const component = { type: "mxhero:tenant:Tenant", name: "tenant" };

const urnOf = ({ type, name }: Kept) => `urn:pulumi:s::mail::mxhero:tenant:Tenant$${type}::${name}`;

/** As `pulumi stack export` has them. */
function state(...kept: readonly Kept[]): string {
  return stateWith([], kept);
}

/** @param pending what a run has begun to change */
function stateWith(pending: readonly Kept[], kept: readonly Kept[]): string {
  const resources = kept.map((each) => ({
    urn: urnOf(each),
    type: each.type,
    custom: each !== component,
    outputs: { domain: each.domain },
  }));
  const pending_operations = pending.map((each) => {
    return { type: "updating", resource: { urn: urnOf(each), type: each.type } };
  });
  return JSON.stringify({ version: 3, deployment: { resources, pending_operations } });
}

function looked(kept: Kept, op: string, diffs: readonly string[] = []): unknown {
  const { type } = kept;
  const old = { outputs: { domain: kept.domain } };
  return { resOutputsEvent: { metadata: { op, urn: urnOf(kept), type, old, diffs } } };
}

function said(kept: Kept | undefined, severity: string, message: string): unknown {
  return {
    diagnosticEvent: { severity, message, ...(kept === undefined ? {} : { urn: urnOf(kept) }) },
  };
}

/** Each finding as `<domain or stack> <status> <id>: <text>`. */
function found(text: string, events: readonly unknown[], failure?: string): string[] {
  const reader = new DriftReader(storedResources(text));
  for (const event of events) reader.see(event);
  const { checks, domains } = reader.end(failure);
  return [["stack", checks] as const, ...domains].flatMap(([where, all]) =>
    all.map((check) => `${where} ${check.status} ${check.id}: ${check.text}`),
  );
}

test.each<[keyof typeof parts, string]>([
  ["mx", "a.test wrong dns-changed: mx is not as the last run left it: mx[0]."],
  ["spf", "a.test wrong dns-changed: spf is not as the last run left it: mx[0]."],
  ["route", "a.test wrong route-changed: route is not as the last run left it: mx[0]."],
  ["drain", "a.test wrong route-changed: drain is not as the last run left it: mx[0]."],
  ["bucket", "stack wrong gateway-changed: bucket is not as the last run left it: mx[0]."],
  ["address", "stack wrong gateway-changed: address is not as the last run left it: mx[0]."],
])("%s that differs", (part, text) => {
  const kept = parts[part];
  expect(found(state(kept), [looked(kept, "update", ["mx[0]"])])).toEqual([text]);
});

test.each<[keyof typeof parts, string]>([
  ["mx", "a.test well dns-changed: The records are as the last run left them."],
  ["route", "a.test well route-changed: The route store has what the last run told it."],
  ["bucket", "stack well gateway-changed: The gateway is as the last run left it."],
])("%s that is as it was", (part, text) => {
  const kept = parts[part];
  expect(found(state(kept), [looked(kept, "same")])).toEqual([text]);
  expect(found(state(kept), [looked(kept, "refresh")])).toEqual([text]);
});

test("what is gone is wrong, and the provider's own words come first", () => {
  const { bucket, mx } = parts;
  expect(found(state(bucket), [looked(bucket, "delete")])).toEqual([
    "stack wrong gateway-changed: bucket is gone.",
  ]);
  const warned = [said(mx, "warning", "10 b.test stands there.\n"), looked(mx, "update")];
  expect(found(state(mx), warned)).toEqual(["a.test wrong dns-changed: 10 b.test stands there."]);
});

test.each<[keyof typeof parts, string]>([
  ["spf", "a.test unread dns-changed: no answer"],
  ["drain", "a.test unread route-changed: no answer"],
  ["address", "stack unread gateway-changed: no answer"],
])("%s that could not be read", (part, text) => {
  const kept = parts[part];
  const events = [said(kept, "error", "no answer"), said(undefined, "error", "refresh failed")];
  expect(found(state(kept), events, "ended with 255")).toEqual([text]);
});

test("what a run is changing just now is not said to differ", () => {
  const { mx, spf } = parts;
  const events = [looked(mx, "update", ["mx[0]"]), looked(spf, "update", ["mx[0]"])];
  expect(found(stateWith([mx], [mx, spf]), events)).toEqual([
    expect.stringMatching(/^a\.test unread dns-changed: A run is changing it/),
    expect.stringMatching(/^a\.test wrong dns-changed: spf is not/),
  ]);
});

test("what no event speaks of was not looked at, also where the run ended well", () => {
  const { mx, spf, route, bucket } = parts;
  const other = { ...mx, name: "other", domain: "b.test" };
  const all = state(mx, spf, route, other, bucket, component);
  const events = [looked(mx, "same"), said(spf, "error", "no answer")];
  const passedOver = "It was not looked at: the run had ended before its turn.";
  const expected = [
    `stack unread gateway-changed: ${passedOver}`,
    "a.test well dns-changed: The records are as the last run left them.",
    "a.test unread dns-changed: no answer",
    `a.test unread route-changed: ${passedOver}`,
    `b.test unread dns-changed: ${passedOver}`,
  ];
  expect(found(all, events, "ended with 255").toSorted()).toEqual(expected.toSorted());
  expect(found(all, events).toSorted()).toEqual(expected.toSorted());
});

test("a run that failed without an event: its own text, and every domain is unread", () => {
  expect(found(state(parts.mx), [], "no stack named 's' found")).toEqual([
    "stack unread state: no stack named 's' found",
    "a.test unread dns-changed: It was not looked at: the run had ended before its turn.",
  ]);
});

test("components are not looked at in the world, and a stack may be empty", () => {
  expect(found(state(component), [looked(component, "same")])).toEqual([]);
  expect(storedResources('{"version":3,"deployment":null}')).toEqual([]);
});
