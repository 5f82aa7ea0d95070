/** Someone else changes the zone meanwhile: nothing of theirs is lost. */
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import type { RecordSpec } from "../lab/cloudflare/index.ts";
import {
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

vi.setConfig({ testTimeout: 180_000, hookTimeout: 120_000 });

let lab: TenantLab;

beforeAll(async () => {
  lab = await startTenantLab();
});

afterAll(() => lab[Symbol.asyncDispose]());

function addZone(name: string): Promise<TenantZone> {
  return lab.addZone(name, [
    { ...mx(name, 10, `mail.${name}`), comment: "main" },
    { ...mx(name, 20, "backup.mail-host.test"), ttl: 3600 },
    txt(name, `v=spf1 a:mail.${name} -all`),
  ]);
}

function mxOf({ name, snapshot }: TenantZone): string[] {
  return snapshot()
    .filter((record) => record.name === name && record.type === "MX")
    .map(({ priority, content }) => `${priority} ${content}`);
}

function spfRecord({ name, snapshot }: TenantZone): RecordSpec {
  const spf = snapshot().find(
    (record) => record.name === name && record.content.startsWith('"v=spf1'),
  );
  if (spf === undefined) throw new Error(`${name} has no SPF record`);
  return spf;
}

function journalOf({ name, snapshot }: TenantZone): readonly RecordSpec[] {
  return snapshot().filter((record) => record.name === `_mxhero.${name}`);
}

/** A person moves the backup MX to another host, and lets another address send. */
async function editZone(zone: TenantZone): Promise<void> {
  const { name, id } = zone;
  const spf = spfRecord(zone);
  const backup = { ...mx(name, 20, "backup.mail-host.test") };
  const content = spf.content.replace(" -all", " ip4:192.0.2.7 -all");
  await lab.world.cloudflare.edit(id, {
    remove: [spf, backup],
    add: [
      { ...spf, content },
      { ...mx(name, 30, "other.mail-host.test"), comment: "theirs" },
    ],
  });
}

const edited = (name: string) => [`10 mail.${name}`, "30 other.mail-host.test"];

/** How often a run has read the zone's records. */
function readsOf({ id }: TenantZone): number {
  return lab.world.cloudflare.requests.filter(
    ({ kind, path }) => kind === "read" && path.startsWith(`/zones/${id}/dns_records`),
  ).length;
}

/** The edit comes when the k-th read of the zone's records has arrived, and is not answered yet. */
function editAtRead(zone: TenantZone, read: number) {
  const match = { kind: "read", path: `^/zones/${zone.id}/dns_records` } as const;
  return lab.world.cloudflare.intercept("before", { match, skip: read - 1 }, () => editZone(zone));
}

/** The next two writes of the zone wait for one another, so that neither was read by the other. */
function meetAtWrite({ id }: TenantZone, skip: number): void {
  const { promise, resolve } = Promise.withResolvers<void>();
  const match = { kind: "write", path: `^/zones/${id}/` } as const;
  lab.world.cloudflare.intercept("before", { match, skip }, () => promise);
  lab.world.cloudflare.intercept("before", { match, skip: skip + 1 }, () => resolve());
}

test("two stacks work on one zone at the same time", async () => {
  const zone = await lab.addZone("shared.test", [
    mx("shared.test", 10, "mail.shared.test"),
    txt("shared.test", "v=spf1 a:mail.shared.test -all"),
    mx("branch.shared.test", 10, "mail.shared.test"),
    txt("branch.shared.test", "v=spf1 a:mail.shared.test -all"),
  ]);
  const before = zone.snapshot();
  const apex = await lab.addStack("apex", { domains: [{ name: "shared.test" }] });
  const branch = await lab.addStack("branch", {
    organisation: "branch",
    domains: [{ name: "branch.shared.test", server: "mail.shared.test" }],
  });
  await using watchApex = watchNameServers(lab.world, "shared.test");
  await using watchBranch = watchNameServers(lab.world, "branch.shared.test");
  await Promise.all([succeeded(apex.up()), succeeded(branch.up())]);
  expect(zone.snapshot().filter(({ type }) => type === "MX")).toEqual([
    expect.objectContaining({ name: "branch.shared.test", content: "smtp-in.gateway.test" }),
    expect.objectContaining({ name: "shared.test", content: "smtp-in.gateway.test" }),
  ]);
  await Promise.all([succeeded(apex.destroy()), succeeded(branch.destroy())]);
  expect(zone.snapshot()).toEqual(before);
  for (const watch of [watchApex, watchBranch]) {
    assertNeverEmptyOrForeign(await watch.stop(), gatewayMx, ["10 mail.shared.test"]);
  }
});

test("two stacks of an organisation take one domain over at the same moment", async () => {
  const zone = await addZone("race.test");
  const before = zone.snapshot();
  const stacks = await Promise.all(
    ["race-a", "race-b"].map((name) => lab.addStack(name, { domains: [{ name: "race.test" }] })),
  );
  // Neither sees the other's first write of SPF, nor of the journal.
  for (const skip of [0, 2]) meetAtWrite(zone, skip);
  await using watch = watchNameServers(lab.world, "race.test");
  const runs = await Promise.all(stacks.map((stack) => stack.up()));
  lab.world.cloudflare.clearFaults();
  expect(runs.map(({ exitCode }) => exitCode)).toEqual([0, 0]);
  expect(mxOf(zone)).toEqual(gatewayMx);
  for (const stack of stacks) await succeeded(stack.destroy());
  expect(zone.snapshot()).toEqual(before);
  const former = ["10 mail.race.test", "20 backup.mail-host.test"];
  assertNeverEmptyOrForeign(await watch.stop(), former, gatewayMx);
});

test("edits between preview and up, and at every read of up", async () => {
  const names = ["preview.test", "read1.test", "read2.test", "read3.test"];
  const zones = await Promise.all(names.map(addZone));
  const stack = await lab.addStack("up-edits", { domains: names.map((name) => ({ name })) });
  await succeeded(stack.preview());
  const [previewed, ...others] = zones;
  if (previewed === undefined) throw new Error("no zone");
  await editZone(previewed);
  const hooks = others.map((zone, index) => editAtRead(zone, index + 1));
  const watches = zones.map(({ name }) => watchNameServers(lab.world, name));

  lab.world.cloudflare.clearLogs();
  await succeeded(stack.up());
  expect(readsOf(previewed)).toBe(hooks.length);
  expect(hooks.map(({ count }) => count)).toEqual([1, 1, 1]);
  for (const zone of zones) {
    expect(mxOf(zone)).toEqual(gatewayMx);
    expect(spfRecord(zone).content).toContain("ip4:192.0.2.7");
    expect(spfRecord(zone).content).toContain(gatewayTerm);
  }
  await succeeded(stack.destroy());
  for (const [index, zone] of zones.entries()) {
    const { name } = zone;
    expect(mxOf(zone)).toEqual(edited(name));
    expect(zone.snapshot()).toContainEqual(expect.objectContaining({ comment: "theirs" }));
    expect(zone.snapshot()).toContainEqual(expect.objectContaining({ comment: "main" }));
    expect(spfRecord(zone).content).toBe(`"v=spf1 a:mail.${name} ip4:192.0.2.7 -all"`);
    expect(journalOf(zone)).toEqual([]);
    const former = [`10 mail.${name}`, "20 backup.mail-host.test"];
    const sets = index === 0 ? [edited(name), gatewayMx] : [former, edited(name), gatewayMx];
    assertNeverEmptyOrForeign((await watches[index]?.stop()) ?? [], ...sets);
  }
});

test("edits at every read of destroy", async () => {
  // When the hand-back begins, the former MX do not stand: then the person only adds one.
  const names = ["back1.test", "back2.test", "back3.test", "back4.test"];
  const zones = await Promise.all(names.map(addZone));
  const stack = await lab.addStack("down-edits", { domains: names.map((name) => ({ name })) });
  await succeeded(stack.up());
  const [first, ...others] = zones;
  if (first === undefined) throw new Error("no zone");
  const match = { kind: "read", path: `^/zones/${first.id}/dns_records` } as const;
  const addition = { ...mx(first.name, 30, "other.mail-host.test"), comment: "theirs" };
  const hooks = [
    lab.world.cloudflare.intercept("before", { match }, () =>
      lab.world.cloudflare.edit(first.id, { add: [addition] }),
    ),
    ...others.map((zone, index) => editAtRead(zone, index + 2)),
  ];

  lab.world.cloudflare.clearLogs();
  await succeeded(stack.destroy());
  expect(readsOf(first)).toBe(hooks.length);
  expect(hooks.map(({ count }) => count)).toEqual([1, 1, 1, 1]);
  expect(mxOf(first)).toEqual([
    "10 mail.back1.test",
    "20 backup.mail-host.test",
    "30 other.mail-host.test",
  ]);
  expect(spfRecord(first).content).toBe('"v=spf1 a:mail.back1.test -all"');
  for (const zone of others) {
    expect(mxOf(zone)).toEqual(edited(zone.name));
    expect(spfRecord(zone).content).toBe(`"v=spf1 a:mail.${zone.name} ip4:192.0.2.7 -all"`);
  }
  for (const zone of zones) {
    expect(journalOf(zone)).toEqual([]);
    expect(zone.snapshot()).toContainEqual(expect.objectContaining({ comment: "theirs" }));
    expect(zone.snapshot()).toContainEqual(expect.objectContaining({ comment: "main" }));
  }
});

test("an MX that a person adds in the last moment of the takeover stays, and is told of", async () => {
  const zone = await addZone("late.test");
  const stack = await lab.addStack("late", { domains: [{ name: "late.test", outbound: "none" }] });
  const match = { kind: "write", path: `^/zones/${zone.id}/` } as const;
  // The third write removes the old MX: our last read is answered already.
  using hook = lab.world.cloudflare.intercept("before", { match, skip: 2 }, () =>
    lab.world.cloudflare.edit(zone.id, { add: [mx("late.test", 30, "other.mail-host.test")] }),
  );
  await succeeded(stack.up());
  expect(hook.count).toBe(1);
  expect(mxOf(zone)).toEqual([...gatewayMx, "30 other.mail-host.test"]);
  const { text } = await succeeded(stack.refresh());
  expect(text).toMatch(/late\.test also has 30 other\.mail-host\.test\., which someone added/);
  await succeeded(stack.destroy());
  expect(mxOf(zone)).toEqual([
    "10 mail.late.test",
    "20 backup.mail-host.test",
    "30 other.mail-host.test",
  ]);
});

test("where the MX were moved elsewhere since, hand-back leaves them and cleans up after itself", async () => {
  const zone = await addZone("away.test");
  const stack = await lab.addStack("away", { domains: [{ name: "away.test" }] });
  await succeeded(stack.up());
  const elsewhere = mx("away.test", 5, "in.new-gateway.mail-host.test");
  await lab.world.cloudflare.edit(zone.id, {
    remove: [mx("away.test", 10, "smtp-in.gateway.test")],
    add: [elsewhere],
  });
  await using watch = watchNameServers(lab.world, "away.test");
  const { text } = await succeeded(stack.destroy());
  expect(text).toMatch(
    /MX of away\.test were changed by someone else since the takeover \(5 in\.new-gateway\.mail-host\.test\.\): left as they are/,
  );
  expect(mxOf(zone)).toEqual(["5 in.new-gateway.mail-host.test"]);
  expect(journalOf(zone)).toEqual([]);
  expect(spfRecord(zone).content).toBe('"v=spf1 a:mail.away.test -all"');
  assertNeverEmptyOrForeign(await watch.stop(), ["5 in.new-gateway.mail-host.test"]);
});

test("a journal that someone deleted is written again from the state", async () => {
  const zone = await addZone("forgotten.test");
  const before = zone.snapshot();
  const stack = await lab.addStack("forgotten", { domains: [{ name: "forgotten.test" }] });
  await succeeded(stack.up());
  await lab.world.cloudflare.edit(zone.id, { remove: journalOf(zone) });
  await using watch = watchNameServers(lab.world, "forgotten.test");
  await succeeded(stack.destroy());
  // The state has no comments: they belong to the tenant's zone.
  const uncommented = before.map((record) => ({ ...record, comment: undefined }));
  expect(zone.snapshot()).toEqual(uncommented);
  const former = ["10 mail.forgotten.test", "20 backup.mail-host.test"];
  assertNeverEmptyOrForeign(await watch.stop(), gatewayMx, former);
});
