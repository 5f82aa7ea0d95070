/** Whose turn it is after a merge. */
import { expect, test } from "vitest";
import { type Due, refuseTooMany, refuseUnreported, turnsOf } from "./turns.ts";

const report = (stack: string, changes: Partial<Due> = {}): Due => ({
  stack,
  kind: "tenant",
  status: "changed",
  ...changes,
});

test("gateways and tenants have a turn of their own; what is unchanged or removed has none", () => {
  const all = [
    report("contoso"),
    report("gateway", { kind: "gateway" }),
    report("fabrikam", { status: "unchanged" }),
    report("left"),
    report("broken", { status: "failed" }),
  ];
  expect(turnsOf(all, (stack) => stack !== "left")).toEqual({
    gateways: ["gateway"],
    tenants: ["contoso", "broken"],
    removed: ["left"],
  });
});

test("a stack whose own file has changed has its turn, whatever its preview saw", () => {
  const all = [
    report("contoso", { status: "unchanged" }),
    report("fabrikam", { status: "unchanged" }),
    report("gateway", { kind: "gateway", status: "unchanged" }),
  ];
  expect(turnsOf(all, () => true, new Set(["contoso", "gateway"]))).toEqual({
    gateways: ["gateway"],
    tenants: ["contoso"],
    removed: [],
  });
});

const isPresent = (stack: string) => stack !== "gone";
const names = (count: number) => Array.from({ length: count }, (_, index) => `stack-${index}`);

test("a stack with a file that the push changes and no report stops the merge, a removed one does not", () => {
  const all = [report("contoso", { status: "unchanged" })];
  const refuse = (...touched: string[]) => refuseUnreported(all, isPresent, new Set(touched));
  expect(() => refuse()).not.toThrow();
  expect(() => refuse("contoso", "gone")).not.toThrow();
  expect(() => refuse("contoso", "fabrikam")).toThrow(
    expect.objectContaining({ code: "not-reviewed", where: "stacks/Pulumi.fabrikam.yaml" }),
  );
});

test.each(["gateways", "tenants"])(
  "more %s than a matrix takes are refused before any has begun",
  (kind) => {
    const none = { gateways: ["gateway"], tenants: ["contoso"], removed: [] };
    expect(() => refuseTooMany({ ...none, [kind]: names(256) })).not.toThrow();
    expect(() => refuseTooMany({ ...none, [kind]: names(257) })).toThrow(
      expect.objectContaining({ code: "too-many-stacks", value: "257" }),
    );
  },
);
