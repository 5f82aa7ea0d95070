/** What is told of records that someone else has changed. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { mxDrift, spfDrift } from "./dns-drift.ts";

const domain = "contoso.test";
const gateway = { preference: 10, exchange: "smtp-in.gateway.test" };
const other = { preference: 5, exchange: "mail.example.com" };
const made = "2026-11-27T00:49:08.123456Z";
const edited = "2026-11-28T10:00:00Z";

test("an MX that stands beside the gateway's, with the time at which it was made", () => {
  const present = [gateway, { ...other, created: made, modified: made }];
  expect(mxDrift(domain, [gateway], present)).toEqual({
    text: "The MX of contoso.test were changed since the last run: 5 mail.example.com. stands there since 2026-11-27 00:49:08 UTC.",
    isMissing: false,
  });
});

test("an MX that was pointed elsewhere, with the time of the edit", () => {
  const drift = mxDrift(domain, [gateway], [{ ...other, created: made, modified: edited }]);
  expect(drift?.text).toContain(
    "5 mail.example.com. stands there, last changed at 2026-11-28 10:00:00 UTC",
  );
  expect(drift?.text).toContain("10 smtp-in.gateway.test. is gone, and nothing tells since when");
  expect(drift?.isMissing).toBe(true);
});

const mx = fc.record({
  preference: fc.integer({ min: 0, max: 65_535 }),
  exchange: fc.constantFrom("a.test", "b.test", "c.test"),
});

test("there is a drift exactly where the sets differ, in whatever order", () => {
  fc.assert(
    fc.property(fc.array(mx), fc.array(mx), (expected, present) => {
      const keys = (set: typeof present) =>
        [...new Set(set.map(({ preference, exchange }) => `${preference} ${exchange}`))].toSorted();
      const same = JSON.stringify(keys(expected)) === JSON.stringify(keys(present));
      expect(mxDrift(domain, expected, present) === undefined).toBe(same);
    }),
  );
});

const spf = {
  expected: "v=spf1 include:_spf.gateway.test -all",
  terms: ["include:_spf.gateway.test"],
};

test.each([
  ["as it was left", [{ content: spf.expected }], undefined],
  ["with a term more", [{ content: "v=spf1 include:_SPF.gateway.test a -all" }], false],
  ["without the gateway's term", [{ content: "v=spf1 a -all" }], true],
  ["gone", [], true],
  ["beside a second one", [{ content: spf.expected }, { content: "v=spf1 -all" }], false],
])("an SPF record %s", (_, present, isMissing) => {
  expect(spfDrift(domain, spf, present)?.isMissing).toBe(isMissing);
});
