/** The SPF record and the place from which mail leaves change together, with the real engine. */
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { type RoutingGateway, type RoutingLab, startRoutingLab } from "./routing-lab.ts";
import { failed, gatewayTerm, spfOf, succeeded } from "./tenant.ts";

vi.setConfig({ testTimeout: 400_000, hookTimeout: 120_000 });

const relayServer = "relay.example.net";

let lab: RoutingLab;
let fleet: RoutingGateway;

beforeAll(async () => {
  lab = await startRoutingLab();
  fleet = await lab.addGateway("fleet");
});

afterAll(() => lab[Symbol.asyncDispose]());

async function wayOut(domain: string) {
  const record = await fleet.recordOf(domain);
  const { outbound, relayServer: relay } = record?.active?.route ?? {};
  return { outbound, relay: relay?.host };
}

test.each([
  ["relay", { relayServer }, { outbound: "standard", relay: relayServer }],
  ["loop", { outbound: "loopback" }, { outbound: "loopback", relay: undefined }],
] as const)(
  "mail leaves as before until SPF names the gateway: %s",
  async (name, entry, before) => {
    const domain = `from-${name}.test`;
    const zone = await lab.addZone(domain);
    const stack = await lab.addStack(`from-${name}`, fleet, [{ name: domain, ...entry }]);
    const { options } = lab;
    await succeeded(stack.up([], options));
    expect(spfOf(zone)).not.toContain(gatewayTerm);
    // Another part of the route changes in the same run, and at once.
    const direct = { name: domain, rcptLookup: false };
    await lab.write(stack, fleet, [direct]);
    expect((await succeeded(stack.preview([], options))).text).toContain("still leaves through");
    const first = await succeeded(stack.up([], options));
    expect(first.text).toContain("outbound mail still leaves through");
    expect(first.text).toContain("Run pulumi up again");
    expect(await wayOut(domain)).toEqual(before);
    expect((await fleet.recordOf(domain))?.active?.route.rcptLookup).toEqual({ kind: "off" });
    expect(spfOf(zone)).toContain(gatewayTerm);
    // The resolver may remember the record of before for a moment.
    await expect
      .poll(async () => (await succeeded(stack.up([], options))).text, { timeout: 120_000 })
      .not.toContain("still leaves through");
    expect(await wayOut(domain)).toEqual({ outbound: "standard", relay: undefined });
    expect((await succeeded(stack.up([], options))).text).toContain("unchanged");
    // The way back needs one run: the Relay Server takes over, and then SPF loses the term.
    await lab.write(stack, fleet, [{ ...direct, ...entry }]);
    await succeeded(stack.up([], options));
    expect(await wayOut(domain)).toEqual(before);
    expect(spfOf(zone)).not.toContain(gatewayTerm);
  },
);

test("of a gateway that nobody here can ask, a person says that its way out is another now", async () => {
  const domain = "hosted-relay.test";
  const zone = await lab.addZone(domain);
  const { tenants } = lab;
  const entry = { name: domain, quietSeconds: 60 };
  const stack = await tenants.addStack("hosted-relay", { domains: [entry] });
  await succeeded(stack.up());
  await stack.write({ domains: [{ ...entry, relayServer }] });
  for (const run of [stack.preview(), stack.up()]) {
    expect((await failed(run)).text).toContain("outbound-way-unconfirmed");
  }
  expect(spfOf(zone)).toContain(gatewayTerm);
  await succeeded(stack.up([], { env: { MXHERO_OUTBOUND_STOPPED: domain } }));
  expect(spfOf(zone)).not.toContain(gatewayTerm);
});

test.each([{ relayServer }, { outbound: "none" as const }])(
  "the SPF record keeps a gateway that nobody here can ask, though other terms stay in it: %o",
  async (change) => {
    const [key = ""] = Object.keys(change);
    const domain = `keeps-${key.toLowerCase()}.test`;
    const zone = await lab.addZone(domain);
    const spf = { replaceMx: [`a:mail.${domain}`] };
    const entry = { name: domain, quietSeconds: 60, spf };
    const stack = await lab.tenants.addStack(`keeps-${key}`, { domains: [entry] });
    await succeeded(stack.up());
    await stack.write({ domains: [{ ...entry, ...change }] });
    for (const run of [stack.preview(), stack.up()]) {
      expect((await failed(run)).text).toContain("outbound-way-unconfirmed");
    }
    expect(spfOf(zone)).toContain(gatewayTerm);
    await succeeded(stack.up([], { env: { MXHERO_OUTBOUND_STOPPED: domain } }));
    expect(spfOf(zone)).not.toContain(gatewayTerm);
    expect(spfOf(zone)).toContain(`a:mail.${domain}`);
  },
);

test("who comes again does not wait for the Relay Server that it had before", async () => {
  const domain = "again-direct.test";
  const zone = await lab.addZone(domain);
  const { options } = lab;
  const stack = await lab.addStack("again-direct", fleet, [{ name: domain, relayServer }]);
  await succeeded(stack.up([], options));
  await succeeded(stack.destroy([], options));
  const next = await lab.addStack("again-direct-next", fleet, [{ name: domain }]);
  const { text } = await succeeded(next.up([], options));
  expect(text).not.toContain("still leaves through");
  expect(await wayOut(domain)).toEqual({ outbound: "standard", relay: undefined });
  expect(spfOf(zone)).toContain(gatewayTerm);
});

test("from a gateway that nobody here can ask to another one, its SPF term stays until a person lets it go", async () => {
  const domain = "from-hosted.test";
  const zone = await lab.addZone(domain);
  const { options, tenants } = lab;
  await tenants.addZone("own-gateway.test", [
    { name: "smtp-in.own-gateway.test", type: "A", content: `${tenants.world.net}.1.2` },
    { name: "smtp-relay.own-gateway.test", type: "A", content: `${tenants.world.net}.1.3` },
    { name: "_spf.own-gateway.test", type: "TXT", content: '"v=spf1 ip4:192.0.2.3 -all"' },
  ]);
  const own = await lab.addGateway("own", {
    mx: [{ exchange: "smtp-in.own-gateway.test", preference: 10 }],
    smtpIn: "smtp-in.own-gateway.test",
    smtpRelay: "smtp-relay.own-gateway.test",
    spfInclude: "_spf.own-gateway.test",
  });
  const stack = await tenants.addStack("from-hosted", { domains: [{ name: domain }] });
  await succeeded(stack.up());
  await lab.write(stack, own, [{ name: domain }]);
  const before = zone.snapshot();
  for (const run of [stack.preview([], options), stack.up([], options)]) {
    const { text } = await failed(run);
    expect(text).toContain("spf-term-of-former-gateway");
    expect(text).toContain(`write "${gatewayTerm}" into spf.replaceMx`);
  }
  // With a Relay Server there, the stack would not edit SPF any more.
  const relayed = { name: domain, relayServer, quietSeconds: 60 };
  await lab.write(stack, own, [relayed]);
  expect((await failed(stack.up([], options))).text).toContain("spf-term-of-former-gateway");
  expect(zone.snapshot()).toEqual(before);
  // As the message says.
  await lab.write(stack, own, [{ name: domain, spf: { replaceMx: [gatewayTerm] } }]);
  await succeeded(stack.up([], options));
  expect(spfOf(zone)).toContain(gatewayTerm);
  expect(spfOf(zone)).toContain("include:_spf.own-gateway.test");
  await lab.write(stack, own, [{ name: domain }]);
  await succeeded(stack.up([], options));
  expect(spfOf(zone)).not.toContain(gatewayTerm);

  // And back: the route leaves, and goes on relaying for as long as it does.
  const ownTerm = "include:_spf.own-gateway.test";
  for (const entry of [{ name: domain }, relayed]) {
    await stack.write({ domains: [entry] });
    expect((await failed(stack.up([], options))).text).toContain("spf-term-of-former-gateway");
    expect(spfOf(zone)).toContain(ownTerm);
  }
  expect(await own.recordOf(domain)).not.toHaveProperty("leaving");
  await stack.write({ domains: [{ name: domain, spf: { replaceMx: [ownTerm] } }] });
  await succeeded(stack.up([], options));
  expect(spfOf(zone)).toContain(ownTerm);
  expect(spfOf(zone)).toContain(gatewayTerm);
  const { leaving } = (await own.recordOf(domain)) ?? {};
  const days =
    (Date.parse(leaving?.deferFrom ?? "") - Date.parse(leaving?.since ?? "")) / 86_400_000;
  expect(days).toBe(7);
});
