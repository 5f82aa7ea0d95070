import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { NextHops } from "./address-scope.ts";
import type { PartialRoute } from "./partial-route.ts";
import type { RelayServer, Route } from "./route.ts";
import { routeFaults } from "./route-faults.ts";
import { routeOf } from "./testdata/routes.ts";

const gateway = {
  hosts: new Set(["smtp-in.gateway.test", "smtp-relay.gateway.test", "203.0.113.9", "12.13.14.15"]),
  nextHops: "public" as NextHops,
};
const SOUND = routeOf("contoso.test", {
  identities: [{ kind: "network", network: "11.22.33.44/32" }],
});
const LONG_LIST = Array.from({ length: 6000 }, (_, n) => `recipient-${n}@contoso.test`);
const MANY = Array.from(
  { length: 41 },
  (_, n) => ({ kind: "network", network: `11.0.${n}.0/24` }) as const,
);
const RELAY: RelayServer = { host: "relay.contoso.test", port: 587, tls: "verified" };

function faultsOf(changes: Partial<Route>, hops: NextHops = "public"): string[] {
  const faults = routeFaults({ ...SOUND, ...changes }, { ...gateway, nextHops: hops });
  return faults.map(({ code, where }) => `${where}: ${code}`);
}

/** As it can come over the wire. */
const UNKNOWN_LEVEL: RelayServer["tls"] = JSON.parse('"encrypt"');

describe("sound", () => {
  test.each<[string, Partial<Route>]>([
    ["as it is", {}],
    ["a Server by address", { server: "11.22.33.44" }],
    ["a Server by IPv6 address", { server: "2600:1f00::25" }],
    [
      "outbound only, by a certificate",
      {
        inbound: false,
        identities: [{ kind: "certificate", fingerprint: "ab:".repeat(31) + "ab" }],
      },
    ],
    ["inbound only", { outbound: "none", identities: [] }],
    [
      "a list",
      { rcptLookup: { kind: "list", recipients: ["a@contoso.test", "b.c+d@contoso.test"] } },
    ],
    [
      "a Relay Server with a login",
      {
        relayServer: { ...RELAY, login: { user: "contoso@relay", secret: "x", secretVersion: 1 } },
      },
    ],
    [
      "a Relay Server by address",
      { relayServer: { ...RELAY, host: "11.22.33.45", tls: "required" } },
    ],
    ["a mail address to ask", { fixIt: "help@gateway.test" }],
  ])("%s", (_, changes) => {
    expect(faultsOf(changes)).toEqual([]);
  });

  test("private addresses at a private gateway", () => {
    const identities = [{ kind: "network", network: "10.9.0.0/24" }] as const;
    const relayServer = { ...RELAY, host: "127.1.2.3", tls: "required" } as const;
    expect(faultsOf({ server: "10.9.0.1", relayServer, identities }, "private")).toEqual([]);
  });
});

describe("refused", () => {
  test.each<[Partial<Route>, string]>([
    [{ domain: "co.uk", probeRecipient: "a@co.uk" }, "domain: domain-name-public-suffix"],
    [{ inbound: false, outbound: "none", identities: [] }, ": domain-without-flow"],
    [{ server: "" }, "server: loop-server-empty"],
    [{ server: "smtp-in.gateway.test" }, "server: loop-through-gateway"],
    [{ server: "203.0.113.9" }, "server: loop-through-gateway"],
    [{ server: "10.0.0.25" }, "server: next-hop-special"],
    [{ server: "127.0.0.1" }, "server: next-hop-special"],
    [{ server: "169.254.169.254" }, "server: next-hop-special"],
    [{ server: "fd00::1" }, "server: next-hop-special"],
    [{ server: "::ffff:127.0.0.1" }, "server: next-hop-special"],
    [{ server: "localhost" }, "server: domain-name-single-label"],
    [{ server: "mail_1.contoso.test" }, "server: domain-name-underscore"],
    [{ server: "11.22.33.44", mxLookup: true }, "mxLookup: mx-lookup-of-address"],
    [{ rcptLookup: { kind: "list", recipients: [] } }, "rcptLookup.recipients: rcpt-list-empty"],
    [
      { rcptLookup: { kind: "list", recipients: ["a@contoso.test", "b@sub.contoso.test"] } },
      "rcptLookup.recipients[1]: recipient-of-other-domain",
    ],
    [
      { rcptLookup: { kind: "list", recipients: ["Ann <a@contoso.test>"] } },
      "rcptLookup.recipients[0]: mail-address-malformed",
    ],
    [
      { relayServer: { ...RELAY, host: "smtp-relay.gateway.test" } },
      "relayServer: loop-through-gateway",
    ],
    [
      { relayServer: { ...RELAY, host: "192.168.1.1", tls: "required" } },
      "relayServer: next-hop-special",
    ],
    [
      { relayServer: { ...RELAY, host: "mail.contoso.test" } },
      "relayServer: relay-server-is-server",
    ],
    [{ relayServer: RELAY, outbound: "loopback" }, "relayServer: outbound-standard-needed"],
    [{ relayServer: { ...RELAY, host: "11.22.33.45" } }, "relayServer.tls: tls-verified-address"],
    [{ relayServer: { ...RELAY, tls: UNKNOWN_LEVEL } }, "relayServer.tls: tls-level-unknown"],
    [
      {
        relayServer: {
          ...RELAY,
          tls: "opportunistic",
          login: { user: "u", secret: "x", secretVersion: 1 },
        },
      },
      "relayServer.login: relay-login-without-tls",
    ],
    [
      { relayServer: { ...RELAY, login: { user: "a:b", secret: "x", secretVersion: 1 } } },
      "relayServer.login.user: relay-login-user-malformed",
    ],
    [
      { relayServer: { ...RELAY, login: { user: "a\nb", secret: "x", secretVersion: 1 } } },
      "relayServer.login.user: relay-login-user-malformed",
    ],
    [
      { rcptLookup: { kind: "list", recipients: LONG_LIST } },
      "rcptLookup.recipients: rcpt-list-too-long",
    ],
    [{ identities: MANY }, "identities: identity-too-many"],
    [{ identities: [] }, "identities: identity-missing"],
    [{ outbound: "none" }, "identities: identity-without-outbound"],
    [
      { identities: [{ kind: "network", network: "40.92.1.0/24" }] },
      "identities[0]: identity-network-shared",
    ],
    [
      { identities: [{ kind: "network", network: "12.13.14.0/24" }] },
      "identities[0]: identity-is-gateway",
    ],
    [
      {
        identities: [
          { kind: "network", network: "11.0.0.0/16" },
          { kind: "network", network: "11.0.7.0/24" },
        ],
      },
      "identities[1]: identity-twice",
    ],
    [{ probeRecipient: "contoso.test" }, "probeRecipient: mail-address-malformed"],
    [{ probeRecipient: "a@fabrikam.test" }, "probeRecipient: recipient-of-other-domain"],
    [{ fixIt: "see our web site" }, "fixIt: fix-it-malformed"],
    [{ fixIt: "https://gateway.test/\r\n250 OK" }, "fixIt: fix-it-malformed"],
    [{ fixIt: `https://gateway.test/${"a".repeat(128)}` }, "fixIt: fix-it-malformed"],
  ])("%j: %s", (changes, fault) => {
    expect(faultsOf(changes)).toEqual([fault]);
  });

  test("a domain that is a host of the gateway", () => {
    const changes = { domain: "smtp-in.gateway.test", probeRecipient: "a@smtp-in.gateway.test" };
    expect(faultsOf(changes)).toEqual(["domain: loop-through-gateway"]);
  });
});

test("what is not known gives no fault, and hides none", () => {
  const keys: (keyof Route)[] = [
    "domain",
    "server",
    "relayServer",
    "identities",
    "outbound",
    "fixIt",
  ];
  const wrong: PartialRoute = {
    ...SOUND,
    server: "10.0.0.1",
    relayServer: { ...RELAY, host: "10.0.0.2" },
    fixIt: "nowhere",
    identities: [{ kind: "network", network: "10.0.0.3/32" }],
  };
  const all = routeFaults(wrong, gateway).map(({ where }) => where);
  expect(all).toEqual(["server", "relayServer", "relayServer.tls", "identities[0]", "fixIt"]);
  fc.assert(
    fc.property(fc.subarray(keys), (missing) => {
      const route = { ...wrong, ...Object.fromEntries(missing.map((key) => [key, undefined])) };
      const places = routeFaults(route, gateway).map(({ where }) => where);
      const known = all.filter((where) => !missing.some((key) => where?.startsWith(key)));
      expect(places).toEqual(known);
    }),
  );
});
