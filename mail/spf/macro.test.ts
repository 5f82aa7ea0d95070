import { expect, test } from "vitest";
import { parseAddress } from "./address.ts";
import type { Evaluation } from "./evaluation.ts";
import { expandDomain, expandFixedDomain, expandText } from "./macro.ts";
import { zoneResolver } from "./testdata/zone.ts";

const evaluation: Evaluation = {
  resolver: zoneResolver({}),
  client: parseAddress("192.0.2.3"),
  sender: { local: "strong-bad", domain: "email.example.com" },
  helo: "mx.example.org",
  receiver: "in.example.net",
  clientNames: async () => ({
    confirmed: ["a.example.net", "b.email.example.com"],
    missing: undefined,
  }),
  counts: { lookups: 0, voidLookups: 0 },
};
const overIp6 = { ...evaluation, client: parseAddress("2001:db8::cb01") };

// The examples of RFC 7208, section 7.4.
test.each([
  ["%{s}", "strong-bad@email.example.com"],
  ["%{o}", "email.example.com"],
  ["%{d}", "email.example.com"],
  ["%{d4}", "email.example.com"],
  ["%{d3}", "email.example.com"],
  ["%{d2}", "example.com"],
  ["%{d1}", "com"],
  ["%{dr}", "com.example.email"],
  ["%{d2r}", "example.email"],
  ["%{l}", "strong-bad"],
  ["%{l-}", "strong.bad"],
  ["%{lr}", "strong-bad"],
  ["%{lr-}", "bad.strong"],
  ["%{l1r-}", "strong"],
  ["%{ir}.%{v}._spf.%{d2}", "3.2.0.192.in-addr._spf.example.com"],
  ["%{lr-}.lp._spf.%{d2}", "bad.strong.lp._spf.example.com"],
  ["%{lr-}.lp.%{ir}.%{v}._spf.%{d2}", "bad.strong.lp.3.2.0.192.in-addr._spf.example.com"],
  ["%{ir}.%{v}.%{l1r-}.lp._spf.%{d2}", "3.2.0.192.in-addr.strong.lp._spf.example.com"],
  ["%{d2}.trusted-domains.example.net", "example.com.trusted-domains.example.net"],
])("%s stands for %s", async (text, expected) => {
  expect(await expandText(evaluation, "email.example.com", text)).toBe(expected);
});

test("an IPv6 address is spelled in nibbles", async () => {
  const name = await expandDomain(overIp6, "email.example.com", "%{ir}.%{v}._spf.%{d2}");
  expect(name.toLowerCase()).toBe(
    "1.0.b.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6._spf.example.com",
  );
});

test("an explanation has further letters", async () => {
  const text = "%{c}%_%{r}%%%-%{h}";
  expect(await expandText(overIp6, "example.com", text)).toBe(
    "2001:db8::cb01 in.example.net%%20mx.example.org",
  );
  const before = Math.floor(Date.now() / 1000);
  expect(Number(await expandText(evaluation, "example.com", "%{t}"))).toBeGreaterThanOrEqual(
    before,
  );
});

test("upper case escapes all but the unreserved characters of RFC 3986", async () => {
  const sender = { local: "a!b'c(d)e*f/~g.h-i_j é\ud800", domain: "example.com" };
  const expected = "a%21b%27c%28d%29e%2Af%2F~g.h-i_j%20%C3%A9%EF%BF%BD";
  expect(await expandText({ ...evaluation, sender }, "example.com", "%{L}")).toBe(expected);
});

test("the client's name is one below the domain where there is one (section 7.3)", async () => {
  expect(await expandText(evaluation, "email.example.com", "%{p}")).toBe("b.email.example.com");
  expect(await expandText(evaluation, "example.org", "%{p}")).toBe("a.example.net");
  expect(await expandText(evaluation, "A.example.NET", "%{p}")).toBe("a.example.net");
  const nameless = { ...evaluation, clientNames: async () => ({ confirmed: [], missing: "x" }) };
  expect(await expandText(nameless, "example.org", "%{p}")).toBe("unknown");
});

test("a name above 253 characters loses labels from the left", async () => {
  const label = "x".repeat(49);
  const spec = `one.two.${`${label}.`.repeat(5)}`;
  expect(await expandDomain(evaluation, "example.com", `${spec}abc`)).toBe(
    `${`${label}.`.repeat(5)}abc`,
  );
  expect(await expandDomain(evaluation, "example.com", `${spec}abcd`)).toBe(
    `${`${label}.`.repeat(4)}abcd`,
  );
});

test("a name that differs from message to message is not fixed", async () => {
  expect(await expandFixedDomain("%{d1}.%%%{o}.", "a.test", "b.test")).toBe("test.%b.test");
  expect(await expandFixedDomain("%{i}.a.test", "a.test", "b.test")).toBeUndefined();
});
