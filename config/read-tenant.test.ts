import { expect, test } from "vitest";
import { contoso, gateway, stackValues } from "./example-tenant.ts";
import { readTenantConfig } from "./read-tenant.ts";
import { ConfigurationError } from "./stack-configuration.ts";

const FILE = "stacks/Pulumi.contoso.yaml";
const TOKEN = "v1aBcDeFgHiJkLmNoPqRsTuVwXyZ0123456789-_";

interface Given {
  readonly values: Readonly<Record<string, unknown>>;
  readonly secret?: string;
  readonly outputs?: Readonly<Record<string, unknown>>;
}

const sound = {
  "mail:organisation": "contoso",
  "mail:gateway": gateway,
  "mail:domains": [contoso],
};

function read({ values, secret, outputs }: Given) {
  return readTenantConfig({
    file: FILE,
    values: stackValues(values),
    isSecret: (key) => key === secret,
    outputsOf: (stack) =>
      outputs === undefined
        ? Promise.reject(new Error(`unknown stack "${stack}"`))
        : Promise.resolve(outputs),
  });
}

async function faultsOf(given: Given) {
  const error = await read(given).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof ConfigurationError) return error.faults;
  throw new Error("expected a ConfigurationError", { cause: error });
}

/** The stack with one domain that differs from a sound one; `undefined` leaves a key out. */
function withDomain(changes: Readonly<Record<string, unknown>>) {
  return { ...sound, "mail:domains": [{ ...contoso, ...changes }] };
}

function withGateway(changes: Readonly<Record<string, unknown>>) {
  return { ...sound, "mail:gateway": { ...gateway, ...changes } };
}

const mx = (exchange: string, preference: unknown = 10) => [{ exchange, preference }];

test("a sound file is read into its normal form", async () => {
  const config = await read({
    values: withDomain({
      name: "Bücher.test.",
      server: "MAIL.contoso.test.",
      relayServer: "relay.contoso.test",
      handBackTo: mx("Mail.Contoso.Test", 0),
    }),
  });
  expect(config).toEqual({
    organisation: "contoso",
    gateway,
    relayPasswords: {},
    domains: [
      {
        ...contoso,
        name: "xn--bcher-kva.test",
        relayServer: { host: "relay.contoso.test", port: 25 },
        handBackTo: mx("mail.contoso.test", 0),
        rcptLookup: false,
        mxLookup: false,
        bypass: false,
        dns: "cloudflare",
        handBackConfirmed: false,
      },
    ],
  });
});

test.each(["192.0.2.25", "2001:db8::25", "[2001:DB8::25]"])("the Server %s", async (server) => {
  const { domains } = await read({ values: withDomain({ server }) });
  expect(domains[0]?.server).toBe(server.replaceAll(/[[\]]/g, "").toLowerCase());
});

/** One fault each: what is written, the path below `config`, the code, the value, a part of the fix. */
const single: readonly [string, Record<string, unknown>, string, string, unknown, RegExp][] = [
  [
    "an organisation that is no short name",
    { ...sound, "mail:organisation": "Contoso Ltd" },
    "mail:organisation",
    "value-malformed",
    "Contoso Ltd",
    /lower-case letters, digits, hyphens/,
  ],
  [
    "a key of the stack that is not known",
    { ...sound, "mail:domain": [] },
    "mail:domain",
    "key-unknown",
    undefined,
    /Did you mean "domains"\?/,
  ],
  [
    "an unknown key of a domain",
    withDomain({ bypas: true }),
    "mail:domains[0].bypas",
    "key-unknown",
    undefined,
    /Did you mean "bypass"\?/,
  ],
  [
    "an unknown key of an MX record",
    withGateway({ mx: [{ exchange: "smtp-in.gateway.test", preference: 10, priority: 10 }] }),
    "mail:gateway.mx[0].priority",
    "key-unknown",
    undefined,
    /exchange, preference/,
  ],
  [
    "no Server",
    withDomain({ server: undefined }),
    "mail:domains[0].server",
    "value-missing",
    undefined,
    /for example "contoso-com.mail.protection.outlook.com"/,
  ],
  [
    "an empty Server",
    withDomain({ server: null }),
    "mail:domains[0].server",
    "value-missing",
    undefined,
    /for example/,
  ],
  [
    "a flow that does not exist",
    withDomain({ inbound: "bordr" }),
    "mail:domains[0].inbound",
    "value-unknown",
    "bordr",
    /Did you mean "border"\?/,
  ],
  [
    "a URL as Server",
    withDomain({ server: "smtp://mail.contoso.test" }),
    "mail:domains[0].server",
    "domain-name-character",
    "smtp://mail.contoso.test",
    /without scheme/,
  ],
  [
    "a Server with a port",
    withDomain({ server: "mail.contoso.test:25" }),
    "mail:domains[0].server",
    "domain-name-character",
    "mail.contoso.test:25",
    /without a port/,
  ],
  [
    "an address as MX target",
    withGateway({ mx: mx("192.0.2.1") }),
    "mail:gateway.mx[0].exchange",
    "domain-name-address",
    "192.0.2.1",
    /domain name/,
  ],
  [
    "a preference beyond 16 bits",
    withGateway({ mx: mx("smtp-in.gateway.test", 65_536) }),
    "mail:gateway.mx[0].preference",
    "value-out-of-range",
    undefined,
    /65535 or less/,
  ],
  [
    "no MX target",
    withGateway({ mx: [] }),
    "mail:gateway.mx",
    "value-out-of-range",
    undefined,
    /1 or more/,
  ],
  [
    "a public suffix",
    withDomain({ name: "co.uk" }),
    "mail:domains[0].name",
    "domain-name-public-suffix",
    "co.uk",
    /contoso\.co\.uk/,
  ],
  [
    "a zone id that YAML takes for a number",
    withDomain({ zoneId: 12 }),
    "mail:domains[0].zoneId",
    "value-of-wrong-kind",
    undefined,
    /in quotes/,
  ],
  [
    "an SPF term in place of a domain",
    withGateway({ spfInclude: "include:_spf.gateway.test" }),
    "mail:gateway.spfInclude",
    "spf-include-is-a-term",
    "include:_spf.gateway.test",
    /"_spf\.gateway\.test"/,
  ],
  [
    "mx as its own replacement",
    withDomain({ spf: { replaceMx: ["mx"] } }),
    "mail:domains[0].spf.replaceMx[0]",
    "spf-replacement-names-no-host",
    "mx",
    /a:mail\.contoso\.com/,
  ],
  [
    "a base record that is no SPF record",
    withDomain({ spf: { base: "v=spf2 -all" } }),
    "mail:domains[0].spf.base",
    "spf-syntax",
    "v=spf2 -all",
    /v=spf1/,
  ],
  [
    "the same domain twice, in two scripts",
    {
      ...sound,
      "mail:domains": [
        { ...contoso, name: "bücher.test" },
        { ...contoso, name: "XN--BCHER-KVA.test" },
      ],
    },
    "mail:domains[1].name",
    "domain-twice",
    "xn--bcher-kva.test",
    /Delete/,
  ],
  [
    "the outbound endpoint as MX target",
    withGateway({ mx: mx("smtp-relay.gateway.test") }),
    "mail:gateway.mx[0].exchange",
    "gateway-endpoints-mixed-up",
    "smtp-relay.gateway.test",
    /"smtp-in\.gateway\.test" was meant/,
  ],
  [
    "an outbound name of the hosted gateway as MX target",
    withGateway({ mx: mx("smtp.mxhero.com") }),
    "mail:gateway.mx[0].exchange",
    "gateway-endpoints-mixed-up",
    "smtp.mxhero.com",
    /smtpIn/,
  ],
  [
    "the hosted outbound endpoint as smtpIn",
    withGateway({ smtpIn: "smtp-relay.mxhero.com" }),
    "mail:gateway.smtpIn",
    "gateway-endpoints-mixed-up",
    "smtp-relay.mxhero.com",
    /two hosts/,
  ],
  [
    "one host for both directions",
    withGateway({ smtpRelay: "smtp-in.gateway.test" }),
    "mail:gateway.smtpRelay",
    "gateway-endpoints-mixed-up",
    "smtp-in.gateway.test",
    /two hosts/,
  ],
  [
    "an MX target twice",
    withGateway({ mx: [...gateway.mx, ...mx("SMTP-in.gateway.test", 20)] }),
    "mail:gateway.mx[1].exchange",
    "mx-target-twice",
    "smtp-in.gateway.test",
    /Delete/,
  ],
  [
    "a record of handBackTo twice",
    withDomain({ handBackTo: [...mx("mail.contoso.test"), ...mx("Mail.contoso.test")] }),
    "mail:domains[0].handBackTo[1].exchange",
    "mx-target-twice",
    "mail.contoso.test",
    /Delete/,
  ],
  [
    "the gateway as Server",
    withDomain({ server: "smtp-in.gateway.test" }),
    "mail:domains[0].server",
    "loop-through-gateway",
    "smtp-in.gateway.test",
    /finally receives/,
  ],
  [
    "an egress address of the hosted gateway as Server",
    withDomain({ server: "54.208.111.28" }),
    "mail:domains[0].server",
    "loop-through-gateway",
    "54.208.111.28",
    /finally receives/,
  ],
  [
    "the gateway as Relay Server",
    withDomain({ relayServer: "smtp-relay.gateway.test" }),
    "mail:domains[0].relayServer",
    "loop-through-gateway",
    "smtp-relay.gateway.test",
    /behind the gateway/,
  ],
  [
    "the Server as Relay Server",
    withDomain({ relayServer: { host: "mail.contoso.test", port: 587 } }),
    "mail:domains[0].relayServer",
    "relay-server-is-server",
    "mail.contoso.test",
    /outbound: loopback/,
  ],
  [
    "a Relay Server that nothing uses",
    withDomain({ outbound: "loopback", relayServer: "relay.contoso.test" }),
    "mail:domains[0].relayServer",
    "outbound-standard-needed",
    "relay.contoso.test",
    /outbound: standard/,
  ],
  [
    "a hand-back to the gateway",
    withDomain({ handBackTo: mx("smtp-in.gateway.test") }),
    "mail:domains[0].handBackTo[0].exchange",
    "loop-through-gateway",
    "smtp-in.gateway.test",
    /own MX host/,
  ],
  [
    "a zone at Cloudflare where a person changes the records",
    withDomain({ dns: "manual", zoneId: "0123456789abcdef0123456789abcdef" }),
    "mail:domains[0].zoneId",
    "dns-cloudflare-needed",
    "0123456789abcdef0123456789abcdef",
    /dns: cloudflare/,
  ],
  [
    "a token where a person changes the records",
    withDomain({ dns: "manual", credential: "subsidiary" }),
    "mail:domains[0].credential",
    "dns-cloudflare-needed",
    "subsidiary",
    /dns: cloudflare/,
  ],
  [
    "a bypass where the MX is not touched",
    withDomain({ inbound: "loopback", bypass: true }),
    "mail:domains[0].bypass",
    "inbound-border-needed",
    "true",
    /inbound: border/,
  ],
  [
    "a replacement of mx where the MX is not touched",
    withDomain({ inbound: "none", spf: { replaceMx: [] } }),
    "mail:domains[0].spf.replaceMx",
    "inbound-border-needed",
    "[]",
    /inbound: border/,
  ],
  [
    "a domain without a flow",
    withDomain({ inbound: "none", outbound: "none" }),
    "mail:domains[0]",
    "domain-without-flow",
    undefined,
    /Choose a flow/,
  ],
  [
    "no SPF include where mail leaves from the gateway",
    withGateway({ spfInclude: undefined }),
    "mail:gateway.spfInclude",
    "spf-include-missing",
    undefined,
    /relayServer/,
  ],
  [
    "a base record where SPF is not edited",
    withDomain({ outbound: "none", spf: { base: "v=spf1 -all" } }),
    "mail:domains[0].spf.base",
    "spf-not-edited",
    "v=spf1 -all",
    /Delete spf\.base/,
  ],
  [
    "MX Lookup of an address",
    withDomain({ server: "192.0.2.25", mxLookup: true }),
    "mail:domains[0].mxLookup",
    "mx-lookup-of-address",
    "true",
    /by name/,
  ],
  [
    "MX Lookup of a domain whose MX will be the gateway",
    withDomain({ server: "contoso.test", mxLookup: true }),
    "mail:domains[0].mxLookup",
    "mx-lookup-loop",
    "true",
    /own host name/,
  ],
  [
    "a list in place of a map",
    withDomain({ spf: [] }),
    "mail:domains[0].spf",
    "value-of-wrong-kind",
    undefined,
    /a map/,
  ],
  [
    "domains that are no list",
    { ...sound, "mail:domains": "contoso.test" },
    "mail:domains",
    "value-of-wrong-kind",
    "contoso.test",
    /a list/,
  ],
  [
    "a gateway's stack without its project",
    { ...sound, "mail:gateway": { stack: "gateway" } },
    "mail:gateway.stack",
    "value-malformed",
    "gateway",
    /"organization\/mail\/gateway"/,
  ],
];

test.each(single)("refuses %s", async (_, values, path, code, value, fix) => {
  const faults = await faultsOf({ values });
  expect(faults).toHaveLength(1);
  expect(faults[0]).toMatchObject({ code, where: `${FILE}: config ${path}`, value });
  expect(faults[0]?.fix).toMatch(fix);
});

test("reports all faults of a file at once, those between values too", async () => {
  const values = {
    "mail:organisation": "Contoso Ltd",
    "mail:gateway": { ...gateway, smtpRelay: undefined },
    "mail:domains": [
      { ...contoso, mailSystem: "notes", server: "smtp-in.gateway.test" },
      { name: "CONTOSO.test", inbound: "none", bypass: true, outbound: "standard" },
    ],
  };
  const faults = await faultsOf({ values });
  expect(new Set(faults.map(({ where }) => where?.replace(`${FILE}: config mail:`, "")))).toEqual(
    new Set([
      "domains[0].mailSystem",
      "domains[0].server",
      "domains[1].bypass",
      "domains[1].mailSystem",
      "domains[1].name",
      "domains[1].server",
      "gateway.smtpRelay",
      "organisation",
    ]),
  );
  const error = await read({ values }).catch(String);
  expect(error).toContain(`${FILE} has 8 faults. Nothing was changed.\n- ${FILE}: config mail:`);
});

test("a faulty Relay Server is one fault, not a missing SPF include as well", async () => {
  const domain = { ...contoso, relayServer: "https://relay.contoso.test" };
  const values = {
    ...sound,
    "mail:gateway": { ...gateway, spfInclude: undefined },
    "mail:domains": [domain],
  };
  const faults = await faultsOf({ values });
  expect(faults.map(({ code }) => code)).toEqual(["domain-name-character"]);
});

test("the SPF term of a former gateway stands beside ours also where the MX is not touched", async () => {
  const spf = { replaceMx: ["include:_spf.former.test"] };
  const { domains } = await read({ values: withDomain({ inbound: "none", spf }) });
  expect(domains[0]).toMatchObject({ inbound: "none", spf });
});

test("an empty configuration lacks three values", async () => {
  const faults = await faultsOf({ values: {} });
  expect(faults.map(({ where, code }) => [where?.split("mail:")[1], code])).toEqual([
    ["organisation", "value-missing"],
    ["gateway", "value-missing"],
    ["domains", "value-missing"],
  ]);
});

test.each([
  ["as a credential", withDomain({ credential: TOKEN }), undefined],
  ["as a zone id", withDomain({ zoneId: TOKEN }), undefined],
  ["under a key of its own", withDomain({ token: TOKEN }), undefined],
  ["in a secret", withDomain({ server: TOKEN }), "mail:domains"],
])("a token never shows: %s", async (_, values, secret) => {
  const faults = await faultsOf(secret === undefined ? { values } : { values, secret });
  expect(faults).toHaveLength(1);
  expect(JSON.stringify(faults)).not.toContain(TOKEN);
  expect(faults[0]?.message).not.toContain(TOKEN);
});

test("the gateway of another stack", async () => {
  const values = { ...sound, "mail:gateway": { stack: "org/mail/gateway" } };
  const config = await read({ values, outputs: { ...gateway, colour: "blue" } });
  expect(config.gateway).toEqual(gateway);

  const [unknown] = await faultsOf({ values });
  expect(unknown).toMatchObject({
    code: "gateway-stack-unreadable",
    where: `${FILE}: config mail:gateway.stack`,
    problem: expect.stringContaining('unknown stack "org/mail/gateway"'),
  });

  const [missing] = await faultsOf({ values, outputs: { ...gateway, smtpIn: undefined } });
  expect(missing).toMatchObject({
    where: `${FILE}: config mail:gateway.stack`,
    problem: expect.stringContaining("outputs.smtpIn"),
  });
});
