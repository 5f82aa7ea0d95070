/** One direction comes or goes while the other still needs the `Drain`. */
import { expect, test } from "vitest";
import { buildReport } from "./build-report.ts";
import type { SeenResource } from "./preview-reader.ts";
import { partOf, previewOf } from "./test-preview.ts";

const DAY = 86_400;
const store = { table: "routes" };

/** Whoever sends by a way has a step with which that ends, and one with which it begins. */
function side(inbound: string, outbound: string) {
  const ways = [...(inbound === "loopback" ? ["in"] : []), ...(outbound === "none" ? [] : ["out"])];
  const steps = (verb: string, when: string) => ways.map((way) => [`1. ${when}: ${verb} ${way}`]);
  return {
    report: { name: "contoso.test", inbound, outbound, gateway: "in.gateway.test" },
    steps: {
      onboarding: steps("switch on", "Before pulumi up"),
      offboarding: steps("switch off", "Before pulumi destroy"),
    },
  };
}

type Way = readonly [inbound: string, outbound: string];

function reportOf(was: Way, will: Way, ...others: readonly SeenResource[]) {
  const component = partOf("component", { op: "same", old: side(...was), new: side(...will) });
  const { domains } = buildReport(previewOf([component, ...others]), {
    stack: "contoso",
    kind: "tenant",
  });
  return domains[0];
}

const drained = { quietSeconds: DAY, store };
const drain = partOf("drain", { changes: ["relay"], old: drained, new: drained });
const route = partOf("route", { changes: ["outbound"], old: {}, new: {} });

const ENDS = [
  [
    "mail from it",
    ["loopback", "standard"],
    ["loopback", "none"],
    "Mail from contoso.test no longer passes through the gateway, which refuses it after the run.",
    "Before the run: switch off out",
  ],
  [
    "mail to it",
    ["loopback", "standard"],
    ["none", "standard"],
    "Mail to contoso.test is no longer handed to the gateway, which refuses it after the run.",
    "Before the run: switch off in",
  ],
] as const;

test.each(ENDS)("%s leaves the gateway alone", (_, was, will, summary, step) => {
  const report = reportOf(was, will, drain, route);
  expect(report).toMatchObject({ change: "direction", summary, steps: [[step]] });
  expect(report?.duration).toContainEqual(
    expect.stringMatching(/^It waits until none of the mail .* for 1 day\. If some still does/),
  );
});

test.each([
  ["from", ["loopback", "none"], ["loopback", "standard"], "switch on out"],
  ["to", ["none", "standard"], ["loopback", "standard"], "switch on in"],
] as const)("mail %s it comes onto the gateway beside the other", (way, was, will, step) => {
  const report = reportOf(was, will, drain, route);
  expect(report).toMatchObject({ change: "direction", steps: [[`Before the run: ${step}`]] });
  expect(report?.summary).toContain(`Mail ${way} contoso.test`);
  expect(report?.duration.join(" ")).not.toContain("It waits");
});

test("where the mail system hands mail over, a Drain is none of the mail from the domain", () => {
  const made = partOf("drain", { op: "create", new: drained });
  const gone = partOf("mx", { op: "delete", old: { before: [] } });
  const comes = partOf("mx", { op: "create", new: {} });
  const ends = partOf("drain", { op: "delete", old: drained });
  expect(reportOf(["none", "none"], ["loopback", "none"], made)?.summary).toBe(
    "Mail to contoso.test still arrives at its mail system, which then passes it through the gateway.",
  );
  expect(reportOf(["border", "none"], ["loopback", "none"], made, gone)?.summary).toBe(
    "Mail to contoso.test no longer arrives at the gateway, but straight at the domain's own address; its mail system then passes it through the gateway.",
  );
  expect(reportOf(["loopback", "none"], ["border", "none"], ends, comes)?.summary).toBe(
    "Mail to contoso.test will arrive at the gateway first.",
  );
});

test("another way of mail that still passes the gateway is no direction", () => {
  expect(reportOf(["loopback", "standard"], ["loopback", "loopback"], route)?.change).toBe("other");
});
