import { expect, test } from "vitest";
import type { Resolver } from "../dns.ts";
import { describeBudget, measureBudget, SpfSyntaxError } from "./index.ts";
import { type ZoneName, zoneResolver } from "./testdata/zone.ts";

type Zone = Readonly<Record<string, ZoneName>>;

const zone: Zone = {
  "contoso.test": { MX: [{ preference: 10, exchange: "mx1.contoso.test" }], A: ["192.0.2.1"] },
  "mx1.contoso.test": { A: ["192.0.2.2"] },
  "_spf.google.test": {
    TXT: ["v=spf1 include:n1.google.test include:n2.google.test include:n3.google.test ~all"],
  },
  "n1.google.test": { TXT: ["v=spf1 ip4:198.51.100.0/24 ~all"] },
  "n2.google.test": { TXT: ["v=spf1 ip4:198.51.100.0/24 ~all"] },
  "n3.google.test": { TXT: ["v=spf1 ip4:198.51.100.0/24 ~all"] },
  "spf.outlook.test": { TXT: ["v=spf1 redirect=spf2.outlook.test", "MS=ms12345678"] },
  "spf2.outlook.test": { TXT: ["v=spf1 ip4:203.0.113.0/24 -all"] },
};

function measure(record: string, more: Zone = {}, domain = "contoso.test") {
  return measureBudget({ domain, record, resolver: zoneResolver({ ...zone, ...more }) });
}

test("lookups are counted over the whole tree, by term", async () => {
  const record =
    "v=spf1 mx ip4:192.0.2.0/24 include:spf.outlook.test ~include:_spf.google.test -all";
  const budget = await measure(record);
  expect(budget).toEqual({
    lookups: 7,
    voidLookups: 0,
    size: record.length,
    terms: [
      { term: "mx", lookups: 1, children: [] },
      {
        term: "include:spf.outlook.test",
        lookups: 2,
        children: [{ term: "redirect=spf2.outlook.test", lookups: 1, children: [] }],
      },
      {
        term: "~include:_spf.google.test",
        lookups: 4,
        children: [
          { term: "include:n1.google.test", lookups: 1, children: [] },
          { term: "include:n2.google.test", lookups: 1, children: [] },
          { term: "include:n3.google.test", lookups: 1, children: [] },
        ],
      },
    ],
    problems: [],
  });
  expect(describeBudget(budget)).toBe(
    "7 of 10 lookups: ~include:_spf.google.test 4, include:spf.outlook.test 2, mx 1",
  );
});

test("a record without lookups is described, too", async () => {
  expect(describeBudget(await measure("v=spf1 ip4:192.0.2.1 -all"))).toBe("0 of 10 lookups");
});

test.each([
  ["v=spf1 a mx ptr exists:contoso.test include:n1.google.test redirect=n2.google.test", 6],
  ["v=spf1 redirect=n2.google.test a", 2],
  ["v=spf1 a -all mx include:_spf.google.test", 1],
  ["v=spf1 a redirect=_spf.google.test ?all", 1],
  ["v=spf1 exp=why.test include:n1.google.test include:n1.google.test -all", 2],
  ["v=spf1 include:%{d2}.google.test", 1],
])("%s uses %i", async (record, lookups) => {
  expect((await measure(record)).lookups).toBe(lookups);
});

test("macros that every message shares are expanded", async () => {
  const budget = await measure("v=spf1 include:%{d}.google.test -all", {
    "contoso.test.google.test": { TXT: ["v=spf1 a:%{o} include:_x.%{d}"] },
    "_x.contoso.test.google.test": { TXT: ["v=spf1"] },
  });
  expect(budget).toMatchObject({ lookups: 3, voidLookups: 0, problems: [] });
});

test("an include that differs by message is counted, and said to be", async () => {
  expect(
    await measure("v=spf1 include:%{ir}.%{v}.%{d}.spf.has.test exists:%{i}.x.test -all"),
  ).toMatchObject({
    lookups: 2,
    voidLookups: 0,
    problems: [{ code: "spf-depends-on-message", severity: "hint", where: "contoso.test" }],
  });
});

test("over ten lookups, the problem says who uses how many", async () => {
  const record = "v=spf1 include:_spf.google.test include:_spf.google.test a mx ptr -all";
  const { lookups, problems } = await measure(record);
  expect(lookups).toBe(11);
  expect(problems).toEqual([
    expect.objectContaining({
      code: "spf-lookups-over-limit",
      severity: "error",
      where: "contoso.test",
      problem: expect.stringContaining(
        "11 of 10 lookups: include:_spf.google.test 4, include:_spf.google.test 4, a 1, mx 1, ptr 1",
      ),
    }),
  ]);
});

test("ten lookups and two voids are within the limits", async () => {
  const ten = await measure("v=spf1 include:_spf.google.test include:_spf.google.test a mx -all");
  expect(ten).toMatchObject({ lookups: 10, problems: [] });
  expect(await measure("v=spf1 a:x.test exists:y.test -all")).toMatchObject({
    voidLookups: 2,
    problems: [],
  });
});

test("names without records are void lookups", async () => {
  const more: Zone = {
    "v6.test": { AAAA: ["2001:db8::1"] },
    "dead.test": { MX: [{ preference: 1, exchange: "gone.test" }] },
    "null.test": { MX: [{ preference: 0, exchange: "" }] },
  };
  const record =
    "v=spf1 a:x.test a:v6.test mx:dead.test mx:null.test mx:x.test exists:v6.test mx:a..b.test -all";
  expect(await measure(record, more)).toMatchObject({
    voidLookups: 4,
    problems: [{ code: "spf-void-lookups-over-limit", severity: "error", where: "contoso.test" }],
  });
});

test.each<[string, string, Zone]>([
  ["spf-nested-record-missing", "include:gone.test", {}],
  ["spf-nested-record-missing", "redirect=b.test", { "b.test": { TXT: ["no SPF here"] } }],
  ["spf-nested-records-several", "include:b.test", { "b.test": { TXT: ["v=spf1 a", "v=spf1"] } }],
  ["spf-nested-syntax", "include:b.test", { "b.test": { TXT: ["v=spf1 include:"] } }],
  ["spf-dns-unanswered", "include:b.test", { "b.test": { failure: "servfail" } }],
  ["spf-dns-unanswered", "a:b.test", { "b.test": { failure: "timeout" } }],
  ["spf-loop", "include:contoso.test", {}],
  ["spf-loop", "include:b.test", { "b.test": { TXT: ["v=spf1 redirect=CONTOSO.test."] } }],
])("%s: %s", async (code, term, more) => {
  const { problems, voidLookups } = await measure(`v=spf1 ${term}`, more);
  expect(voidLookups).toBe(term.endsWith("gone.test") ? 1 : 0);
  expect(problems).toEqual([expect.objectContaining({ code, severity: "error" })]);
});

test("a fault deep in the tree names the record that has it", async () => {
  const { problems } = await measure("v=spf1 include:b.test -all", {
    "b.test": { TXT: ["v=spf1 include:c.test"] },
    "c.test": { TXT: ["v=spf1 include:b.test include:gone.test"] },
  });
  expect(problems).toEqual([
    expect.objectContaining({
      code: "spf-loop",
      where: "c.test",
      problem: expect.stringContaining("b.test → c.test → b.test"),
    }),
    expect.objectContaining({
      code: "spf-nested-record-missing",
      where: "c.test",
      value: "include:gone.test",
    }),
  ]);
});

test("more than ten exchanges are a problem", async () => {
  const MX = Array.from({ length: 11 }, () => ({ preference: 1, exchange: "mx1.contoso.test" }));
  const { problems } = await measure("v=spf1 mx:b.test", { "b.test": { MX } });
  expect(problems).toEqual([expect.objectContaining({ code: "spf-exchanges-over-limit" })]);
});

test("a tree without end is not followed without end", async () => {
  let queries = 0;
  const resolver: Resolver = (name, type) => {
    queries += 1;
    const endless = { [name]: { TXT: ["v=spf1 include:a.%{d} include:b.%{d}"] } };
    return zoneResolver(endless)(name, type);
  };
  const budget = await measureBudget({
    domain: "b.test",
    record: "v=spf1 include:a.test",
    resolver,
  });
  expect(budget.problems[0]?.code).toBe("spf-lookups-over-limit");
  expect(queries).toBeLessThan(200);
});

test("the answer's size counts the domain's other TXT records (RFC 1035, section 4)", async () => {
  // 12 for the header, 14 + 4 for the question, and 12 + 1 a record besides its text.
  const record = "v=spf1 -all";
  const room = 512 - (12 + 14 + 4) - (12 + 1 + record.length) - (12 + 2);
  const besides = (text: string) =>
    measure(record, { "contoso.test": { TXT: [text, "v=spf1 mx"] } });
  expect((await besides("x".repeat(room))).problems).toEqual([]);
  expect((await besides("x".repeat(room + 1))).problems).toEqual([
    expect.objectContaining({
      code: "spf-answer-size",
      severity: "hint",
      problem: expect.stringContaining("513"),
    }),
  ]);
});

test("a record that is no SPF is refused", async () => {
  await expect(measure("v=spf1 include:")).rejects.toThrow(SpfSyntaxError);
});
