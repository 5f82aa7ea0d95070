/** The proof before a hand-back: the former mail system takes mail from everyone. With real SMTP. */
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { z } from "zod";
import { type MailSystem, startMailSystem } from "../lab/mail-system.ts";
import { testNet } from "../lab/test-net.ts";
import {
  type DomainEntry,
  failed,
  gateway,
  gatewayMx,
  mx,
  startTenantLab,
  succeeded,
  type TenantLab,
  type TenantStack,
  type TenantZone,
  txt,
} from "./tenant.ts";

vi.setConfig({ testTimeout: 300_000, hookTimeout: 120_000 });

const report = z.object({ mx: z.object({ lockDownSafeFrom: z.string().optional() }) });
const GATEWAY_ADDRESS = `${testNet}.1.1`;
const parts = new AsyncDisposableStack();
let lab: TenantLab;
let hosts = 0;

beforeAll(async () => {
  lab = parts.use(await startTenantLab());
});

afterAll(() => parts.disposeAsync());

interface Party {
  readonly zone: TenantZone;
  readonly stack: TenantStack;
  /** By the first label of their names, in the order of their preference. */
  readonly systems: readonly MailSystem[];
}

/** Brings a domain onto the gateway whose former MX have these preferences, each with a mail system. */
async function onboard(
  label: string,
  preferences: readonly number[] = [10],
  entry: Partial<DomainEntry> = {},
): Promise<Party> {
  const name = `${label}.test`;
  const systems: MailSystem[] = [];
  const records = preferences.flatMap((preference, index) => {
    const host = `mx${index}.${name}`;
    const address = `${testNet}.7.${++hosts}`;
    return [mx(name, preference, host), { name: host, type: "A", content: address }];
  });
  for (const { name: host, content } of records.filter(({ type }) => type === "A")) {
    const system = { name: host, address: content, domains: [name] };
    systems.push(parts.use(await startMailSystem(system)));
  }
  const zone = await lab.addZone(name, [txt(name, `v=spf1 a:mail.${name} -all`), ...records]);
  const stack = await lab.addStack(label, {
    domains: [{ name, handBackConfirmed: false, ...entry }],
  });
  await succeeded(stack.up());
  return { zone, stack, systems };
}

const mxOf = ({ name, snapshot }: TenantZone) =>
  snapshot()
    .filter((record) => record.type === "MX" && record.name === name)
    .map(({ priority, content }) => `${priority} ${content}`);

function writesAtCloudflare(): number {
  return lab.world.cloudflare.requests.filter(({ kind }) => kind === "write").length;
}

test("a mail system that takes mail from everyone is asked, gets no message, and gets its MX back", async () => {
  const { zone, stack, systems } = await onboard("open");
  expect(mxOf(zone)).toEqual(gatewayMx);
  const { text } = await succeeded(stack.destroy());
  expect(text).toContain("asking 10 mx0.open.test. whether they take mail from everyone");
  expect(mxOf(zone)).toEqual(["10 mx0.open.test"]);
  expect(systems.flatMap(({ messages }) => messages)).toEqual([]);
});

test("one that is locked to the gateway is refused, and nothing changes until it is opened", async () => {
  const { zone, stack, systems } = await onboard("locked");
  systems[0]?.lockTo([GATEWAY_ADDRESS]);
  lab.world.cloudflare.clearLogs();
  const { text } = await failed(stack.destroy());
  expect(text).toContain("(hand-back-refused");
  expect(text).toContain("RCPT TO:<postmaster@locked.test> → 550 5.7.51");
  expect(text).toContain("Set-InboundConnector");
  expect(text).toContain("MXHERO_HAND_BACK_CONFIRMED=locked.test");
  expect(mxOf(zone)).toEqual(gatewayMx);
  expect(writesAtCloudflare()).toBe(0);
  expect(await stack.resources()).toContainEqual(
    expect.objectContaining({ type: "mxhero:index:SpfInclude" }),
  );

  systems[0]?.lockTo(undefined);
  await succeeded(stack.destroy());
  expect(mxOf(zone)).toEqual(["10 mx0.locked.test"]);
});

test("the administrator's word for one run is enough, without a change of the program", async () => {
  const { zone, stack, systems } = await onboard("word");
  systems[0]?.lockTo([GATEWAY_ADDRESS]);
  await failed(stack.destroy([], { env: { MXHERO_HAND_BACK_CONFIRMED: "other.test" } }));
  const options = { env: { MXHERO_HAND_BACK_CONFIRMED: "other.test,word.test" } };
  const { text } = await succeeded(stack.destroy([], options));
  expect(text).toContain("confirmed by the administrator");
  expect(mxOf(zone)).toEqual(["10 mx0.word.test"]);
});

test("greylisting proves nothing, and passes by itself", async () => {
  const { zone, stack, systems } = await onboard("grey");
  systems[0]?.refuse("recipient", "451 4.7.1 greylisted, try again in 5 minutes");
  const { text } = await failed(stack.destroy());
  expect(text).toContain("(hand-back-not-proven");
  expect(text).toContain("451 4.7.1 greylisted");
  expect(text).toContain("run the same command again in some minutes");
  expect(mxOf(zone)).toEqual(gatewayMx);
  systems[0]?.refuse("recipient", undefined);
  await succeeded(stack.destroy());
  expect(mxOf(zone)).toEqual(["10 mx0.grey.test"]);
});

test("where nobody answers, the configuration confirms; a domain that leaves a tenant is asked for, too", async () => {
  const other: DomainEntry = { name: "stays.test", inbound: "none" };
  await lab.addZone("stays.test", [txt("stays.test", "v=spf1 -all")]);
  const { zone, stack, systems } = await onboard("dead");
  await systems[0]?.[Symbol.asyncDispose]();
  const entry: DomainEntry = { name: "dead.test", handBackConfirmed: false };
  await stack.write({ domains: [other] });
  const { text } = await failed(stack.up());
  expect(text).toContain("(hand-back-not-proven");
  expect(text).toMatch(/connect mx0\.dead\.test \(.*\) port 25 → .*ECONNREFUSED/);
  expect(mxOf(zone)).toEqual(gatewayMx);

  await stack.write({ domains: [{ ...entry, handBackConfirmed: true }, other] });
  await succeeded(stack.up());
  await stack.write({ domains: [other] });
  await succeeded(stack.up());
  expect(mxOf(zone)).toEqual(["10 mx0.dead.test"]);
});

test("a bypass goes on where nothing is proven, and is refused where mail would be", async () => {
  const { zone, stack, systems } = await onboard("bypass");
  const entry: DomainEntry = { name: "bypass.test", handBackConfirmed: false, bypass: true };
  await stack.write({ domains: [entry] });
  systems[0]?.lockTo([GATEWAY_ADDRESS]);
  for (const run of [stack.preview(), stack.up()]) {
    expect((await failed(run)).text).toContain("(hand-back-refused");
    expect(mxOf(zone)).toEqual(gatewayMx);
  }
  systems[0]?.refuse("recipient", "451 4.3.2 later");
  const { text } = await succeeded(stack.up());
  expect(text).toContain("The gateway is bypassed all the same.");
  expect(mxOf(zone)).toEqual(["10 mx0.bypass.test"]);
  // What answers already needs no proof.
  await succeeded(stack.destroy());
});

test("hosts are asked by preference, and of equal ones all", async () => {
  const first = await onboard("first", [10, 20]);
  first.systems[0]?.lockTo([GATEWAY_ADDRESS]);
  expect((await failed(first.stack.destroy())).text).toContain("(hand-back-refused");

  const backup = await onboard("backup", [10, 20]);
  await backup.systems[0]?.[Symbol.asyncDispose]();
  await succeeded(backup.stack.destroy());
  expect(mxOf(backup.zone).toSorted()).toEqual(["10 mx0.backup.test", "20 mx1.backup.test"]);

  const equal = await onboard("equal", [10, 10]);
  equal.systems[1]?.lockTo([GATEWAY_ADDRESS]);
  expect((await failed(equal.stack.destroy())).text).toContain("mx1.equal.test");
  expect(mxOf(equal.zone)).toEqual(gatewayMx);
});

test("a recipient that does not exist proves nothing; one that exists does", async () => {
  const { zone, stack, systems } = await onboard("unknown");
  systems[0]?.refuse("recipient", "550 5.1.1 no such user");
  const { text } = await failed(stack.destroy());
  expect(text).toContain("(hand-back-not-proven");
  expect(text).toContain("it does not know the recipient");
  expect(text).toContain("Give an address that exists as probeRecipient");
  systems[0]?.refuse("recipient", undefined);
  const probeRecipient = "info@unknown.test";
  await stack.write({
    domains: [{ name: "unknown.test", handBackConfirmed: false, probeRecipient }],
  });
  await succeeded(stack.up());
  systems[0]?.refuse("recipient", "550 5.7.1 no");
  expect((await failed(stack.destroy())).text).toContain(
    "RCPT TO:<info@unknown.test> → 550 5.7.1 no",
  );
  systems[0]?.refuse("recipient", undefined);
  await succeeded(stack.destroy());
  expect(mxOf(zone)).toEqual(["10 mx0.unknown.test"]);
});

test("a run on a gateway's host proves nothing", async () => {
  // From where this machine connects to loopback addresses.
  await lab.world.dns.host("slot.own-fleet.test", "127.0.0.1");
  const name = "inside.test";
  const address = `${testNet}.7.${++hosts}`;
  parts.use(await startMailSystem({ name: `mx0.${name}`, address, domains: [name] }));
  const zone = await lab.addZone(name, [
    txt(name, `v=spf1 a:mail.${name} -all`),
    mx(name, 10, `mx0.${name}`),
    { name: `mx0.${name}`, type: "A", content: address },
  ]);
  const own = { ...gateway, mx: [{ exchange: "slot.own-fleet.test", preference: 10 }] };
  const domains = [{ name, handBackConfirmed: false }];
  const stack = await lab.addStack("inside", { gateway: own, domains });
  await succeeded(stack.up());
  const { text } = await failed(stack.destroy());
  expect(text).toContain("it was asked from an address of the gateway, 127.0.0.1");
  expect(mxOf(zone)).toEqual(["10 slot.own-fleet.test"]);
  await succeeded(stack.destroy([], { env: { MXHERO_HAND_BACK_CONFIRMED: name } }));
});

test("the outputs say from when the mail system may be locked: the former MX with their TTL are gone", async () => {
  const start = Date.now();
  const { zone, stack } = await onboard("lock");
  const end = Date.now();
  const seconds = Math.max(300, ...zone.snapshot().map(({ ttl = 1 }) => ttl));
  const { domains } = await stack.outputs();
  const from = safeFrom(domains);
  expect(from).toBeGreaterThanOrEqual(start + seconds * 1_000);
  expect(from).toBeLessThanOrEqual(end + seconds * 1_000);

  // An update that does not touch the MX keeps it; a bypass has none; a new takeover has its own.
  const entry: DomainEntry = { name: "lock.test", handBackConfirmed: false };
  await stack.write({ domains: [{ ...entry, handBackConfirmed: true }] });
  await succeeded(stack.up());
  expect(safeFrom((await stack.outputs())["domains"])).toBe(from);
  await succeeded(stack.refresh(["--expect-no-changes"]));
  await stack.write({ domains: [{ ...entry, bypass: true }] });
  await succeeded(stack.up());
  expect(safeFrom((await stack.outputs())["domains"])).toBeUndefined();
  await stack.write({ domains: [entry] });
  await succeeded(stack.up());
  expect(safeFrom((await stack.outputs())["domains"])).toBeGreaterThan(from ?? Number.NaN);
});

/** As an instant in milliseconds, of the only domain. */
function safeFrom(domains: unknown): number | undefined {
  const reports = z.record(z.string(), report).parse(domains);
  const [only] = Object.values(reports);
  const text = only?.mx.lockDownSafeFrom;
  return text === undefined ? undefined : Date.parse(text);
}

test.each([
  ["nomx", []],
  ["nullmx", [mx("nullmx.test", 0, ".")]],
])("nothing is asked where there were no MX, or a null MX: %s", async (label, records) => {
  const name = `${label}.test`;
  const zone = await lab.addZone(name, [txt(name, "v=spf1 -all"), ...records]);
  const stack = await lab.addStack(label, { domains: [{ name, handBackConfirmed: false }] });
  await succeeded(stack.up());
  expect(mxOf(zone)).toEqual(gatewayMx);
  const { text } = await succeeded(stack.destroy());
  expect(text).not.toContain("take mail from everyone");
  expect(mxOf(zone)).toHaveLength(records.length);
});
