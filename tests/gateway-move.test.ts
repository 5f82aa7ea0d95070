/** A tenant moves to another gateway: both serve it for a while, with the real engine. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { MX_TTL_SECONDS } from "../mail/departure.ts";
import {
  addNewGateway,
  NEW_MX,
  type RoutingGateway,
  type RoutingLab,
  startRoutingLab,
} from "./routing-lab.ts";
import { failed, mxOf, spfOf, succeeded, type TenantStack, txt } from "./tenant.ts";

vi.setConfig({ testTimeout: 600_000, hookTimeout: 120_000 });

const DAY = 86_400;

let lab: RoutingLab;
let old: RoutingGateway;
let next: RoutingGateway;

beforeAll(async () => {
  lab = await startRoutingLab();
  old = await lab.addGateway("old");
  next = await addNewGateway(lab);
});

afterAll(() => lab[Symbol.asyncDispose]());

async function onOld(name: string) {
  const domains = [{ name: `${name}.test`, quietSeconds: DAY }];
  const zone = await lab.addZone(`${name}.test`);
  const stack = await lab.addStack(name, old, domains);
  await succeeded(stack.up([], lab.options));
  return { domain: `${name}.test`, domains, zone, stack };
}

/** What the state says of the time since which the MX is gone lies as far back as a TTL. */
async function letTtlPass(stack: TenantStack): Promise<void> {
  const before = new Date(Date.now() - (MX_TTL_SECONDS + 1) * 1000).toISOString();
  await editState(stack, /"mxGoneSince": "[^"]+"/g, `"mxGoneSince": "${before}"`);
}

async function editState(stack: TenantStack, pattern: RegExp, text: string): Promise<void> {
  const { stdout } = await succeeded(stack.run(["stack", "export"]));
  const moved = stdout.replaceAll(pattern, text);
  expect(moved).not.toBe(stdout);
  const file = join(lab.tenants.project.directory, "moved.json");
  await writeFile(file, moved);
  await succeeded(stack.run(["stack", "import", "--file", file]));
}

test("the old gateway serves until its MX is forgotten and nothing goes out there; SPF names both", async () => {
  const { domain, domains, zone, stack } = await onOld("move");
  await old.sent(domain, 60, 5);
  await lab.write(stack, next, domains);
  const both =
    /include:_spf\.gateway\.test include:_spf\.new-gateway\.test|include:_spf\.new-gateway\.test include:_spf\.gateway\.test/;
  expect((await succeeded(stack.preview([], lab.options))).text).toMatch(both);
  const up = await succeeded(stack.up([], lab.options));
  expect(up.text).toContain(
    "it stays at the former gateway (mxhero-old-routes), too: the domain's MX still names smtp-in.gateway.test",
  );
  expect(mxOf(zone)).toEqual([NEW_MX]);
  expect(spfOf(zone)).toMatch(both);
  expect(await next.recordOf(domain)).toHaveProperty("active");
  expect(await old.recordOf(domain)).not.toHaveProperty("leaving");

  const second = await succeeded(stack.up([], lab.options));
  expect(second.text).toContain("resolvers may remember its MX until");
  await letTtlPass(stack);
  const third = await succeeded(stack.up([], lab.options));
  expect(third.text).toContain("the domain still sends through it (5 messages between");
  expect(await old.recordOf(domain)).not.toHaveProperty("leaving");
  expect(spfOf(zone)).toMatch(both);

  await old.sent(domain, DAY + 60, 5);
  expect((await succeeded(stack.preview([], lab.options))).text).toContain(
    "it leaves the former gateway (mxhero-old-routes)",
  );
  await succeeded(stack.up([], lab.options));
  expect(await old.recordOf(domain)).toHaveProperty("leaving");
  expect(await next.recordOf(domain)).not.toHaveProperty("leaving");
  expect(spfOf(zone)).toContain("include:_spf.new-gateway.test");
  expect(spfOf(zone)).not.toContain("include:_spf.gateway.test");
  expect((await succeeded(stack.up([], lab.options))).text).toContain("unchanged");

  await succeeded(stack.destroy([], lab.options));
  expect(await next.recordOf(domain)).toHaveProperty("leaving");
  expect(spfOf(zone)).not.toContain("gateway.test");
  expect(mxOf(zone)).toEqual([`mail.${domain}`]);
});

test("a destroy of a domain that has half moved waits for both gateways, and takes both away", async () => {
  const { domain, domains, zone, stack } = await onOld("half");
  await lab.write(stack, next, domains);
  await succeeded(stack.up([], lab.options));
  await old.sent(domain, 60, 3);
  const { text } = await failed(stack.destroy([], lab.options));
  expect(text).toContain("still sends through the gateway: 3 messages");
  expect(text).toContain("smart host smtp-relay.gateway.test");
  expect(mxOf(zone)).toEqual([`mail.${domain}`]);
  await old.sent(domain, DAY + 60, 3);
  await next.sent(domain, 60, 4);
  expect((await failed(stack.destroy([], lab.options))).text).toContain(
    "smart host smtp-relay.new-gateway.test",
  );
  await next.sent(domain, DAY + 60, 4);
  await succeeded(stack.destroy([], lab.options));
  expect(await old.recordOf(domain)).toHaveProperty("leaving");
  expect(await next.recordOf(domain)).toHaveProperty("leaving");
  expect(spfOf(zone)).not.toContain("gateway.test");
});

test("a former gateway whose table is gone is no hindrance", async () => {
  const { domain, domains, zone, stack } = await onOld("orphan");
  await lab.write(stack, next, domains);
  await succeeded(stack.up([], lab.options));
  await editState(stack, /mxhero-old-routes/g, "mxhero-gone-routes");
  const gone =
    "the former gateway's table mxhero-gone-routes in eu-central-1 is not there any more";
  expect((await succeeded(stack.up([], lab.options))).text).toContain(gone);
  expect(spfOf(zone)).toContain("include:_spf.gateway.test");
  const { text } = await succeeded(stack.destroy([], lab.options));
  expect(text).toContain(gone);
  expect(await next.recordOf(domain)).toHaveProperty("leaving");
  expect(spfOf(zone)).not.toContain("gateway.test");
});

test("it can go back before it has left", async () => {
  const { domain, domains, zone, stack } = await onOld("back");
  await lab.write(stack, next, domains);
  await succeeded(stack.up([], lab.options));
  await lab.write(stack, old, domains);
  await succeeded(stack.up([], lab.options));
  expect(mxOf(zone)).toEqual(["smtp-in.gateway.test"]);
  expect(spfOf(zone)).toContain("include:_spf.gateway.test");
  expect(await old.recordOf(domain)).not.toHaveProperty("leaving");
  // The other one is the former gateway now.
  await succeeded(stack.up([], lab.options));
  await letTtlPass(stack);
  await succeeded(stack.up([], lab.options));
  expect(await next.recordOf(domain)).toHaveProperty("leaving");
  expect(spfOf(zone)).not.toContain("new-gateway.test");
  await succeeded(stack.destroy([], lab.options));
});

test("an SPF record that has no room for both is refused before anything changes", async () => {
  const { domain, domains, zone, stack } = await onOld("full");
  // Eight lookups of others, and one of each gateway: nine of ten now; with a tenth by hand the move is one too many.
  const others = Array.from({ length: 9 }, (_, index) => `a:host${index}.mail-host.test`);
  const record = zone.snapshot().find(({ content }) => content.includes("v=spf1"));
  const full = `v=spf1 ${others.join(" ")} include:_spf.gateway.test -all`;
  const rest = zone
    .snapshot()
    .filter((each) => each !== record && each.content !== record?.content);
  await lab.tenants.world.cloudflare.seed(zone.id, [...rest, txt(domain, full)]);
  await lab.write(stack, next, domains);
  for (const run of [stack.preview([], lab.options), stack.up([], lab.options)]) {
    expect((await failed(run)).text).toContain("spf-lookups-over-limit");
  }
  expect(await next.recordOf(domain)).toBeUndefined();
  expect(mxOf(zone)).toEqual(["smtp-in.gateway.test"]);
});

test("SPF keeps the old gateway's term where mail is to leave elsewhere from now on", async () => {
  const { domain, domains, zone, stack } = await onOld("relayed");
  const relayed = domains.map((entry) => ({ ...entry, relayServer: "relay.example.net" }));
  await old.sent(domain, 60, 2);
  // As an earlier version has kept it.
  await editState(stack, /\s*"editsSpf": true,/g, "");
  const before = zone.snapshot();
  await lab.write(stack, next, relayed);
  for (const run of [stack.preview([], lab.options), stack.up([], lab.options)]) {
    const { text } = await failed(run);
    expect(text).toContain("spf-term-of-former-gateway");
    expect(text).toContain("smtp-relay.gateway.test");
  }
  expect(zone.snapshot()).toEqual(before);
  expect(await next.recordOf(domain)).toBeUndefined();

  // As the message says: it moves as it is, and until the old gateway has let it go nothing else changes.
  await lab.write(stack, next, domains);
  await succeeded(stack.up([], lab.options));
  await lab.write(stack, next, relayed);
  expect((await failed(stack.up([], lab.options))).text).toContain("spf-term-of-former-gateway");
  expect(spfOf(zone)).toContain("include:_spf.gateway.test");
  const env = { ...lab.options.env, MXHERO_OUTBOUND_STOPPED: domain };
  await succeeded(stack.up([], { ...lab.options, env }));
  expect((await next.recordOf(domain))?.active?.route.relayServer?.host).toBe("relay.example.net");
  expect(spfOf(zone)).not.toContain("gateway.test");
  // The old gateway goes on serving the domain, and nothing of SPF is left to ask for.
  const { text } = await succeeded(stack.up([], lab.options));
  expect(text).toContain("it stays at the former gateway (mxhero-old-routes), too");
});

test("a gateway is not let go while inbound mail is still handed over to it", async () => {
  const name = "handed";
  const domain = `${name}.test`;
  const zone = await lab.addZone(domain);
  const domains = [{ name: domain, inbound: "loopback", quietSeconds: DAY } as const];
  const stack = await lab.addStack(name, old, domains);
  await succeeded(stack.up([], lab.options));
  await lab.write(stack, next, domains);
  await succeeded(stack.up([], lab.options));
  await letTtlPass(stack);
  await old.handedOver(domain, 60);
  const { text } = await succeeded(stack.up([], lab.options));
  expect(text).toContain("mail for the domain is still handed over to it");
  expect(await old.recordOf(domain)).not.toHaveProperty("leaving");
  // A destroy asks the same of both.
  const border = { name: domain, inbound: "none", quietSeconds: DAY } as const;
  await lab.write(stack, next, [border]);
  await succeeded(stack.up([], lab.options));
  expect((await failed(stack.destroy([], lab.options))).text).toContain(
    "inbound-still-handed-over",
  );
  await old.handedOver(domain, DAY + 180);
  await succeeded(stack.destroy([], lab.options));
  expect(await old.recordOf(domain)).toHaveProperty("leaving");
  expect(spfOf(zone)).not.toContain("gateway.test");
});

test("a gateway that is named by its hosts from now on keeps the routes to which MX lead", async () => {
  const { domain, stack, zone } = await onOld("by-hosts");
  await stack.write({ domains: [{ name: domain, quietSeconds: DAY }] });
  const { text } = await failed(stack.up([], lab.options));
  expect(text).toContain("(mx-still-names-gateway");
  expect(mxOf(zone)).toEqual(["smtp-in.gateway.test"]);
  expect(await old.recordOf(domain)).not.toHaveProperty("leaving");
  const env = { ...lab.options.env, MXHERO_INBOUND_GIVEN_UP: domain };
  expect((await succeeded(stack.up([], { ...lab.options, env }))).text).toContain(
    "its mail is refused some days from now",
  );
  expect(await old.recordOf(domain)).toHaveProperty("leaving");
});

test("whoever still sends is not cut off by a change of the route", async () => {
  const { domain, domains, stack } = await onOld("cut");
  const [domainEntry] = domains;
  const entry = { ...domainEntry, name: domain };
  const both = { ...entry, sendingFrom: ["11.22.33.44", "55.66.77.88"] };
  await lab.write(stack, old, [both]);
  await succeeded(stack.up([], lab.options));
  const before = (await old.recordOf(domain))?.active;
  await old.sent(domain, 60, 2, "55.66.77.88");

  await lab.write(stack, old, [{ ...both, outbound: "none", sendingFrom: undefined }]);
  expect((await succeeded(stack.preview([], lab.options))).text).toContain("still sends");
  expect((await failed(stack.up([], lab.options))).text).toContain("outbound-still-sending");
  await lab.write(stack, old, [entry]);
  const { text } = await failed(stack.up([], lab.options));
  expect(text).toContain("from 55.66.77.88");
  expect((await old.recordOf(domain))?.active).toEqual(before);

  // The other identity does not send.
  await lab.write(stack, old, [{ ...entry, sendingFrom: ["55.66.77.88"] }]);
  await succeeded(stack.up([], lab.options));
  await old.sent(domain, DAY + 60, 2, "55.66.77.88");
  await lab.write(stack, old, [{ ...entry, outbound: "none", sendingFrom: undefined }]);
  await succeeded(stack.up([], lab.options));
  expect((await old.recordOf(domain))?.active?.route.outbound).toBe("none");
  await succeeded(stack.destroy([], lab.options));
});
