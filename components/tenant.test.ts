import { setTimeout } from "node:timers/promises";
import type { Output } from "@pulumi/pulumi";
import { output } from "@pulumi/pulumi/output.js";
import { setMocks } from "@pulumi/pulumi/runtime/mocks.js";
import { beforeAll, beforeEach, expect, test } from "vitest";
import { z } from "zod";
import { contoso, contosoWithRoute, gateway, gatewayWithRoutes } from "../config/example-tenant.ts";
import { domain } from "../config/tenant.ts";
import { planTenant } from "../config/tenant-plan.ts";
import { routeInputs } from "../provider/route-schema.ts";
import { Tenant } from "./tenant.ts";

/** What was registered and when it was done, in order. */
const events: string[] = [];
/** Of `Route`, as the engine is given it. */
let given: unknown;

beforeEach(() => {
  events.length = 0;
});

const SAFE_FROM = "2026-01-01T00:05:00.000Z";

beforeAll(() =>
  setMocks({
    call: () => ({}),
    async newResource({ type, name, inputs }) {
      if (!type.startsWith("mxhero:index:")) return { id: undefined, state: {} };
      events.push(`${name} begins`);
      await setTimeout(20);
      events.push(`${name} ends`);
      const before = [{ exchange: "mail.contoso.test", preference: 10 }];
      const mx = { before, after: gateway.mx, lockDownSafeFrom: SAFE_FROM };
      const spf = { before: "v=spf1 -all", after: "v=spf1 include:_spf.gateway.test -all" };
      const route = { version: 1, slots: ["a", "b"] };
      if (name.endsWith("-route")) given = inputs;
      const results = name.endsWith("-mx")
        ? mx
        : { ...spf, ...route, lookups: 1, lookupsByTerm: "all: 1" };
      return { id: name, state: { ...inputs, ...results } };
    },
  }),
);

function tenant(changes: Readonly<Record<string, unknown>>) {
  const domains = [domain.parse({ ...contoso, ...changes })];
  return new Tenant("tenant", { plan: planTenant({ organisation: "contoso", gateway, domains }) });
}

function settled<T>(value: Output<T>): Promise<T> {
  return new Promise((resolve) => {
    value.apply(resolve);
  });
}

test("SPF is edited, and the way back guarded, before the MX moves", async () => {
  await settled(output(tenant({}).domains));
  expect(events).toEqual([
    "tenant-contoso.test-spf begins",
    "tenant-contoso.test-spf ends",
    "tenant-contoso.test-drain begins",
    "tenant-contoso.test-drain ends",
    "tenant-contoso.test-mx begins",
    "tenant-contoso.test-mx ends",
  ]);
});

test("the outputs say what became of the domain", async () => {
  expect(await settled(output(tenant({}).domains))).toEqual({
    "contoso.test": {
      name: "contoso.test",
      inbound: "border",
      outbound: "standard",
      server: "mail.contoso.test",
      mailSystem: "exchange",
      directives: {
        server: "mail.contoso.test",
        mxLookup: false,
        rcptLookup: "off",
        relayServer: "none",
      },
      gateway: "smtp-in.gateway.test",
      bypass: false,
      dns: "cloudflare",
      inboundPath: {
        before: "sender → MX 10 mail.contoso.test",
        after:
          "sender → MX 10 smtp-in.gateway.test → gateway → Exchange (Server mail.contoso.test)",
      },
      outboundPath: {
        before: "Exchange → recipient's MX",
        after: "Exchange → gateway (smtp-relay.gateway.test) → recipient's MX",
      },
      mx: {
        before: [{ exchange: "mail.contoso.test", preference: 10 }],
        after: [{ exchange: "smtp-in.gateway.test", preference: 10 }],
        lockDownSafeFrom: SAFE_FROM,
      },
      spf: {
        before: "v=spf1 -all",
        after: "v=spf1 include:_spf.gateway.test -all",
        lookups: 1,
        lookupsByTerm: "all: 1",
      },
    },
  });
});

test("a domain that only sends has no takeover, one that only receives no SPF", async () => {
  const sends = await settled(output(tenant({ inbound: "none" }).domains));
  expect(sends["contoso.test"]).not.toHaveProperty("mx");
  const receives = await settled(output(tenant({ outbound: "none" }).domains));
  expect(receives["contoso.test"]).not.toHaveProperty("spf");
  expect(events.filter((event) => event.endsWith("ends"))).toEqual([
    "tenant-contoso.test-spf ends",
    "tenant-contoso.test-drain ends",
    "tenant-contoso.test-mx ends",
  ]);
});

test("the steps have the domain's values, and the time from when a lock-down is safe", async () => {
  const steps = await settled(output(tenant({}).steps));
  const { onboarding = [], offboarding = [] } = steps["contoso.test"] ?? {};
  expect(onboarding[0]?.[0]).toBe(
    "1. Before pulumi up: give the gateway its directives for contoso.test",
  );
  expect(onboarding.at(-1)?.[0]).toContain(`not before ${SAFE_FROM}: lock Exchange down`);
  expect(offboarding[0]?.[0]).toContain("1. Before pulumi destroy: lift the lock-down");
});

const PASSWORD = "correct horse battery staple";

function tenantWithRoute() {
  const login = { user: "gateway@contoso.test", passwordName: "relay" };
  const relayServer = { host: "relay.contoso.test", port: 587, tls: "verified", login };
  const domains = [domain.parse({ ...contosoWithRoute, relayServer, rcptLookup: true })];
  const relayPasswords = { relay: PASSWORD };
  const config = { organisation: "contoso", gateway: gatewayWithRoutes, relayPasswords, domains };
  return new Tenant("tenant", { plan: planTenant(config) });
}

test("the gateway knows the domain before the MX moves", async () => {
  await settled(output(tenantWithRoute().domains));
  expect(events).toEqual([
    "tenant-contoso.test-route begins",
    "tenant-contoso.test-route ends",
    "tenant-contoso.test-drain begins",
    "tenant-contoso.test-drain ends",
    "tenant-contoso.test-mx begins",
    "tenant-contoso.test-mx ends",
  ]);
});

test("the outputs say the route, and no secret; the Route is given it as one", async () => {
  const domains = await settled(output(tenantWithRoute().domains));
  expect(domains["contoso.test"]?.route).toEqual({
    server: "mail.contoso.test",
    mxLookup: false,
    rcptLookup: "probe",
    inactive: false,
    relayServer: "relay.contoso.test, port 587, TLS verified, login gateway@contoso.test",
    sendingFrom: ["11.22.33.44"],
    version: 1,
    slots: ["a", "b"],
  });
  expect(JSON.stringify(domains)).not.toContain(PASSWORD);
  // The wire form of a secret. The mocks hide all of an object that has one in it; the engine does not.
  const signature = { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270" };
  const login = { user: "gateway@contoso.test", password: PASSWORD };
  expect(given).toMatchObject({
    domain: "contoso.test",
    store: { table: "routes" },
    relayServer: { ...signature, value: { host: "relay.contoso.test", login } },
  });
});

test("the provider takes what Route is given", async () => {
  await settled(output(tenantWithRoute().domains));
  const { relayServer } = z
    .looseObject({ relayServer: z.object({ value: z.unknown() }) })
    .parse(given);
  const inputs = {
    ...z.record(z.string(), z.unknown()).parse(given),
    relayServer: relayServer.value,
  };
  expect(routeInputs.parse(inputs)).toMatchObject({ domain: "contoso.test", nextHops: "public" });
});
