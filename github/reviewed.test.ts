/** Whose turn it is after a merge. */
import { expect, test } from "vitest";
import { type Due, turnsOf } from "./reviewed.ts";

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
