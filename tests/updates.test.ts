/** What changes while a domain is on the gateway: a bypass, the gateway's hosts, the domain's Server. */
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import type { RecordSpec } from "../lab/cloudflare/index.ts";
import {
  failed,
  gateway,
  gatewayMx,
  gatewayTerm,
  mx,
  startTenantLab,
  succeeded,
  type TenantLab,
  type TenantZone,
  txt,
} from "./tenant.ts";
import { assertNeverEmptyOrForeign, watchNameServers } from "./watch-name-servers.ts";

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let lab: TenantLab;

beforeAll(async () => {
  lab = await startTenantLab();
});

afterAll(() => lab[Symbol.asyncDispose]());

/** A zone whose MX carry what a hand-back must not forget. */
function addZone(name: string): Promise<TenantZone> {
  return lab.addZone(name, [
    { ...mx(name, 10, `mail.${name}`), comment: "main", ttl: 3600 },
    mx(name, 20, "backup.mail-host.test"),
    txt(name, `v=spf1 a:mail.${name} -all`),
  ]);
}

function onlyMx(records: readonly RecordSpec[]): RecordSpec[] {
  return records.filter(({ type }) => type === "MX");
}

function mxOf(zone: TenantZone): string[] {
  return onlyMx(zone.snapshot()).map(({ priority, content }) => `${priority} ${content}`);
}

function journalOf(zone: TenantZone): string[] {
  return zone
    .snapshot()
    .filter(({ name }) => name === `_mxhero.${zone.name}`)
    .map(({ content }) => content);
}

test("a bypass puts the old MX back and keeps everything else, in one line", async () => {
  const zone = await addZone("bypass.test");
  const former = ["10 mail.bypass.test", "20 backup.mail-host.test"];
  const before = zone.snapshot();
  const stack = await lab.addStack("bypass", { domains: [{ name: "bypass.test" }] });
  await using watch = watchNameServers(lab.world, "bypass.test");
  await succeeded(stack.up());
  const spf = `"v=spf1 a:mail.bypass.test ${gatewayTerm} -all"`;

  await stack.write({ domains: [{ name: "bypass.test", bypass: true }] });
  await succeeded(stack.up());
  const bypassed = zone.snapshot();
  expect(onlyMx(bypassed)).toEqual(onlyMx(before));
  expect(bypassed.map(({ content }) => content)).toContain(spf);
  expect(journalOf(zone)).toContainEqual(expect.stringContaining(" phase=bypassed "));
  const { domains } = await stack.outputs();
  expect(domains).toMatchObject({
    "bypass.test": {
      bypass: true,
      mx: { after: [{ exchange: "mail.bypass.test" }, { exchange: "backup.mail-host.test" }] },
    },
  });

  await stack.write({ domains: [{ name: "bypass.test" }] });
  await succeeded(stack.up());
  expect(mxOf(zone)).toEqual(gatewayMx);
  await succeeded(stack.destroy());
  expect(zone.snapshot()).toEqual(before);
  assertNeverEmptyOrForeign(await watch.stop(), former, gatewayMx);
});

test("a domain that is bypassed is off the gateway after destroy", async () => {
  const zone = await addZone("bypassed.test");
  const before = zone.snapshot();
  const stack = await lab.addStack("bypassed", {
    domains: [{ name: "bypassed.test", bypass: true }],
  });
  await using watch = watchNameServers(lab.world, "bypassed.test");
  await succeeded(stack.up());
  expect(mxOf(zone)).toEqual(["10 mail.bypassed.test", "20 backup.mail-host.test"]);
  await succeeded(stack.destroy());
  expect(zone.snapshot()).toEqual(before);
  assertNeverEmptyOrForeign(await watch.stop(), mxOf(zone));
});

test("new hosts of the gateway replace the old ones, and what is put back stays the same", async () => {
  const zone = await addZone("hosts.test");
  const former = ["10 mail.hosts.test", "20 backup.mail-host.test"];
  const before = zone.snapshot();
  const domains = [{ name: "hosts.test" }];
  const stack = await lab.addStack("hosts", { domains });
  await using watch = watchNameServers(lab.world, "hosts.test");
  await succeeded(stack.up());
  const journal = journalOf(zone);
  expect(journal.filter((text) => text.includes("kind=was"))).toHaveLength(2);

  const preferences = [{ exchange: "smtp-in.gateway.test", preference: 5 }];
  await stack.write({ domains, gateway: { ...gateway, mx: preferences } });
  await succeeded(stack.up());
  expect(mxOf(zone)).toEqual(["5 smtp-in.gateway.test"]);
  expect(journalOf(zone)).toEqual(journal);

  await stack.write({
    domains,
    gateway: { ...gateway, mx: [{ exchange: "mx2.gateway.test", preference: 10 }] },
  });
  await succeeded(stack.up());
  expect(mxOf(zone)).toEqual(["10 mx2.gateway.test"]);
  expect(journalOf(zone)).toEqual(journal);

  const held = [...watch.log];
  await succeeded(stack.destroy());
  expect(zone.snapshot()).toEqual(before);
  const watched = await watch.stop();
  assertNeverEmptyOrForeign(
    watched,
    former,
    gatewayMx,
    ["5 smtp-in.gateway.test"],
    ["10 mx2.gateway.test"],
  );
  for (const { server } of watched.slice(0, 2)) {
    const answers = held.filter((answer) => answer.server === server).map((answer) => answer.mx);
    const onlyOurs = answers.slice(
      answers.findIndex((answer) => answer.join() === gatewayMx.join()),
    );
    expect(onlyOurs.flat()).not.toContain("10 mail.hosts.test");
  }
});

test("another SPF domain of the gateway replaces the former one", async () => {
  const zone = await addZone("spf.test");
  const before = zone.snapshot();
  const domains = [{ name: "spf.test" }];
  const stack = await lab.addStack("spf", { domains });
  await succeeded(stack.up());
  await stack.write({ domains, gateway: { ...gateway, spfInclude: "_spf.mail-host.test" } });
  await succeeded(stack.up());
  expect(zone.snapshot().map(({ content }) => content)).toContain(
    '"v=spf1 a:mail.spf.test include:_spf.mail-host.test -all"',
  );
  await succeeded(stack.destroy());
  expect(zone.snapshot()).toEqual(before);
});

test("a domain whose mail no longer comes in by the gateway gets its MX back, and keeps SPF", async () => {
  const zone = await addZone("outward.test");
  const before = zone.snapshot();
  const stack = await lab.addStack("outward", { domains: [{ name: "outward.test" }] });
  await succeeded(stack.up());
  await using watch = watchNameServers(lab.world, "outward.test");
  await stack.write({ domains: [{ name: "outward.test", inbound: "none" }] });
  await succeeded(stack.up());
  expect(onlyMx(zone.snapshot())).toEqual(onlyMx(before));
  expect(zone.snapshot().map(({ content }) => content)).toContain(
    `"v=spf1 a:mail.outward.test ${gatewayTerm} -all"`,
  );
  const former = ["10 mail.outward.test", "20 backup.mail-host.test"];
  assertNeverEmptyOrForeign(await watch.stop(), gatewayMx, former);
  await succeeded(stack.destroy());
  expect(zone.snapshot()).toEqual(before);
});

test("where the Server was changed, destroy asks for the MX to put back", async () => {
  const { cloudflare } = lab.world;
  const zone = await addZone("server.test");
  const stack = await lab.addStack("server", { domains: [{ name: "server.test" }] });
  await using watch = watchNameServers(lab.world, "server.test");
  await succeeded(stack.up());
  await cloudflare.edit(zone.id, {
    add: [{ name: "new.server.test", type: "A", content: "192.0.2.25" }],
  });
  const entry = { name: "server.test", server: "new.server.test" };
  await stack.write({ domains: [entry] });
  await succeeded(stack.up());
  const held = zone.snapshot();

  cloudflare.clearLogs();
  const { text } = await failed(stack.destroy());
  expect(text).toMatch(
    /Server was changed after the takeover, so the former MX \(10 mail\.server\.test\., 20 backup\.mail-host\.test\.\) may lead nowhere/,
  );
  expect(text).toMatch(/Give handBackTo with the MX of the present mail system/);
  expect(cloudflare.commits).toEqual([]);
  expect(zone.snapshot()).toEqual(held);

  const handBackTo = [{ exchange: "new.server.test", preference: 10 }];
  await stack.write({ domains: [{ ...entry, handBackTo }] });
  await succeeded(stack.up());
  expect(mxOf(zone)).toEqual(gatewayMx);
  await succeeded(stack.destroy());
  expect(mxOf(zone)).toEqual(["10 new.server.test"]);
  expect(journalOf(zone)).toEqual([]);
  const former = ["10 mail.server.test", "20 backup.mail-host.test"];
  assertNeverEmptyOrForeign(await watch.stop(), former, gatewayMx, ["10 new.server.test"]);
});
