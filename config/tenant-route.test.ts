/** What a stack file says of routes: what is refused, and what becomes of it. */
import { describe, expect, test } from "vitest";
import {
  contoso,
  contosoWithRoute,
  gateway,
  gatewayWithRoutes,
  stackValues,
} from "./example-tenant.ts";
import { readTenantConfig } from "./read-tenant.ts";
import { ConfigurationError } from "./stack-configuration.ts";
import { planTenant } from "./tenant-plan.ts";

const PASSWORD = "correct horse battery staple";
const login = { user: "gateway@contoso.test", passwordName: "relay" };
const relayServer = { host: "relay.contoso.test", port: 587, tls: "verified", login };

interface Given {
  /** Of the domain; `undefined` leaves a key out. */
  readonly domain?: Readonly<Record<string, unknown>>;
  readonly stack?: Readonly<Record<string, unknown>>;
  readonly outputs?: Readonly<Record<string, unknown>>;
  readonly isSecret?: boolean;
}

function plan({ domain = {}, stack = {}, outputs = gatewayWithRoutes, isSecret = true }: Given) {
  return readTenantConfig({
    file: "stacks/Pulumi.contoso.yaml",
    values: stackValues({
      "mail:organisation": "contoso",
      "mail:gateway": { stack: "example/mail/gateway" },
      "mail:domains": [{ ...contosoWithRoute, ...domain }],
      ...stack,
    }),
    isSecret: (key) => isSecret && key === "mail:relayPasswords",
    outputsOf: () => Promise.resolve(outputs),
  }).then(planTenant);
}

async function routeOf(given: Given) {
  const { domains } = await plan(given);
  return domains[0]?.route;
}

/** The paths and codes of all faults, and the whole message. */
async function faultsOf(given: Given) {
  const error = await plan(given).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof ConfigurationError)) throw new Error("expected faults", { cause: error });
  const prefix = "stacks/Pulumi.contoso.yaml: config mail:";
  const faults = error.faults.map(({ where, code }) => `${where?.replace(prefix, "")}: ${code}`);
  return { faults, message: error.message };
}

test("a route with everything", async () => {
  const route = await routeOf({
    domain: {
      server: "MAIL.contoso.test",
      rcptLookup: ["Info@Contoso.test", "a.b@contoso.test"],
      relayServer,
      sendingFrom: ["11.22.33.44/32", "2600:1F00::/48", `SHA256:${"AB".repeat(32)}`],
      fixIt: undefined,
    },
    stack: {
      "mail:gateway": { stack: "example/mail/gateway", excludeSlots: ["b"] },
      "mail:fixIt": "help@contoso.test",
      "mail:relayPasswords": { relay: PASSWORD },
    },
  });
  expect(route).toEqual({
    organisation: "contoso",
    domain: "contoso.test",
    store: { table: "routes", region: "eu-central-1", secretPrefix: "/mxhero/example" },
    gatewayHosts: [
      "smtp-in.gateway.test",
      "smtp-relay.gateway.test",
      "smtp.gateway.test",
      "203.0.113.7",
      "203.0.113.8",
      "203.0.113.9",
      "203.0.113.10",
    ],
    nextHops: "public",
    server: "mail.contoso.test",
    mxLookup: false,
    rcptLookup: "list",
    recipients: ["info@contoso.test", "a.b@contoso.test"],
    inbound: true,
    outbound: "standard",
    relayServer: {
      host: "relay.contoso.test",
      port: 587,
      tls: "verified",
      login: { user: "gateway@contoso.test", password: PASSWORD },
    },
    sendingFrom: ["11.22.33.44", "2600:1f00::/48", `${"ab:".repeat(31)}ab`],
    probeRecipient: "info@contoso.test",
    fixIt: "help@contoso.test",
    excludeSlots: ["b"],
    sending: { mailSystem: "exchange", relay: "smtp-relay.gateway.test", quietSeconds: 86_400 },
    inactive: false,
    editsSpf: false,
  });
});

test("inactive by one line, for a domain or for all", async () => {
  expect((await routeOf({ domain: { inactive: true } }))?.inactive).toBe(true);
  expect((await routeOf({ stack: { "mail:inactive": "true" } }))?.inactive).toBe(true);
  const back = { domain: { inactive: false }, stack: { "mail:inactive": "true" } };
  expect((await routeOf(back))?.inactive).toBe(false);
});

test.each([
  [false, "off"],
  [true, "probe"],
  [["info@contoso.test"], "list"],
])("rcptLookup %j", async (rcptLookup, kind) => {
  expect((await routeOf({ domain: { rcptLookup } }))?.rcptLookup).toBe(kind);
});

test("the gateway's fixIt serves where nothing else is said, and TLS is opportunistic", async () => {
  const outputs = { ...gatewayWithRoutes, fixIt: "https://gateway.test/help" };
  const domain = { fixIt: undefined, relayServer: "relay.contoso.test" };
  expect(await routeOf({ domain, outputs })).toMatchObject({
    fixIt: "https://gateway.test/help",
    relayServer: { host: "relay.contoso.test", port: 25, tls: "opportunistic" },
  });
});

test("a domain that only receives needs nobody who sends", async () => {
  const domain = { outbound: "none", sendingFrom: undefined };
  expect(await routeOf({ domain })).toMatchObject({
    inbound: true,
    outbound: "none",
    sendingFrom: [],
  });
});

test("a gateway in a private network has its tenants there", async () => {
  const routeStore = { ...gatewayWithRoutes.routeStore, nextHops: "private" };
  const domain = { server: "10.0.0.25", sendingFrom: ["10.0.0.0/24"] };
  const route = await routeOf({ domain, outputs: { ...gatewayWithRoutes, routeStore } });
  expect(route).toMatchObject({ nextHops: "private", ...domain });
});

test("a gateway that is given by its host names gets no route", async () => {
  const { domains } = await plan({
    domain: { sendingFrom: undefined, probeRecipient: undefined, fixIt: undefined },
    stack: { "mail:gateway": gateway },
  });
  expect(domains[0]).toMatchObject({ name: "contoso.test", takeover: { domain: "contoso.test" } });
  expect(domains[0]?.route).toBeUndefined();
});

describe("refused", () => {
  test.each<[string, Given, string[]]>([
    [
      "what a route needs and is not there",
      { domain: { sendingFrom: undefined, probeRecipient: undefined, fixIt: undefined } },
      [
        "domains[0].sendingFrom: identity-missing",
        "domains[0].probeRecipient: value-missing",
        "domains[0].fixIt: value-missing",
      ],
    ],
    [
      "a private Server, a Relay Server that is the gateway, and a foreign address to ask",
      {
        domain: { server: "10.0.0.1", relayServer: "203.0.113.7", probeRecipient: "a@other.test" },
      },
      [
        "domains[0].server: next-hop-special",
        "domains[0].relayServer: loop-through-gateway",
        "domains[0].probeRecipient: recipient-of-other-domain",
      ],
    ],
    ["an empty list", { domain: { rcptLookup: [] } }, ["domains[0].rcptLookup: rcpt-list-empty"]],
    [
      "a list with an address of another domain",
      { domain: { rcptLookup: ["a@contoso.test", "b@other.test"] } },
      ["domains[0].rcptLookup[1]: recipient-of-other-domain"],
    ],
    [
      "an identity that is malformed, and only that",
      { domain: { sendingFrom: ["11.22.33.44", "mail.contoso.test"] } },
      ["domains[0].sendingFrom[1]: identity-malformed"],
    ],
    [
      "a private identity at a public gateway",
      { domain: { sendingFrom: ["10.0.0.7"] } },
      ["domains[0].sendingFrom[0]: identity-network-special"],
    ],
    [
      "a shared identity",
      { domain: { sendingFrom: ["40.92.1.1"] } },
      ["domains[0].sendingFrom[0]: identity-network-shared"],
    ],
    [
      "an unknown level of TLS",
      { domain: { relayServer: { host: "relay.contoso.test", tls: "verify" } } },
      ["domains[0].relayServer.tls: value-unknown"],
    ],
    [
      "a login that could go in clear, and whose password is missing",
      { domain: { relayServer: { ...relayServer, tls: undefined } } },
      [
        "domains[0].relayServer.login: relay-login-without-tls",
        "domains[0].relayServer.login.passwordName: relay-password-missing",
      ],
    ],
    [
      "a fix-it address that is none, for all domains",
      { domain: { fixIt: undefined }, stack: { "mail:fixIt": "our web site" } },
      ["fixIt: fix-it-malformed"],
    ],
    [
      "an output of the gateway that is faulty, and nothing that follows from it",
      { outputs: { ...gatewayWithRoutes, routeStore: { table: "x" } } },
      [
        "gateway.stack: value-missing",
        "gateway.stack: value-missing",
        "gateway.stack: value-missing",
      ],
    ],
    [
      "values for a route that somebody else keeps",
      {
        domain: { rcptLookup: ["info@contoso.test"], relayServer, inactive: true },
        stack: {
          "mail:gateway": gateway,
          "mail:inactive": "true",
          "mail:relayPasswords": { relay: PASSWORD },
        },
      },
      [
        "inactive: gateway-stack-needed",
        "relayPasswords: gateway-stack-needed",
        "domains[0].sendingFrom: gateway-stack-needed",
        "domains[0].fixIt: gateway-stack-needed",
        "domains[0].inactive: gateway-stack-needed",
        "domains[0].rcptLookup: gateway-stack-needed",
        "domains[0].relayServer.tls: gateway-stack-needed",
        "domains[0].relayServer.login: gateway-stack-needed",
      ],
    ],
    [
      "a slot that does not exist",
      { stack: { "mail:gateway": { stack: "example/mail/gateway", excludeSlots: ["b", "c"] } } },
      ["gateway.excludeSlots[1]: slot-unknown"],
    ],
    [
      "every slot excluded",
      { stack: { "mail:gateway": { stack: "example/mail/gateway", excludeSlots: ["b", "a"] } } },
      ["gateway.excludeSlots: all-slots-excluded"],
    ],
    [
      "dead slots of a gateway without routes",
      {
        domain: { ...contoso, sendingFrom: undefined, probeRecipient: undefined, fixIt: undefined },
        stack: { "mail:gateway": { stack: "example/mail/gateway", excludeSlots: ["b"] } },
        outputs: gateway,
      },
      ["gateway.excludeSlots: gateway-stack-needed"],
    ],
  ])("%s", async (_, given, expected) => {
    expect((await faultsOf(given)).faults).toEqual(expected);
  });

  test.each(["microsoft365", "google"])(
    "nobody who sends for %s is explained",
    async (mailSystem) => {
      const { message } = await faultsOf({ domain: { mailSystem, sendingFrom: undefined } });
      expect(message).toMatch(
        /send from the same addresses and with the same certificate.*does not check yet.*outbound: none/,
      );
    },
  );
});

describe("passwords", () => {
  const domain = { relayServer };

  test.each<[string, Given, string]>([
    [
      "in clear",
      { stack: { "mail:relayPasswords": { relay: PASSWORD } }, isSecret: false },
      "relayPasswords: value-not-secret",
    ],
    [
      "that are no map",
      { stack: { "mail:relayPasswords": PASSWORD } },
      "relayPasswords: value-of-wrong-kind",
    ],
    [
      "with a line break",
      { stack: { "mail:relayPasswords": { relay: `${PASSWORD}\n` } } },
      "relayPasswords.relay: relay-password-malformed",
    ],
    [
      "that are empty",
      { stack: { "mail:relayPasswords": { relay: "" } } },
      "relayPasswords.relay: relay-password-malformed",
    ],
    [
      "under a name that is none",
      { stack: { "mail:relayPasswords": { [PASSWORD]: PASSWORD, relay: "x" } } },
      "relayPasswords: relay-password-name",
    ],
    [
      "that are not there",
      { stack: { "mail:relayPasswords": { other: PASSWORD } } },
      "domains[0].relayServer.login.passwordName: relay-password-missing",
    ],
  ])("%s are refused unseen", async (_, given, fault) => {
    const { faults, message } = await faultsOf({ domain, ...given });
    expect(faults).toEqual([fault]);
    expect(message).not.toContain(PASSWORD);
  });

  test("one that stands in the place of its name is not shown", async () => {
    const wrong = { ...relayServer, login: { ...login, passwordName: PASSWORD } };
    const { faults, message } = await faultsOf({ domain: { relayServer: wrong } });
    expect(faults).toEqual(["domains[0].relayServer.login.passwordName: relay-password-name"]);
    expect(message).not.toContain(PASSWORD);
  });
});
