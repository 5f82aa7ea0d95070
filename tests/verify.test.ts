/**
 * `verify` on a tenant with routes, with the real engine: an undisturbed tenant is well, and each fault that
 * someone makes by hand is found. The gateway's stack and the slots' agents are stand-ins.
 */
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { stackVerdict } from "../commands/verify-schema.ts";
import { type Moto, startMoto } from "../lab/aws/moto.ts";
import { createRouteTable } from "../lab/aws/route-table.ts";
import type { RecordSpec } from "../lab/cloudflare/index.ts";
import { testNet } from "../lab/test-net.ts";
import type { SlotReport } from "../mail/route.ts";
import { RouteStore } from "../store/route-store.ts";
import {
  gateway,
  mx,
  startTenantLab,
  succeeded,
  type TenantLab,
  type TenantStack,
  txt,
} from "./tenant.ts";
import { dead, sound, startAgents, type TestAgents } from "./test-agents.ts";

vi.setConfig({ testTimeout: 120_000, hookTimeout: 180_000 });

const DOMAIN = "contoso.test";
const OLD_MX = "contoso-test.mail.protection.outlook.test";
const SLOTS = ["a", "b"];
const program = join(import.meta.dirname, "../commands/verify.ts");
const parts = new AsyncDisposableStack();

let lab: TenantLab;
let moto: Moto;
let store: RouteStore;
let agents: TestAgents;
let zone: string;
let stack: TenantStack;
let settled: readonly RecordSpec[];

beforeAll(async () => {
  lab = parts.use(await startTenantLab());
  const { directory, zoneIds } = lab.world;
  zone = zoneIds.get(DOMAIN) ?? "";
  moto = parts.use(await startMoto({ address: `${testNet}.5.1`, directory }));
  const options = await createRouteTable(moto);
  // The SDK looks for credentials there.
  Object.assign(process.env, moto.env);
  store = parts.use(new RouteStore(options));
  agents = parts.use(await startAgents(store, SLOTS));
  const { table, region, secretPrefix, keyId } = options;
  const routeStore = { table, region, secretPrefix, keyId, nextHops: "public" };
  await lab.project.addOutputs("fleet", { ...gateway, slots: SLOTS, routeStore });
  stack = await lab.addStack("verified", {
    gateway: { stack: "organization/mail/fleet" },
    domains: [
      {
        name: DOMAIN,
        server: OLD_MX,
        rcptLookup: true,
        sendingFrom: ["11.22.33.44"],
        probeRecipient: `bob@${DOMAIN}`,
        fixIt: "https://help.example.com/",
      },
    ],
  });
  await succeeded(stack.up([], { env: moto.env }));
  settled = lab.world.cloudflare.snapshot(zone);
});

afterAll(() => parts.disposeAsync());

beforeEach(async () => {
  for (const slot of SLOTS) await report(slot);
});

async function report(slot: string, change: Partial<SlotReport> = {}): Promise<void> {
  const heartbeat = new Date().toISOString();
  await store.putReport({ slot, heartbeat, bundle: "0", healthy: true, faults: [], ...change });
}

async function run(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  name = stack.name,
) {
  const { cloudflare } = lab.world;
  cloudflare.clearLogs();
  const done = await execa(process.execPath, [program, name, ...args], {
    cwd: lab.project.directory,
    env: { ...lab.project.env, ...moto.env, ...env },
    extendEnv: false,
    reject: false,
  });
  expect(cloudflare.commits).toEqual([]);
  return done;
}

/** The checks that are not well, each as `<id> <status>`, and what they say. */
async function verify(
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
  name = stack.name,
) {
  const { stdout, stderr, exitCode } = await run(["--json", ...args], env, name);
  if (stdout === "") throw new Error(`No verdict: ${stderr}`);
  const verdict = stackVerdict.parse(JSON.parse(stdout));
  const checks = [...verdict.checks, ...verdict.domains.flatMap((domain) => domain.checks)];
  const found = checks.filter(({ status }) => status !== "well");
  return {
    exitCode,
    checks,
    found: found.map(({ id, status }) => `${id} ${status}`),
    text: found.map(({ text }) => text).join("\n"),
  };
}

/** Changes the zone, verifies, and puts the zone back. */
async function withZone(change: { add?: RecordSpec[]; remove?: RecordSpec[] }) {
  const { cloudflare } = lab.world;
  await cloudflare.edit(zone, change);
  try {
    return await verify();
  } finally {
    await cloudflare.seed(zone, settled);
  }
}

function records(matches: (record: RecordSpec) => boolean): RecordSpec[] {
  const found = settled.filter(matches);
  expect(found.length).toBeGreaterThan(0);
  return found;
}

test("an undisturbed tenant is well, and every check says what it saw", async () => {
  const { exitCode, checks, found } = await verify();
  expect({ exitCode, found }).toEqual({ exitCode: 0, found: [] });
  expect(checks.map(({ id }) => id)).toEqual([
    "slots-healthy",
    "state",
    "name-servers",
    "mx",
    "mx-old",
    "mx-around",
    "mx-subdomains",
    "journal",
    "spf",
    "spf-second",
    "spf-budget",
    "dns-changed",
    "mta-sts",
    "loop",
    "route",
    "slots-acknowledged",
    "slots-proven",
    "rcpt",
    "inbound-mail",
    "outbound-mail",
  ]);
  const said = new Map(checks.map(({ id, text }) => [id, text]));
  expect(said.get("mx")).toContain("2 name servers: 10 smtp-in.gateway.test.");
  expect(said.get("rcpt")).toContain(`accepts <bob@${DOMAIN}>, asked at 2 addresses`);
  expect(said.get("journal")).toContain(`0 ${OLD_MX}.`);
});

test("a person reads a table without colours where it is no terminal", async () => {
  const { stdout, exitCode } = await run([]);
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/^contoso\.test$/m);
  expect(stdout).toMatch(/^ {2}ok {2}rcpt +The gateway accepts/m);
  expect(stdout).toContain("0 wrong");
  expect(stdout).not.toContain("\u001b");
});

test("an old MX that someone put back", async () => {
  const { exitCode, found, text } = await withZone({ add: [mx(DOMAIN, 0, OLD_MX)] });
  expect({ exitCode, found }).toEqual({
    exitCode: 1,
    found: ["mx-old wrong", "dns-changed notice"],
  });
  expect(text).toContain(`0 ${OLD_MX}.`);
});

test("MX of someone else, and old ones at another name of the zone", async () => {
  const add = [mx(DOMAIN, 20, "mx.stranger.test"), mx(`old.${DOMAIN}`, 0, OLD_MX)];
  const { exitCode, found, text } = await withZone({ add });
  expect({ exitCode, found }).toEqual({
    exitCode: 1,
    found: ["mx-around wrong", "mx-subdomains notice", "dns-changed notice"],
  });
  expect(text).toContain("20 mx.stranger.test.");
  expect(text).toContain(`old.${DOMAIN} still has`);
});

test("the gateway's MX are gone", async () => {
  const remove = records(({ name, type }) => name === DOMAIN && type === "MX");
  const { exitCode, found, text } = await withZone({ remove, add: [mx(DOMAIN, 0, OLD_MX)] });
  expect(exitCode).toBe(1);
  expect(found.filter((each) => each === "mx wrong")).toHaveLength(2);
  expect(text).toContain(`answers 0 ${OLD_MX}.; the stack says 10 smtp-in.gateway.test.`);
});

test("one name server of two that differs is named", async () => {
  const { dns } = lab.world;
  const rrset = { name: DOMAIN, type: "MX", ttl: 300 };
  await dns.publish(DOMAIN, [{ ...rrset, records: [`0 ${OLD_MX}.`] }], { servers: [1] });
  try {
    const { exitCode, found, text } = await verify();
    expect({ exitCode, found }).toEqual({ exitCode: 1, found: ["mx wrong", "mx-old wrong"] });
    expect(text).toContain("ns2.dns-host.test");
    expect(text).not.toContain("ns1.dns-host.test");
  } finally {
    await dns.publish(DOMAIN, [{ ...rrset, records: ["10 smtp-in.gateway.test."] }]);
  }
});

test("a name server that does not answer is not read, and what the other says counts", async () => {
  await lab.world.dns.setServerDown(1, true);
  try {
    const { exitCode, found, checks } = await verify();
    expect(exitCode).toBe(2);
    expect(found).toContain("name-servers unread");
    expect(checks.find(({ id }) => id === "mx")?.text).toContain("1 name server: 10 smtp-in");
  } finally {
    await lab.world.dns.setServerDown(1, false);
  }
});

test("the journal that someone deleted", async () => {
  const remove = records(({ content }) => /kind=(mx|was) /.test(content ?? ""));
  const { exitCode, found } = await withZone({ remove });
  expect({ exitCode, found }).toEqual({
    exitCode: 1,
    found: ["state wrong", "journal wrong", "journal wrong"],
  });
});

test("a second SPF record", async () => {
  const { exitCode, found, text } = await withZone({ add: [txt(DOMAIN, "v=spf1 mx ~all")] });
  expect({ exitCode, found }).toEqual({
    exitCode: 1,
    found: ["spf-second wrong", "spf-second wrong", "spf-budget skipped", "dns-changed notice"],
  });
  expect(text).toContain('"v=spf1 mx ~all"');
});

test("an SPF record without the gateway, and near the limit of lookups", async () => {
  const remove = records(({ name, content }) => name === DOMAIN && /v=spf1/.test(content ?? ""));
  const terms = ["marketing", "crm", "newsletter", "tickets"].map(
    (of) => `include:_spf.${of}.test`,
  );
  const record = `v=spf1 a:${OLD_MX} ${terms.join(" ")} -all`;
  const { exitCode, found, text } = await withZone({ remove, add: [txt(DOMAIN, record)] });
  expect({ exitCode, found }).toEqual({
    exitCode: 1,
    found: ["spf wrong", "spf wrong", "spf-budget notice", "dns-changed wrong"],
  });
  expect(text).toContain("without include:_spf.gateway.test");
  expect(text).toContain("9 of 10 lookups");
});

test("MTA-STS: an enforced policy without the gateway, one without the former MX, and a mere test", async () => {
  const { world } = lab;
  const publish = (mode: "enforce" | "testing", hosts: readonly string[]) =>
    world.publishPolicy(DOMAIN, { mode, mx: hosts, maxAge: 86_400 });
  try {
    await publish("enforce", [OLD_MX]);
    expect(await verify()).toMatchObject({ exitCode: 1, found: ["mta-sts wrong"] });
    await publish("enforce", ["smtp-in.gateway.test"]);
    expect(await verify()).toMatchObject({ exitCode: 0, found: ["mta-sts notice"] });
    await publish("testing", ["smtp-in.gateway.test", OLD_MX]);
    expect(await verify()).toMatchObject({ exitCode: 0, found: ["mta-sts notice"] });
    await publish("enforce", ["smtp-in.gateway.test", OLD_MX]);
    expect(await verify()).toMatchObject({ exitCode: 0, found: [] });
  } finally {
    await world.cloudflare.seed(zone, settled);
  }
});

test("a Server that leads to the gateway by now", async () => {
  const { dns } = lab.world;
  const rrset = { name: OLD_MX, type: "A", ttl: 300 };
  await dns.publish("outlook.test", [{ ...rrset, records: [`${testNet}.1.1`] }]);
  try {
    const { exitCode, found } = await verify();
    expect({ exitCode, found }).toEqual({ exitCode: 1, found: ["loop wrong"] });
  } finally {
    await dns.publish("outlook.test", [{ ...rrset, records: [`${testNet}.2.1`] }]);
  }
});

test("a gateway that refuses the domain's mail", async () => {
  const { routes } = lab.world.gateway ?? { routes: new Map() };
  const route = routes.get(DOMAIN);
  routes.delete(DOMAIN);
  try {
    const { exitCode, found, text } = await verify();
    expect({ exitCode, found }).toEqual({ exitCode: 1, found: ["rcpt wrong", "rcpt wrong"] });
    expect(text).toContain("no route for this domain");
    expect(await verify(["--no-smtp"])).toMatchObject({ exitCode: 0, found: ["rcpt skipped"] });
  } finally {
    if (route !== undefined) routes.set(DOMAIN, route);
  }
});

test("a gateway that this machine cannot reach is not read, never well", async () => {
  const { dns } = lab.world;
  const rrset = { name: "smtp-in.gateway.test", type: "A", ttl: 300 };
  await dns.publish("gateway.test", [{ ...rrset, records: [`${testNet}.1.99`] }]);
  try {
    expect(await verify()).toMatchObject({ exitCode: 2, found: ["rcpt unread"] });
    const addresses = [`${testNet}.1.1`, `${testNet}.1.99`];
    await dns.publish("gateway.test", [{ ...rrset, records: addresses }]);
    const one = await verify();
    expect(one).toMatchObject({ exitCode: 1, found: ["rcpt wrong"] });
    expect(one.text).toContain(`(${testNet}.1.99) does not answer, while others do`);
  } finally {
    const addresses = [`${testNet}.1.1`, `${testNet}.1.2`];
    await dns.publish("gateway.test", [{ ...rrset, records: addresses }]);
  }
});

test("a route that someone else changed, and that a slot does not take over", async () => {
  const { record } = await store.readDomain(DOMAIN);
  if (record?.active === undefined) throw new Error("nothing serves");
  const { revision, active, ...kept } = record;
  agents.behave("b", dead);
  const route = { ...active.route, server: "mail.elsewhere.test" };
  await store.writeRoute({ ...kept, active: { ...active, route } }, revision);
  await vi.waitFor(async () => {
    const { answers } = await store.readDomain(DOMAIN);
    expect(answers.find(({ slot }) => slot === "a")?.acknowledged).toBe(revision + 1);
  }, 10_000);
  try {
    const { exitCode, found, text } = await verify();
    expect({ exitCode, found }).toEqual({
      exitCode: 1,
      found: ["route wrong", "slots-acknowledged wrong"],
    });
    expect(text).toContain(`server is mail.elsewhere.test, the stack says ${OLD_MX}`);
    expect(text).toContain("Slot b has not taken over");
  } finally {
    agents.behave("b", sound);
    const written = await store.writeRoute({ ...kept, active }, revision + 1);
    await vi.waitFor(async () => {
      const { answers } = await store.readDomain(DOMAIN);
      expect(answers.map(({ acknowledged }) => acknowledged)).toEqual(
        SLOTS.map(() => written.revision),
      );
    }, 10_000);
  }
});

test("a way out that waits for SPF is a note, and a Relay Server that someone changed is a fault", async () => {
  const name = "waits.test";
  await lab.addZone(name, [mx(name, 10, `mail.${name}`), txt(name, `v=spf1 a:mail.${name} -all`)]);
  const direct = {
    name,
    rcptLookup: false,
    sendingFrom: ["11.22.33.55"],
    probeRecipient: `bob@${name}`,
    fixIt: "https://help.example.com/",
  };
  const login = { user: "contoso", passwordName: "relay" };
  const relayServer = { host: "relay.example.net", port: 587, tls: "verified", login } as const;
  const file = { gateway: { stack: "organization/mail/fleet" } };
  const waits = await lab.addStack("waits", { ...file, domains: [{ ...direct, relayServer }] });
  const password = ["--path", "mail:relayPasswords.relay", "correct-horse-battery"];
  await succeeded(waits.run(["config", "set", "--secret", ...password]));
  await succeeded(waits.up([], { env: moto.env }));
  expect(await verify([], {}, waits.name)).toMatchObject({ exitCode: 0, found: [] });

  const { record } = await store.readDomain(name);
  if (record?.active === undefined) throw new Error("nothing serves");
  const { revision, active, ...kept } = record;
  const elsewhere = { host: "relay.elsewhere.test", port: 587, tls: "verified" } as const;
  const route = { ...active.route, relayServer: elsewhere };
  await store.writeRoute({ ...kept, active: { ...active, route } }, revision);
  const changed = await verify(["--no-smtp"], {}, waits.name);
  expect(changed.found).toContain("route wrong");
  expect(changed.text).toContain(
    "relayServer is relay.elsewhere.test:587 (TLS verified, no login)",
  );
  expect(changed.text).toContain("says relay.example.net:587 (TLS verified, login contoso)");
  await store.writeRoute({ ...kept, active }, revision + 1);

  await waits.write({ ...file, domains: [direct] });
  await succeeded(waits.up([], { env: moto.env }));
  const waiting = await verify(["--no-smtp"], {}, waits.name);
  expect(waiting.found).toContain("route notice");
  expect(waiting.found).not.toContain("route wrong");
  expect(waiting.text).toContain("still leaves through the Relay Server relay.example.net");
});

test("a slot that is silent, and one that is not well", async () => {
  await report("a", { heartbeat: "2026-01-02T03:04:05.000Z" });
  await report("b", { healthy: false, faults: ["postfix-in does not run"] });
  const { exitCode, found, text } = await verify();
  expect({ exitCode, found }).toEqual({
    exitCode: 1,
    found: ["slots-healthy wrong", "slots-healthy wrong"],
  });
  expect(text).toContain("Slot a was last heard of at 2026-01-02");
  expect(text).toContain("postfix-in does not run");
});

test("what cannot be read is said, and is never well", async () => {
  const noStore = await verify([], { AWS_ACCESS_KEY_ID: "", AWS_SECRET_ACCESS_KEY: "" });
  expect(noStore.exitCode).toBe(2);
  expect(noStore.found).toContain("route unread");
  const noToken = await verify([], { CLOUDFLARE_API_TOKEN: "" });
  expect(noToken).toMatchObject({
    exitCode: 0,
    found: ["mx-subdomains skipped", "dns-changed skipped"],
  });
  const wrongToken = await verify([], { CLOUDFLARE_API_TOKEN: "no-such-token" });
  expect(wrongToken).toMatchObject({
    exitCode: 2,
    found: ["mx-subdomains unread", "dns-changed unread"],
  });
  const unknown = await execa(process.execPath, [program, "nosuchstack"], {
    cwd: lab.project.directory,
    env: lab.project.env,
    extendEnv: false,
    reject: false,
  });
  expect(unknown.exitCode).toBe(2);
  expect(unknown.stderr).toContain("nosuchstack");
});

test("a tenant of a gateway that keeps its routes elsewhere: what can be seen from outside", async () => {
  const name = "xn--bcher-kva.test";
  const domain = { name, server: `mail.${name}` };
  const hosted = await lab.addStack("hosted", { domains: [domain] });
  await succeeded(hosted.up());
  const skipped = "route skipped";
  const well = await verify([], {}, hosted.name);
  expect(well).toMatchObject({ exitCode: 0, found: [skipped] });
  expect(well.checks.find(({ id }) => id === "rcpt")?.text).toContain(`<postmaster@${name}>`);

  const { routes } = lab.world.gateway ?? { routes: new Map() };
  const route = routes.get(name);
  routes.delete(name);
  const refused = await verify([], {}, hosted.name);
  expect(refused).toMatchObject({ exitCode: 1, found: [skipped, "rcpt wrong", "rcpt wrong"] });
  if (route !== undefined) routes.set(name, route);

  await hosted.write({ domains: [{ ...domain, bypass: true }] });
  await succeeded(hosted.up());
  const bypassed = await verify([], {}, hosted.name);
  expect(bypassed).toMatchObject({ exitCode: 0, found: ["bypass notice", skipped] });

  await succeeded(hosted.destroy());
  expect(await verify([], {}, hosted.name)).toMatchObject({
    exitCode: 1,
    found: ["onboarded wrong"],
  });
});
