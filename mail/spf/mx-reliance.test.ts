import { expect, test } from "vitest";
import { findLostSenders, suggestReplacements } from "./index.ts";
import { type ZoneName, zoneResolver } from "./testdata/zone.ts";

const zone: Readonly<Record<string, ZoneName>> = {
  "mx1.contoso.test": { A: ["192.0.2.1", "192.0.2.2"], AAAA: ["2001:db8::1"] },
  "mx2.contoso.test": { A: ["198.51.100.2"] },
  "smtp-in.gateway.test": { A: ["203.0.113.1"] },
  "_spf.contoso.test": { TXT: ["v=spf1 mx:contoso.test -all"] },
  // What DNS says of the domain itself must not matter.
  "contoso.test": {
    TXT: ["v=spf1 +all"],
    MX: [{ preference: 1, exchange: "elsewhere.test" }],
  },
};

const mx = (...exchanges: string[]) => exchanges.map((exchange) => ({ preference: 10, exchange }));

function find(record: string, nextRecord: string, more: Readonly<Record<string, ZoneName>> = {}) {
  return findLostSenders({
    domain: "Contoso.test.",
    record,
    nextRecord,
    formerMx: mx("mx1.contoso.test", "mx2.contoso.test", "mx1.contoso.test", ""),
    nextMx: mx("smtp-in.gateway.test"),
    resolver: zoneResolver({ ...zone, ...more }),
  });
}

const everyone = [
  { exchange: "mx1.contoso.test", address: "192.0.2.1" },
  { exchange: "mx1.contoso.test", address: "192.0.2.2" },
  { exchange: "mx1.contoso.test", address: "2001:db8::1" },
  { exchange: "mx2.contoso.test", address: "198.51.100.2" },
];

test.each([
  ["v=spf1 mx -all", "v=spf1 mx include:_x.test -all"],
  ["v=spf1 mx/24 ~all", "v=spf1 mx/24 ~all"],
  ["v=spf1 mx:contoso.test -all", "v=spf1 mx:contoso.test -all"],
  ["v=spf1 include:_spf.contoso.test -all", "v=spf1 include:_spf.contoso.test -all"],
  ["v=spf1 redirect=_spf.contoso.test", "v=spf1 redirect=_spf.contoso.test"],
])("%s relies on mx", async (record, nextRecord) => {
  expect(await find(record, nextRecord, { "_x.test": { TXT: ["v=spf1 -all"] } })).toEqual(everyone);
});

test("who is authorised by another term loses nothing", async () => {
  const record = "v=spf1 ip4:192.0.2.0/24 mx -all";
  expect(await find(record, record)).toEqual(everyone.slice(2));
});

test("who was not authorised before loses nothing", async () => {
  expect(await find("v=spf1 -all", "v=spf1 -all")).toEqual([]);
  expect(await find("v=spf1 ?mx -all", "v=spf1 ?mx -all")).toEqual([]);
});

test("once the MX have moved, only who is authorised by another term has anything to lose", async () => {
  const domain = "contoso.test";
  const record = "v=spf1 mx a:mx2.contoso.test -all";
  const nextMx = mx("smtp-in.gateway.test");
  const lost = await findLostSenders({
    domain,
    record,
    nextRecord: "v=spf1 mx -all",
    formerMx: mx("mx1.contoso.test", "mx2.contoso.test"),
    presentMx: nextMx,
    nextMx,
    resolver: zoneResolver(zone),
  });
  expect(lost).toEqual(everyone.slice(3));
});

test("the suggested terms give everyone back what the move takes", async () => {
  const lost = await find("v=spf1 mx -all", "v=spf1 mx -all");
  const terms = suggestReplacements(lost);
  expect(terms).toEqual(["a:mx1.contoso.test", "a:mx2.contoso.test"]);
  expect(await find("v=spf1 mx -all", `v=spf1 mx ${terms.join(" ")} -all`)).toEqual([]);
});

test("an exchange without addresses sends nothing", async () => {
  expect(await find("v=spf1 mx -all", "v=spf1 -all", { "mx1.contoso.test": {} })).toEqual(
    everyone.slice(3),
  );
});

test("where DNS gives no answer, nobody knows", async () => {
  const unknown = expect.objectContaining({ code: "spf-mx-reliance-unknown" });
  const failing = { "mx2.contoso.test": { failure: "servfail" } } as const;
  await expect(find("v=spf1 mx -all", "v=spf1 mx -all", failing)).rejects.toThrow(unknown);
  const include = "v=spf1 include:x.test mx -all";
  const silent = { "x.test": { failure: "timeout" } } as const;
  await expect(find(include, include, silent)).rejects.toThrow(unknown);
});
