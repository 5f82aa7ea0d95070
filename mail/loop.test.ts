import { expect, test } from "vitest";
import type { DnsStatus, DnsType, DnsValue, Resolver } from "./dns.ts";
import { findLoop } from "./loop.ts";

type Zone = Record<string, { [T in DnsType]?: readonly DnsValue[T][] }>;

const gateway: Zone = {
  "mx1.gateway.test": { A: ["192.0.2.1"], AAAA: ["2001:db8::1"] },
  "smtp-in.gateway.test": { A: ["192.0.2.1", "192.0.2.2"] },
  "smtp-relay.gateway.test": { A: ["192.0.2.3"] },
};
const gatewayHosts = Object.keys(gateway);

/** A resolver over `zone` and the gateway; the names in `broken` end with that status. */
function resolverOf(zone: Zone, broken: Record<string, DnsStatus> = {}): Resolver {
  return async (name, type) => {
    const failure = broken[`${name} ${type}`];
    if (failure !== undefined) return { status: failure, records: [] };
    const node = { ...gateway, ...zone }[name];
    if (node === undefined) return { status: "nxdomain", records: [] };
    const records = node[type] ?? [];
    return { status: records.length === 0 ? "nodata" : "ok", records };
  };
}

const find = (server: string, zone: Zone = {}, mxLookup = false) =>
  findLoop({ server, gatewayHosts, mxLookup, resolver: resolverOf(zone) });

test("Server empty", async () => {
  expect(await find("")).toMatchObject({ code: "loop-server-empty" });
});

test("Server is a host of the gateway", async () => {
  for (const host of gatewayHosts) {
    expect(await find(host)).toMatchObject({
      code: "loop-server-is-gateway",
      description: expect.stringContaining(host),
    });
  }
});

test.each([
  ["an A record", { A: ["203.0.113.7", "192.0.2.3"] }, "192.0.2.3"],
  ["an AAAA record, however written", { AAAA: ["2001:0DB8:0:0::1"] }, "2001:db8::1"],
  ["an IPv4-mapped AAAA record", { AAAA: ["::ffff:192.0.2.2"] }, "192.0.2.2"],
])("Server has an address of the gateway: %s", async (_, node, address) => {
  expect(await find("mail.contoso.test", { "mail.contoso.test": node })).toMatchObject({
    code: "loop-server-address-is-gateway",
    description: expect.stringContaining(address),
  });
});

test("Server is an address of the gateway", async () => {
  for (const address of ["192.0.2.1", "2001:db8:0::1"]) {
    expect(await find(address)).toMatchObject({ code: "loop-server-address-is-gateway" });
    expect(await find(address, {}, true)).toMatchObject({ code: "loop-server-address-is-gateway" });
  }
});

const exchange = (name: string) => ({ MX: [{ preference: 10, exchange: name }] });

test("with MX Lookup, the MX of Server names the gateway", async () => {
  const zone = { "contoso.test": exchange("smtp-in.gateway.test") };
  expect(await find("contoso.test", zone, true)).toMatchObject({
    code: "loop-mx-of-server-is-gateway",
    description: expect.stringContaining("smtp-in.gateway.test"),
  });
});

test("with MX Lookup, the MX of Server has an address of the gateway", async () => {
  const zone = {
    "contoso.test": {
      MX: [
        { preference: 10, exchange: "mail.contoso.test" },
        { preference: 20, exchange: "backup.contoso.test" },
      ],
    },
    "mail.contoso.test": { A: ["203.0.113.7"] },
    "backup.contoso.test": { A: ["192.0.2.2"] },
  };
  expect(await find("contoso.test", zone, true)).toMatchObject({
    code: "loop-mx-of-server-is-gateway",
    description: expect.stringContaining("backup.contoso.test"),
  });
});

test("with MX Lookup and no MX, the addresses of Server count", async () => {
  const zone = { "mail.contoso.test": { A: ["192.0.2.1"] } };
  expect(await find("mail.contoso.test", zone, true)).toMatchObject({
    code: "loop-server-address-is-gateway",
  });
});

test("with MX Lookup, Server is a domain that is about to be taken over", async () => {
  const zone = {
    "contoso.test": exchange("mail.contoso.test"),
    "mail.contoso.test": { A: ["203.0.113.7"] },
  };
  const question = {
    server: "contoso.test",
    gatewayHosts,
    takenOverDomains: ["fabrikam.test", "contoso.test"],
    resolver: resolverOf(zone),
  };
  expect(await findLoop({ ...question, mxLookup: true })).toMatchObject({
    code: "loop-server-domain-is-taken-over",
  });
  expect(await findLoop({ ...question, mxLookup: false })).toBeUndefined();
});

test.each([
  ["a host elsewhere", { "mail.contoso.test": { A: ["203.0.113.7"] } }, false],
  ["a name that does not exist", {}, false],
  [
    "no MX Lookup, so the MX does not matter",
    {
      "mail.contoso.test": { A: ["203.0.113.7"], ...exchange("smtp-in.gateway.test") },
    },
    false,
  ],
  [
    "MX Lookup, so the addresses do not matter",
    {
      "mail.contoso.test": { A: ["192.0.2.1"], ...exchange("mx.contoso.test") },
      "mx.contoso.test": { A: ["203.0.113.7"] },
    },
    true,
  ],
  [
    "MX Lookup and the null MX: nothing is delivered",
    {
      "mail.contoso.test": { A: ["192.0.2.1"], ...exchange("") },
    },
    true,
  ],
])("no loop: %s", async (_, zone, mxLookup) => {
  expect(await find("mail.contoso.test", zone, mxLookup)).toBeUndefined();
});

test("an address elsewhere is no loop", async () => {
  expect(await find("203.0.113.7")).toBeUndefined();
});

test.each([
  ["mail.contoso.test A", "servfail"],
  ["mail.contoso.test AAAA", "timeout"],
  ["mail.contoso.test MX", "servfail"],
  ["smtp-relay.gateway.test A", "timeout"],
] as const)("no verdict without the answer: %s %s", async (lookup, status) => {
  const resolver = resolverOf({ "mail.contoso.test": {} }, { [lookup]: status });
  const verdict = findLoop({ server: "mail.contoso.test", gatewayHosts, mxLookup: true, resolver });
  await expect(verdict).rejects.toMatchObject({
    code: "loop-lookup-failed",
    message: expect.stringContaining(status),
  });
});
