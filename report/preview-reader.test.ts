/** What is kept of a preview: no secret, nothing raw, and a digest of exactly what would be done. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { buildReport } from "./build-report.ts";
import { PreviewReader } from "./preview-reader.ts";
import { SECRET, UNKNOWN } from "./stack-report.ts";
import {
  type Change,
  componentValues,
  eventOf,
  mxValues,
  reportOf,
  saidOf,
  spfValues,
} from "./test-events.ts";

const CONTEXT = { stack: "contoso", kind: "tenant" } as const;
const UNKNOWN_ON_WIRE = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

function previewOf(events: readonly unknown[]) {
  const reader = new PreviewReader();
  for (const event of events) reader.see(event);
  return reader.end({ exitCode: 0, text: "" });
}

function digestOf(events: readonly unknown[]): string {
  return buildReport(previewOf(events), CONTEXT).changeDigest;
}

test("debug events, and properties that a report does not need, are not kept", () => {
  const secret = "correct-horse-battery-staple";
  const event = eventOf("mx", {
    new: mxValues({ credential: secret, whatever: { deep: secret } }),
  });
  const preview = previewOf([
    saidOf("mx", "debug", `RegisterResource: ${secret}`),
    { diagnosticEvent: { severity: "debug", message: secret } },
    { somethingNewEvent: { value: secret } },
    secret,
    null,
    event,
  ]);
  expect(JSON.stringify(preview)).not.toContain(secret);
  expect(preview.resources).toHaveLength(1);
});

test("what is masked or not known yet is shown as that", () => {
  const report = reportOf({
    component: {
      new: componentValues({ inboundPath: { before: UNKNOWN_ON_WIRE, after: SECRET } }),
    },
    mx: { new: mxValues({ before: UNKNOWN_ON_WIRE, former: UNKNOWN_ON_WIRE, after: SECRET }) },
    spf: {
      new: spfValues({
        before: UNKNOWN_ON_WIRE,
        after: SECRET,
        lookups: UNKNOWN_ON_WIRE,
        lookupsByTerm: UNKNOWN_ON_WIRE,
      }),
    },
  });
  const [domain] = report.domains;
  expect(domain).toMatchObject({
    inboundPath: { before: UNKNOWN, after: SECRET },
    mx: { before: [UNKNOWN], after: [SECRET] },
    spf: { before: UNKNOWN, after: SECRET },
  });
  expect(JSON.stringify(report)).not.toContain(UNKNOWN_ON_WIRE);
});

const CHANGED: readonly unknown[] = [
  eventOf("component", { old: componentValues(), new: componentValues() }),
  eventOf("mx", { old: mxValues(), new: mxValues({ bypass: true }) }),
  eventOf("spf", { old: spfValues(), new: spfValues({ after: "v=spf1 -all" }) }),
];

test("the digest does not depend on the order of events, on keys, or on what only tells of the world", () => {
  const digest = digestOf(CHANGED);
  expect(digest).toMatch(/^[0-9a-f]{64}$/);
  fc.assert(
    fc.property(fc.shuffledSubarray([...CHANGED], { minLength: CHANGED.length }), (events) => {
      expect(digestOf(events)).toBe(digest);
      expect(digestOf(events.map(withKeysReversed))).toBe(digest);
    }),
  );
  const counted = eventOf("spf", {
    old: spfValues(),
    new: spfValues({ after: "v=spf1 -all", lookups: 5 }),
    differs: ["after"],
  });
  const other = eventOf("spf", {
    old: spfValues(),
    new: spfValues({ after: "v=spf1 -all", lookups: 6 }),
    differs: ["after"],
  });
  expect(digestOf([counted])).toBe(digestOf([other]));
});

function withKeysReversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withKeysReversed);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([key, each]) => [key, withKeysReversed(each)]),
  );
}

const mx = (old: object, next: object, extra: Partial<Change> = {}) =>
  eventOf("mx", { old: mxValues({ ...old }), new: mxValues({ ...next }), ...extra });

test.each<[string, unknown, unknown]>([
  ["another value", mx({}, { bypass: true }), mx({}, { overlapSeconds: 10 })],
  [
    "another goal of the same property",
    mx({}, { overlapSeconds: 10 }),
    mx({}, { overlapSeconds: 20 }),
  ],
  ["another operation", mx({}, {}, { op: "update" }), mx({}, {}, { op: "replace" })],
  [
    "another domain",
    eventOf("mx", { new: mxValues() }, "a.test"),
    eventOf("mx", { new: mxValues() }, "b.test"),
  ],
  [
    "a delete of what is something else by now",
    eventOf("mx", { old: mxValues() }),
    eventOf("mx", { old: mxValues({ before: [] }) }),
  ],
  ["a property that the report does not show", mx({}, { zoneId: "a" }), mx({}, { zoneId: "b" })],
])("the digest differs: %s", (_, one, other) => {
  expect(digestOf([one])).not.toBe(digestOf([other]));
});

test("a stack in which nothing changes has the digest of nothing", () => {
  expect(digestOf([mx({}, {})])).toBe(digestOf([]));
});
