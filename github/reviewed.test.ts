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
