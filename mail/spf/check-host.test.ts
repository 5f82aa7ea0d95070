import { expect, test } from "vitest";
import type { Resolver } from "../dns.ts";
import { checkHost } from "./index.ts";
import { type ZoneName, zoneResolver } from "./testdata/zone.ts";

type Zone = Readonly<Record<string, ZoneName>>;

interface Message {
  readonly ip?: string;
  readonly domain?: string;
  readonly sender?: string;
}

function check(zone: Zone, { ip = "192.0.2.1", domain = "contoso.test", sender }: Message = {}) {
  const from = sender ?? `a@${domain}`;
  return checkHost({ ip, domain, sender: from, resolver: zoneResolver(zone) });
}

const spf = (record: string): Zone => ({ "contoso.test": { TXT: [record] } });

test("international domain names are looked up in A-labels", async () => {
  const zone: Zone = {
    "xn--bcher-kva.test": { TXT: ["v=spf1 exists:%{d}.%{o}.list.test -all"] },
    "xn--bcher-kva.test.xn--bcher-kva.test.list.test": { A: ["127.0.0.2"] },
  };
  for (const domain of ["bücher.test", "BÜCHER.test.", "xn--bcher-kva.test"]) {
    expect(await check(zone, { domain })).toEqual({ result: "pass" });
  }
  expect(await check(zone, { domain: "ü ü.test" })).toEqual({ result: "none" });
});

test("a local-part outside ASCII matches no name (RFC 8616, section 4)", async () => {
  const zone: Zone = {
    ...spf("v=spf1 exists:%{l}.users.test -all"),
    "jürgen.users.test": { A: ["127.0.0.2"] },
  };
  expect(await check(zone, { sender: "jürgen@contoso.test" })).toEqual({ result: "fail" });
});

test("a sender without local-part is postmaster (section 4.3)", async () => {
  const zone: Zone = {
    ...spf("v=spf1 exists:%{l}.%{o}.users.test -all"),
    "postmaster.contoso.test.users.test": { A: ["127.0.0.2"] },
  };
  for (const sender of ["", "@contoso.test", "contoso.test"]) {
    expect(await check(zone, { sender })).toEqual({ result: "pass" });
  }
});

test("a domain that is no domain name has no result", async () => {
  const long = `${"a.".repeat(125)}test`;
  const labels = ["a..test", `${"a".repeat(64)}.test`];
  for (const domain of ["", "localhost", "[192.0.2.1]", long, ...labels]) {
    expect(await check({}, { domain })).toEqual({ result: "none" });
  }
});

test("what is no address is refused", async () => {
  for (const ip of [
    "",
    "192.0.2",
    "0x7f.1",
    "192.0.2.1/24",
    "fe80::1%eth0",
    "::1::",
    "192.0.2.01",
  ]) {
    await expect(check({}, { ip })).rejects.toThrow(TypeError);
  }
});

test.each<[string, Zone, string]>([
  ["no answer", { "contoso.test": { failure: "timeout" } }, "TXT of contoso.test"],
  [
    "a broken server",
    { ...spf("v=spf1 a:b.test"), "b.test": { failure: "servfail" } },
    "A of b.test",
  ],
])("temperror says why: %s", async (_name, zone, problem) => {
  expect(await check(zone)).toEqual({
    result: "temperror",
    problem: expect.stringContaining(problem),
  });
});

test.each<[string, Zone, string]>([
  ["two records", { "contoso.test": { TXT: ["v=spf1 a", "v=spf1 mx"] } }, "2 SPF records"],
  ["syntax", spf("v=spf1 -all a:192.0.2.1"), "ip4:192.0.2.1"],
  ["include of nothing", spf("v=spf1 include:gone.test"), "gone.test, which has no SPF record"],
  ["redirect to nothing", spf("v=spf1 redirect=gone.test"), "gone.test, which has no SPF record"],
  ["eleven lookups", spf(`v=spf1${" ptr:b.test".repeat(11)}`), "one lookup more than the 10"],
  ["a loop", spf("v=spf1 include:contoso.test"), "one lookup more than the 10"],
  ["three voids", spf("v=spf1 a:x.test mx:y.test exists:z.test -all"), "z.test"],
])("permerror says why: %s", async (_name, zone, problem) => {
  expect(await check({ ...zone, "1.2.0.192.in-addr.arpa": { PTR: ["b.test"] } })).toEqual({
    result: "permerror",
    problem: expect.stringContaining(problem),
  });
});

test("an address that the host lacks in the client's family is a void lookup", async () => {
  const zone: Zone = {
    ...spf("v=spf1 a:x.test a:y.test a:z.test -all"),
    "x.test": { A: ["192.0.2.9"] },
    "y.test": { A: ["192.0.2.9"] },
    "z.test": { A: ["192.0.2.9"] },
  };
  expect(await check(zone)).toEqual({ result: "fail" });
  expect(await check(zone, { ip: "2001:db8::1" })).toMatchObject({ result: "permerror" });
});

test("of reverse DNS, only the PTR query is a void lookup", async () => {
  const zone = { ...spf("v=spf1 ptr:b.test ptr:b.test -all"), "b.test": {} };
  const voids = spf("v=spf1 ptr:b.test ptr:b.test ptr:b.test -all");
  const names: Zone = {
    "1.2.0.192.in-addr.arpa": { PTR: ["b.test", "b.test", "b.test", "b.test"] },
  };
  expect(await check(zone)).toEqual({ result: "fail" });
  expect(await check(voids)).toMatchObject({ result: "permerror" });
  expect(await check({ ...voids, ...names, "b.test": {} })).toEqual({ result: "fail" });
});

test("reverse DNS is asked once, however many macros need it", async () => {
  const asked: string[] = [];
  const answers = zoneResolver(spf(`v=spf1 exists:${"%{p}.".repeat(20)}test ptr -all`));
  const resolver: Resolver = (name, type) => {
    asked.push(`${type} ${name}`);
    return answers(name, type);
  };
  const sender = "a@contoso.test";
  await checkHost({ ip: "192.0.2.1", domain: "contoso.test", sender, resolver });
  expect(asked.filter((query) => query === "PTR 1.2.0.192.in-addr.arpa")).toHaveLength(1);
});

test("ten MX records are looked at, eleven are a permerror", async () => {
  const exchange = { preference: 1, exchange: "mx.contoso.test" };
  const zone = (count: number): Zone => ({
    "contoso.test": { TXT: ["v=spf1 mx -all"], MX: Array.from({ length: count }, () => exchange) },
    "mx.contoso.test": { A: ["192.0.2.7"] },
  });
  expect(await check(zone(10))).toEqual({ result: "fail" });
  expect(await check(zone(11))).toMatchObject({
    result: "permerror",
    problem: expect.stringContaining("11 MX records"),
  });
});

test("the receiver's name is in the explanation, else unknown (section 7.3)", async () => {
  const zone: Zone = {
    ...spf("v=spf1 -all exp=why.test"),
    "why.test": { TXT: ["Ask %{r}, %{h}."] },
  };
  const message = { ip: "192.0.2.1", domain: "contoso.test", sender: "a@contoso.test" };
  const resolver = zoneResolver(zone);
  expect(await checkHost({ ...message, resolver, receiver: "in.test", helo: "out.test" })).toEqual({
    result: "fail",
    explanation: "Ask in.test, out.test.",
  });
  expect(await checkHost({ ...message, resolver })).toMatchObject({
    explanation: "Ask unknown, unknown.",
  });
});

test("only a fail is explained (section 6.2)", async () => {
  const why: Zone = { "why.test": { TXT: ["No."] } };
  expect(await check({ ...why, ...spf("v=spf1 -all exp=why.test") })).toHaveProperty("explanation");
  expect(await check({ ...why, ...spf("v=spf1 ~all exp=why.test") })).toEqual({
    result: "softfail",
  });
});

/** The client has these names; all that exist are its own. */
function named(...PTR: string[]): Zone {
  return {
    ...spf("v=spf1 ptr:b.test -all"),
    "1.2.0.192.in-addr.arpa": { PTR },
    "notb.test": { A: ["192.0.2.1"] },
    "a.b.test": { A: ["192.0.2.1"] },
  };
}

test("ptr matches whole labels of the first ten names", async () => {
  const nine = Array.from({ length: 9 }, () => "other.test");
  expect(await check(named("notb.test"))).toEqual({ result: "fail" });
  expect(await check(named("x".repeat(64), ...nine.slice(1), "a.b.test"))).toEqual({
    result: "pass",
  });
  expect(await check(named(...nine, "other.test", "a.b.test"))).toEqual({ result: "fail" });
});

test("names that no query can carry do not exist, and are not void lookups", async () => {
  const MX = [{ preference: 0, exchange: "" }];
  const record = "v=spf1 a:a..b.test exists:a..b.test mx:a..b.test mx -all";
  expect(await check({ "contoso.test": { TXT: [record], MX } })).toEqual({ result: "fail" });
});
