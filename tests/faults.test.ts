/** Cloudflare's API and the name servers fail in every way that the lab knows. */
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import type { FaultEffect, Occasion, RequestKind } from "../lab/cloudflare/index.ts";
import {
  failed,
  gatewayMx,
  mx,
  startTenantLab,
  succeeded,
  type TenantLab,
  type TenantZone,
  txt,
} from "./tenant.ts";
import { assertNeverEmptyOrForeign, watchNameServers } from "./watch-name-servers.ts";

vi.setConfig({ testTimeout: 120_000, hookTimeout: 240_000 });

/** A fault that a run gets over by itself. */
interface Passing {
  readonly what: string;
  readonly zone: string;
  readonly kind: RequestKind;
  readonly effect: FaultEffect;
  /** Which requests it strikes. @default all */
  readonly when?: readonly Occasion[];
}

/** Every request is tried again once, for as many as a run makes. */
const everySecond: readonly Occasion[] = [0, 2, 4, 6, 8, 10].map((skip) => ({ skip }));

const limited = { fault: "rate-limited", retryAfter: 1 } as const;

const passing: readonly Passing[] = [
  { what: "429 to reads", zone: "r429", kind: "read", effect: limited, when: everySecond },
  { what: "429 to writes", zone: "w429", kind: "write", effect: limited, when: everySecond },
  {
    what: "500 to reads",
    zone: "r500",
    kind: "read",
    effect: { fault: "error-before-commit" },
    when: everySecond,
  },
  {
    what: "500 before the commit",
    zone: "before500",
    kind: "write",
    effect: { fault: "error-before-commit" },
    when: everySecond,
  },
  {
    what: "500 after the commit",
    zone: "after500",
    kind: "write",
    effect: { fault: "error-after-commit" },
  },
  {
    what: "a connection dropped before the commit",
    zone: "beforedrop",
    kind: "write",
    effect: { fault: "dropped-before-commit" },
    when: everySecond,
  },
  {
    what: "a connection dropped after the commit",
    zone: "afterdrop",
    kind: "write",
    effect: { fault: "dropped-after-commit" },
  },
  {
    what: "slow answers",
    zone: "slow",
    kind: "read",
    effect: { fault: "slow", milliseconds: 500 },
  },
  {
    what: "records published one by one",
    zone: "piecemeal",
    kind: "write",
    effect: { fault: "piecemeal", milliseconds: 150 },
  },
  {
    what: "a name server that lags behind",
    zone: "lagging",
    kind: "write",
    effect: { fault: "lagging-server", server: 1, milliseconds: 700 },
  },
];

/** A fault that ends a run. */
interface Ending {
  readonly what: string;
  readonly zone: string;
  readonly effect: FaultEffect;
  readonly kind: RequestKind;
  readonly reason: RegExp;
}

const endings: readonly Ending[] = [
  {
    what: "an expired token",
    zone: "expired",
    kind: "read",
    effect: { fault: "token-expired" },
    reason:
      /records of the zone expired\.test: The API answered: .*Give CLOUDFLARE_API_TOKEN a valid/,
  },
  {
    what: "a token that may only read",
    zone: "readonly",
    kind: "write",
    effect: { fault: "token-read-only" },
    reason: /records of the zone readonly\.test: The API answered: .*Zone Read and DNS Write/,
  },
  {
    what: "a zone that is missing",
    zone: "missing",
    kind: "read",
    effect: { fault: "zone-missing" },
    reason: /missing\.test/,
  },
];

let lab: TenantLab;

beforeAll(async () => {
  lab = await startTenantLab();
});

afterAll(() => lab[Symbol.asyncDispose]());

function addZone(label: string): Promise<TenantZone> {
  const name = `${label}.test`;
  return lab.addZone(name, [
    { ...mx(name, 10, `mail.${name}`), comment: "main" },
    { ...mx(name, 20, "backup.mail-host.test"), ttl: 3600 },
    txt(name, `v=spf1 a:mail.${name} -all`),
  ]);
}

function formerOf({ name }: TenantZone): string[] {
  return [`10 mail.${name}`, "20 backup.mail-host.test"];
}

function mxOf({ name, snapshot }: TenantZone): string[] {
  return snapshot()
    .filter((record) => record.name === name && record.type === "MX")
    .map(({ priority, content }) => `${priority} ${content}`);
}

function disturb({ id }: TenantZone, { kind, effect, when }: Omit<Passing, "what" | "zone">) {
  const match = { kind, path: `^/zones/${id}/dns_records` };
  const occasions: readonly Occasion[] = when ?? [{ times: "always" }];
  return occasions.map((occasion) =>
    lab.world.cloudflare.addFault({ match, ...occasion, ...effect }),
  );
}

test("faults that pass: up and destroy get over them by themselves", async () => {
  const { world } = lab;
  const zones = await Promise.all(passing.map(({ zone }) => addZone(zone)));
  const before = zones.map(({ snapshot }) => snapshot());
  const stack = await lab.addStack("passing", { domains: zones.map(({ name }) => ({ name })) });
  const watches = zones.map(({ name }) => watchNameServers(world, name));
  const disturbAll = () =>
    zones.flatMap((zone, index) => {
      const fault = passing[index];
      return fault === undefined ? [] : [disturb(zone, fault)];
    });

  const inUp = disturbAll();
  await succeeded(stack.up());
  expect(zones.map(mxOf)).toEqual(zones.map(() => gatewayMx));
  world.cloudflare.clearFaults();
  const inDestroy = disturbAll();
  await succeeded(stack.destroy());
  world.cloudflare.clearFaults();
  await world.cloudflare.settled();

  expect(zones.map(({ snapshot }) => snapshot())).toEqual(before);
  for (const switches of [...inUp, ...inDestroy]) {
    expect(switches.reduce((sum, { count }) => sum + count, 0)).toBeGreaterThan(0);
  }
  for (const [index, zone] of zones.entries()) {
    const log = (await watches[index]?.stop()) ?? [];
    assertNeverEmptyOrForeign(log, formerOf(zone), gatewayMx);
  }
});

test("faults that last: one clear error, nothing lost, and the next run goes on", async () => {
  const { world } = lab;
  const zones = await Promise.all(endings.map(({ zone }) => addZone(zone)));
  const before = zones.map(({ snapshot }) => snapshot());
  const domains = zones.map(({ name }) => ({ name, outbound: "none" as const }));
  const stack = await lab.addStack("lasting", { domains });
  const watches = zones.map(({ name }) => watchNameServers(world, name));
  for (const [index, zone] of zones.entries()) {
    const fault = endings[index];
    if (fault !== undefined) disturb(zone, fault);
  }
  const { text } = await failed(stack.up(["--continue-on-error"]));
  for (const { reason } of endings) expect(text).toMatch(reason);
  expect(zones.map(({ snapshot }) => snapshot())).toEqual(before);

  world.cloudflare.clearFaults();
  await succeeded(stack.up());
  expect(zones.map(mxOf)).toEqual(zones.map(() => gatewayMx));
  await succeeded(stack.destroy());
  expect(zones.map(({ snapshot }) => snapshot())).toEqual(before);
  for (const [index, zone] of zones.entries()) {
    const log = (await watches[index]?.stop()) ?? [];
    assertNeverEmptyOrForeign(log, formerOf(zone), gatewayMx);
  }
});

test("a token that expires half-way: both MX stand, and the next run goes on", async () => {
  const zone = await addZone("halfway");
  const before = zone.snapshot();
  const stack = await lab.addStack("halfway", { domains: [{ name: zone.name }] });
  await using watch = watchNameServers(lab.world, zone.name);
  // The fourth write, after SPF, the journal and the gateway's MX, removes the old MX.
  const match = { kind: "write", path: `^/zones/${zone.id}/` } as const;
  lab.world.cloudflare.addFault({ fault: "token-expired", match, skip: 3, times: "always" });
  const { text } = await failed(stack.up());
  expect(text).toMatch(
    /Mail keeps flowing, as no MX goes before its successor is served; run pulumi up again/,
  );
  expect(mxOf(zone)).toEqual([...formerOf(zone), ...gatewayMx].toSorted());
  lab.world.cloudflare.clearFaults();

  const refreshed = await succeeded(stack.refresh());
  expect(refreshed.text).toMatch(/half-way \(taking\): run pulumi up to go on/);
  await succeeded(stack.up());
  expect(mxOf(zone)).toEqual(gatewayMx);
  await succeeded(stack.destroy());
  expect(zone.snapshot()).toEqual(before);
  assertNeverEmptyOrForeign(await watch.stop(), formerOf(zone), gatewayMx);
});

test("a name server that lags for too long: up says which, and the next run goes on", async () => {
  const { cloudflare } = lab.world;
  const zone = await addZone("toolong");
  const before = zone.snapshot();
  const stack = await lab.addStack("toolong", {
    domains: [{ name: zone.name, outbound: "none" }],
  });
  await using watch = watchNameServers(lab.world, zone.name);
  const match = { path: `^/zones/${zone.id}/` };
  cloudflare.addFault({ fault: "lagging-server", server: 1, milliseconds: 4_000, match });
  const { text } = await failed(stack.up([], { env: { MXHERO_WAIT_SECONDS: "1" } }));
  expect(text).toMatch(
    /After 1 s it is still not so that every name server serves .*ns2\.dns-host\.test/,
  );
  expect(mxOf(zone)).toEqual(expect.arrayContaining(formerOf(zone)));
  await cloudflare.settled();

  await succeeded(stack.up());
  expect(mxOf(zone)).toEqual(gatewayMx);
  await succeeded(stack.destroy());
  expect(zone.snapshot()).toEqual(before);
  assertNeverEmptyOrForeign(await watch.stop(), formerOf(zone), gatewayMx);
});
