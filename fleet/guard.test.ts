/** What must hold before anything is done. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { ChangeKind, StackReport, StackStatus } from "../report/stack-report.ts";
import { boundFaults } from "./guard.ts";

function report(
  stack: string,
  status: StackStatus,
  changes: readonly ChangeKind[] = [],
): StackReport {
  const domains = changes.map((change, index) => ({
    domain: `${index}.${stack}.test`,
    displayName: `${index}.${stack}.test`,
    change,
    summary: "",
    settings: [],
    notices: [],
    duration: [],
    steps: [],
    risks: [],
    isFromState: false,
    unread: [],
  }));
  const empty = { isDestroyed: false, summary: "", faults: [], risks: [], technical: [] };
  return { stack, kind: "tenant", status, domains, changeDigest: `${stack} ${status}`, ...empty };
}

test("so many domains may leave, counted over all stacks, and no more", () => {
  const stacks = fc.array(fc.array(fc.constantFrom<ChangeKind>("offboard", "onboard", "bypass")));
  fc.assert(
    fc.property(stacks, fc.nat({ max: 10 }), (all, offboardAtMost) => {
      const leaving = all.flat().filter((change) => change === "offboard").length;
      const reports = all.map((changes, index) => report(`s${index}`, "changed", changes));
      const codes = boundFaults(reports, { offboardAtMost }).map(({ code }) => code);
      expect(codes).toEqual(leaving > offboardAtMost ? ["too-many-offboarded"] : []);
    }),
  );
});

test.each<[string, StackReport, StackReport | undefined, boolean]>([
  ["as reviewed", report("a", "changed"), report("a", "changed"), true],
  ["nothing to do any more", report("a", "unchanged"), report("a", "changed"), true],
  ["not reviewed", report("a", "changed"), undefined, false],
  [
    "another change",
    { ...report("a", "changed"), changeDigest: "x" },
    report("a", "changed"),
    false,
  ],
  ["it fails now", report("a", "failed"), report("a", "changed"), false],
  ["it failed before", report("a", "changed"), report("a", "failed"), false],
])("a stack is compared with its review: %s", (_, now, before, isFree) => {
  const reviewed = new Map(before === undefined ? [] : [["a", before]]);
  const codes = boundFaults([now], { offboardAtMost: 1, reviewed }).map(({ code }) => code);
  expect(codes).toEqual(isFree ? [] : ["not-as-reviewed"]);
});
