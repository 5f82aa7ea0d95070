import * as fc from "fast-check";
import { expect, test } from "vitest";
import { stepFacts } from "./domain-steps.ts";
import { contoso, contosoWithRoute, gateway, gatewayWithRoutes } from "./example-tenant.ts";
import { type DomainConfig, domain as domainSchema } from "./tenant.ts";
import { planTenant } from "./tenant-plan.ts";
import { tenantFaults } from "./tenant-rules.ts";

const mx = fc.record({
  exchange: fc.constantFrom("mail.contoso.test", "mx.contoso.test"),
  preference: fc.integer({ min: 0, max: 65_535 }),
});
const absent = fc.constant(undefined);

/** Domains as a person may write them, of which the rules admit some. */
const domains: fc.Arbitrary<DomainConfig> = fc
  .record({
    name: fc.constantFrom("contoso.test", "sub.contoso.test", "bücher.test"),
    mailSystem: fc.constantFrom("microsoft365", "google", "exchange", "other"),
    server: fc.constantFrom("mail.contoso.test", "192.0.2.25"),
    relayServer: fc.oneof(absent, fc.constant("relay.contoso.test")),
    inbound: fc.constantFrom("border", "loopback", "none"),
    outbound: fc.constantFrom("standard", "loopback", "none"),
    bypass: fc.boolean(),
    spf: fc.oneof(
      absent,
      fc.record({
        base: fc.oneof(absent, fc.constant("v=spf1 -all")),
        replaceMx: fc.oneof(absent, fc.subarray(["a:mail.contoso.test", "ip4:192.0.2.25"])),
      }),
    ),
    handBackTo: fc.oneof(absent, fc.array(mx, { minLength: 1, maxLength: 2 })),
    zoneId: fc.oneof(absent, fc.constant("0123456789abcdef0123456789abcdef")),
    credential: fc.oneof(absent, fc.constant("subsidiary")),
    dns: fc.oneof(absent, fc.constantFrom("cloudflare", "manual")),
  })
  .map((written) => domainSchema.parse(written))
  .filter((config) => tenantFaults({ gateway, domains: [config] }).length === 0);

function plan(config: DomainConfig) {
  const [planned] = planTenant({ organisation: "contoso", gateway, domains: [config] }).domains;
  if (planned === undefined) throw new Error("no domain was planned");
  return planned;
}

test("the MX is touched exactly for inbound border", () => {
  fc.assert(
    fc.property(domains, (config) => {
      const { takeover } = plan(config);
      expect(takeover?.mx).toEqual(config.inbound === "border" ? gateway.mx : undefined);
    }),
  );
});

test("SPF names the gateway exactly where mail leaves from it to the world", () => {
  fc.assert(
    fc.property(domains, (config) => {
      const { spf } = plan(config);
      const leaves = config.outbound === "standard" && config.relayServer === undefined;
      expect(spf?.include).toBe(leaves ? "_spf.gateway.test" : undefined);
    }),
  );
});

test("SPF is edited only to name the gateway or to replace mx", () => {
  fc.assert(
    fc.property(domains, (config) => {
      const { spf } = plan(config);
      const terms = config.spf?.replaceMx ?? [];
      expect(spf?.replacements ?? []).toEqual(terms);
      expect(spf !== undefined).toBe(spf?.include !== undefined || terms.length > 0);
    }),
  );
});

test("whether a replacement of mx was accepted, and which, reaches the takeover", () => {
  fc.assert(
    fc.property(domains, (config) => {
      const { takeover } = plan(config);
      const accepted = config.inbound === "border" ? config.spf?.replaceMx : undefined;
      expect(takeover?.spfTerms).toEqual(accepted);
    }),
  );
});

test("both resources work on the domain with the same zone and credential", () => {
  fc.assert(
    fc.property(domains, (config) => {
      const { spf, takeover } = plan(config);
      const { name: domain, zoneId, credential } = config;
      const dns = config.dns === "manual" ? "manual" : undefined;
      const zone = { organisation: "contoso", domain, dns, zoneId, credential };
      for (const resource of [spf, takeover]) {
        expect(resource ?? zone).toMatchObject(zone);
      }
    }),
  );
});

test("a bypass changes nothing else", () => {
  fc.assert(
    fc.property(domains, (config) => {
      const on = plan({ ...config, bypass: true });
      const off = plan({ ...config, bypass: false });
      expect(on.spf).toEqual(off.spf);
      expect(on.takeover && { ...on.takeover, bypass: false }).toEqual(off.takeover);
    }),
  );
});

test("inactive is the organisation's word, and a domain's own stands above it", () => {
  for (const [whole, own, expected] of [
    [undefined, undefined, false],
    [undefined, true, true],
    [true, undefined, true],
    [true, false, false],
    [false, true, true],
  ] as const) {
    const config = domainSchema.parse({ ...contosoWithRoute, inactive: own });
    const tenant = { organisation: "contoso", gateway: gatewayWithRoutes, inactive: whole };
    const [planned] = planTenant({ ...tenant, domains: [config] }).domains;
    expect(planned).toMatchObject({
      route: { inactive: expected },
      takeover: { inactive: expected },
    });
  }
});

test("the plan of a domain", () => {
  const config = domainSchema.parse({ ...contoso, overlapSeconds: 2 });
  expect(plan(config)).toEqual({
    name: "contoso.test",
    displayName: "contoso.test",
    config,
    gateway,
    spf: {
      organisation: "contoso",
      domain: "contoso.test",
      include: "_spf.gateway.test",
      relay: "smtp-relay.gateway.test",
      unseen: true,
    },
    drain: {
      domain: "contoso.test",
      mailSystem: "exchange",
      relay: "smtp-relay.gateway.test",
      quietSeconds: 86_400,
      include: "_spf.gateway.test",
    },
    takeover: {
      organisation: "contoso",
      domain: "contoso.test",
      mx: [{ exchange: "smtp-in.gateway.test", preference: 10 }],
      server: "mail.contoso.test",
      mxLookup: false,
      bypass: false,
      overlapSeconds: 2,
      handBackConfirmed: false,
      gatewayHosts: ["smtp-in.gateway.test", "smtp-relay.gateway.test"],
      inactive: false,
      probeGateway: true,
    },
    steps: stepFacts({ organisation: "contoso", gateway, domains: [config] }, config),
  });
});

test("only a domain that sends through the gateway is drained, for as long as the file says", () => {
  const { drain } = plan(
    domainSchema.parse({ ...contoso, outbound: "loopback", quietSeconds: 600 }),
  );
  expect(drain).toMatchObject({ quietSeconds: 600 });
  expect(plan(domainSchema.parse({ ...contoso, outbound: "none" })).drain).toBeUndefined();
  const handsOver = domainSchema.parse({ ...contoso, inbound: "loopback", outbound: "none" });
  expect(plan(handsOver).drain).toMatchObject({
    relay: "smtp-in.gateway.test",
    handsOverTo: "smtp-in.gateway.test",
  });
});

test("a domain in another script is planned in A-labels and shown as it is written", () => {
  const { name, displayName } = plan(domainSchema.parse({ ...contoso, name: "bücher.test" }));
  expect({ name, displayName }).toEqual({ name: "xn--bcher-kva.test", displayName: "bücher.test" });
});
