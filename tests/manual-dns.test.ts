/** Domains whose DNS a person changes by hand: the test plays that person, by the lines that a run prints. */
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import type { RecordSpec } from "../lab/cloudflare/index.ts";
import type { RrSet } from "../lab/dns.ts";
import { startMailSystem } from "../lab/mail-system.ts";
import {
  type DomainEntry,
  failed,
  gatewayMx,
  gatewayTerm,
  mx,
  type Run,
  startTenantLab,
  succeeded,
  type TenantFile,
  type TenantLab,
  type TenantStack,
  type TenantZone,
  txt,
} from "./tenant.ts";
import { assertNeverEmptyOrForeign, watchNameServers } from "./watch-name-servers.ts";

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let lab: TenantLab;
/** No token anywhere. */
const env = { CLOUDFLARE_API_TOKEN: undefined, CLOUDFLARE_API_TOKEN_FABRIKAM: undefined };

beforeAll(async () => {
  lab = await startTenantLab();
});

afterAll(() => lab[Symbol.asyncDispose]());

/** A zone that is not at Cloudflare, as the person who keeps it sees it. */
class Person {
  readonly name: string;
  readonly #records = new Map<string, string[]>();

  private constructor(name: string) {
    this.name = name;
  }

  static async withZone(name: string, lines: readonly string[]): Promise<Person> {
    const person = new Person(name);
    await lab.world.dns.addZone(name);
    const server = `mail.${name}. IN A ${lab.world.net}.2.9`;
    await person.edit({ add: [server, ...lines], remove: [] });
    return person;
  }

  /** One change, on all name servers or on some of them. */
  async edit(
    { add, remove }: { readonly add: readonly string[]; readonly remove: readonly string[] },
    servers?: readonly number[],
  ): Promise<void> {
    const touched = new Set<string>();
    for (const line of remove) {
      const [key, data] = readLine(line);
      const present = this.#records.get(key) ?? [];
      if (!present.includes(data)) throw new Error(`${key} has no ${data}: ${present.join(", ")}`);
      this.#records.set(
        key,
        present.filter((other) => other !== data),
      );
      touched.add(key);
    }
    for (const line of add) {
      const [key, data] = readLine(line);
      this.#records.set(key, [...(this.#records.get(key) ?? []), data]);
      touched.add(key);
    }
    const rrsets = [...touched].map((key): RrSet => {
      const [name = "", type = ""] = key.split(" ");
      return { name, type, ttl: 300, records: this.#records.get(key) ?? [] };
    });
    await lab.world.dns.publish(this.name, rrsets, servers && { servers });
  }

  /** What lags behind is caught up with. */
  async publishAll(): Promise<void> {
    const rrsets = [...this.#records].map(([key, records]): RrSet => {
      const [name = "", type = ""] = key.split(" ");
      return { name, type, ttl: 300, records };
    });
    await lab.world.dns.publish(this.name, rrsets);
  }

  /** Does what the run asks for. */
  async obey(run: Run): Promise<void> {
    await this.edit(asked(run));
  }

  records(): string[] {
    return [...this.#records]
      .flatMap(([key, data]) => data.map((one) => `${key} ${one}`))
      .toSorted();
  }
}

function readLine(line: string): readonly [string, string] {
  const [, name, type, data = ""] = /^(\S+)\. (?:\d+ )?IN (\S+) (.+)$/.exec(line) ?? [];
  return [`${name} ${type}`, data];
}

/** The lines of the one change that a run ended with. */
function asked({ text }: Run) {
  const [, words = ""] = text.split("Diagnostics:");
  const [needed = ""] = words.split("may go with it");
  const lines = (kind: string) =>
    [...needed.matchAll(new RegExp(`^ +${kind} +(\\S+ .*)$`, "gm"))].map(([, line = ""]) => line);
  return { add: lines("add"), remove: lines("remove") };
}

function manual(name: string, more: Partial<DomainEntry> = {}): TenantFile {
  return { domains: [{ name, outbound: "none", dns: "manual", ...more }] };
}

async function mxOutputs(stack: TenantStack) {
  const resources = await stack.resources();
  return resources.find(({ type }) => type === "mxhero:index:MxTakeover")?.outputs;
}

test("a person brings a domain onto the gateway and off it, change by change", async () => {
  const name = "manual.test";
  const former = [`10 mail.${name}`, "20 backup.mail-host.test"];
  const person = await Person.withZone(
    name,
    former.map((data) => mxLine(name, data)),
  );
  const before = person.records();
  const stack = await lab.addStack("manual", manual(name));
  await using watch = watchNameServers(lab.world, name);

  const add = await failed(stack.up([], { env }));
  expect(add.text).toContain("(dns-change-needed");
  expect(asked(add)).toEqual({ add: [`${name}. 300 IN MX 10 smtp-in.gateway.test.`], remove: [] });
  expect(await mxOutputs(stack)).toMatchObject({ after: [{ preference: 10 }, { preference: 20 }] });

  // Nobody has done anything: the same is asked again.
  expect(asked(await failed(stack.up([], { env })))).toEqual(asked(add));

  await person.obey(add);
  const remove = await failed(stack.up([], { env }));
  expect(asked(remove)).toEqual({
    add: [],
    remove: former.map((data) => mxLine(name, data)),
  });
  await person.obey(remove);
  await succeeded(stack.up([], { env }));
  expect(await mxOutputs(stack)).toMatchObject({ after: [{ exchange: "smtp-in.gateway.test" }] });
  await succeeded(stack.preview(["--expect-no-changes"], { env }));
  await succeeded(stack.refresh(["--expect-no-changes"], { env }));

  const back = await failed(stack.destroy([], { env }));
  expect(asked(back)).toEqual({
    add: former.map((data) => `${name}. 300 IN MX ${data}.`),
    remove: [],
  });
  await person.obey(back);
  const gone = await failed(stack.destroy([], { env }));
  expect(asked(gone)).toEqual({
    add: [],
    remove: [`${name}. IN MX 10 smtp-in.gateway.test.`],
  });
  await person.obey(gone);
  await succeeded(stack.destroy([], { env }));
  expect(person.records()).toEqual(before);
  assertNeverEmptyOrForeign(await watch.stop(), former, gatewayMx);
});

const none: readonly string[] = [];
const mxLine = (name: string, data: string) => `${name}. IN MX ${data}.`;
const spfLine = (name: string, text: string) => `${name}. IN TXT "${text}"`;

/** Runs and obeys until nothing is asked any more. Returns what was asked. */
async function follow(person: Person, run: () => Promise<Run>) {
  const changes: ReturnType<typeof asked>[] = [];
  for (;;) {
    const ended = await run();
    if (ended.exitCode === 0) return changes;
    expect(ended.text).toContain("(dns-change-needed");
    changes.push(asked(ended));
    await person.obey(ended);
  }
}

test("SPF comes before the MX, in one change, and goes after it", async () => {
  const name = "senders.test";
  const spf = `v=spf1 a:mail.${name} -all`;
  const withGateway = `v=spf1 a:mail.${name} ${gatewayTerm} -all`;
  const person = await Person.withZone(name, [
    mxLine(name, `10 mail.${name}`),
    spfLine(name, spf),
    spfLine(name, "some-service=42"),
  ]);
  const before = person.records();
  const stack = await lab.addStack("senders", manual(name, { outbound: "standard" }));
  const there = await follow(person, () => stack.up([], { env }));
  expect(there).toEqual([
    { add: [`${name}. 300 IN TXT "${withGateway}"`], remove: [spfLine(name, spf)] },
    { add: [`${name}. 300 IN MX 10 smtp-in.gateway.test.`], remove: none },
    { add: none, remove: [mxLine(name, `10 mail.${name}`)] },
  ]);
  const { domains } = await stack.outputs();
  expect(domains).toMatchObject({
    [name]: { dns: "manual", spf: { before: spf, after: withGateway, lookups: 2 } },
  });
  const back = await follow(person, () => stack.destroy([], { env }));
  expect(back.at(-1)).toEqual({
    add: [`${name}. 300 IN TXT "${spf}"`],
    remove: [spfLine(name, withGateway)],
  });
  expect(person.records()).toEqual(before);
});

test("a domain without SPF gets its base, and loses it again", async () => {
  const name = "base.test";
  const person = await Person.withZone(name, [mxLine(name, `10 mail.${name}`)]);
  const before = person.records();
  const base = `v=spf1 a:mail.${name} -all`;
  const entry = { inbound: "none", outbound: "standard", spf: { base } } as const;
  const stack = await lab.addStack("base", manual(name, entry));
  const text = `v=spf1 a:mail.${name} ${gatewayTerm} -all`;
  expect(await follow(person, () => stack.up([], { env }))).toEqual([
    { add: [`${name}. 300 IN TXT "${text}"`], remove: none },
  ]);
  expect(await follow(person, () => stack.destroy([], { env }))).toEqual([
    { add: none, remove: [spfLine(name, text)] },
  ]);
  expect(person.records()).toEqual(before);
});

test("a domain that another organisation's journal in DNS holds is refused", async () => {
  const name = "theirs.test";
  const head = "v=mxhero1 kind=mx holder=fabrikam phase=held revision=1 claims=9f86d081.a3c1f2e4";
  await Person.withZone(name, [
    mxLine(name, "10 smtp-in.gateway.test"),
    `_mxhero.${name}. IN TXT "${head} server=2c26b46b former=0"`,
  ]);
  const stack = await lab.addStack("theirs", manual(name));
  expect((await failed(stack.up([], { env }))).text).toContain("(other-holder");
});

test("a name server that lags holds the run up, and is named", async () => {
  const name = "lag.test";
  const person = await Person.withZone(name, [mxLine(name, `10 mail.${name}`)]);
  const stack = await lab.addStack("lag", manual(name));
  const first = asked(await failed(stack.up([], { env })));
  await person.edit(first, [0]);
  const short = { env: { ...env, MXHERO_WAIT_SECONDS: "2" } };
  const lagging = await failed(stack.up([], short));
  expect(lagging.text).toContain("(not-served");
  expect(lagging.text).toContain(`ns2.dns-host.test (${lab.world.net}.0.12): 10 mail.${name}.`);
  await person.publishAll();
  expect(asked(await failed(stack.up([], { env }))).remove).toEqual([
    mxLine(name, `10 mail.${name}`),
  ]);
});

test("a takeover that was left between two removals is taken back whole", async () => {
  const name = "half.test";
  const former = ["10", "20", "30"].map((preference) => `${preference} mail${preference}.${name}`);
  const person = await Person.withZone(
    name,
    former.map((data) => mxLine(name, data)),
  );
  const before = person.records();
  const stack = await lab.addStack("half", manual(name));
  await person.obey(await failed(stack.up([], { env })));
  const { remove } = asked(await failed(stack.up([], { env })));
  await person.edit({ add: none, remove: remove.slice(0, 2) });
  const rest = await failed(stack.up([], { env }));
  expect(asked(rest)).toEqual({ add: none, remove: remove.slice(2) });
  const back = await follow(person, () => stack.destroy([], { env }));
  expect(back[0]?.add).toHaveLength(2);
  expect(person.records()).toEqual(before);
});

test("a null MX changes places with the gateway's at once, both ways", async () => {
  const name = "nomail.test";
  const person = await Person.withZone(name, [`${name}. IN MX 0 .`]);
  const before = person.records();
  const stack = await lab.addStack("nomail", manual(name));
  expect(await follow(person, () => stack.up([], { env }))).toEqual([
    { add: [`${name}. 300 IN MX 10 smtp-in.gateway.test.`], remove: [`${name}. IN MX 0 .`] },
  ]);
  expect(await follow(person, () => stack.destroy([], { env }))).toHaveLength(1);
  expect(person.records()).toEqual(before);
});

test("a preview needs no token, shows the change, and changes nothing", async () => {
  const name = "look.test";
  const person = await Person.withZone(name, [mxLine(name, `10 mail.${name}`)]);
  const stack = await lab.addStack("look", manual(name));
  const { text } = await succeeded(stack.preview([], { env }));
  expect(text).toContain(`MX of ${name}: 10 mail.${name}. → 10 smtp-in.gateway.test.`);
  expect(text).toContain(`add     ${name}. 300 IN MX 10 smtp-in.gateway.test.`);
  expect(person.records()).toContain(`${name} MX 10 mail.${name}.`);
});

test("with --continue-on-error one run shows the next change of every domain", async () => {
  const names = ["first.test", "second.test", "third.test"];
  for (const name of names) await Person.withZone(name, [mxLine(name, `10 mail.${name}`)]);
  const stack = await lab.addStack("several", {
    domains: names.flatMap((name) => manual(name).domains),
  });
  const { text } = await failed(
    stack.up(["--continue-on-error", "--parallel", "1"], {
      env: { ...env, MXHERO_WAIT_SECONDS: "5" },
    }),
  );
  for (const name of names) {
    expect(text).toContain(`add     ${name}. 300 IN MX 10 smtp-in.gateway.test.`);
  }
});

test("what would lose mail is refused before anyone is asked to change anything", async () => {
  const name = "relies.test";
  await Person.withZone(name, [mxLine(name, `10 mail.${name}`), spfLine(name, "v=spf1 mx -all")]);
  const stack = await lab.addStack("relies", manual(name));
  const { text } = await failed(stack.up([], { env }));
  expect(text).toContain("(spf-relies-on-mx");
  expect(text).not.toContain("by hand");
});

test("the terms that took the place of mx are not given up while the MX are the gateway's", async () => {
  const name = "tidied.test";
  const person = await Person.withZone(name, [
    mxLine(name, `10 mail.${name}`),
    spfLine(name, "v=spf1 mx -all"),
  ]);
  const stack = await lab.addStack(
    "tidied",
    manual(name, { spf: { replaceMx: [`a:mail.${name}`] } }),
  );
  await follow(person, () => stack.up([], { env }));
  const held = person.records();
  await stack.write(manual(name));
  for (const run of [stack.preview([], { env }), stack.up(["--skip-preview"], { env })]) {
    const { text } = await failed(run);
    expect(text).toContain("(spf-relies-on-mx");
    expect(text).toContain(`Once a:mail.${name} has left the record`);
  }
  await stack.write(manual(name, { spf: { replaceMx: [] } }));
  const [change] = await follow(person, () => stack.up([], { env }));
  expect(change?.add).toEqual([`${name}. 300 IN TXT "v=spf1 mx -all"`]);
  expect(person.records()).not.toEqual(held);
});

test("MX that are the gateway's already and that nobody remembers are refused", async () => {
  const name = "already.test";
  await Person.withZone(name, [mxLine(name, "10 smtp-in.gateway.test")]);
  const stack = await lab.addStack("already", manual(name));
  expect((await failed(stack.up([], { env }))).text).toContain("(former-mx-unknown");
});

test("records of a subdomain's own would hide a wildcard: its MX are copied, others are refused", async () => {
  const zone = "wildcard.test";
  const name = `shop.${zone}`;
  const wildcard = mxLine(`*.${zone}`, `10 mail.${zone}`);
  const person = await Person.withZone(zone, [wildcard]);
  const entry = { server: `mail.${zone}` };
  const stack = await lab.addStack("wildcard", manual(name, entry));
  const changes = await follow(person, () => stack.up([], { env }));
  expect(changes[0]?.add).toEqual([
    `${name}. 300 IN MX 10 mail.${zone}.`,
    `${name}. 300 IN MX 10 smtp-in.gateway.test.`,
  ]);
  const other = await lab.addStack("wildcard-a", manual(`web.${zone}`, entry));
  await person.edit({ add: [`*.${zone}. IN A ${lab.world.net}.2.9`], remove: none });
  expect((await failed(other.up([], { env }))).text).toContain("(wildcard-would-be-hidden");
});

test("nobody is asked to put the MX back while the mail system refuses others than the gateway", async () => {
  const name = "locked.test";
  const host = `mx.${name}`;
  const address = `${lab.world.net}.7.1`;
  await using system = await startMailSystem({ name: host, address, domains: [name] });
  const person = await Person.withZone(name, [
    `${host}. IN A ${address}`,
    mxLine(name, `10 ${host}`),
  ]);
  const stack = await lab.addStack("locked", manual(name, { handBackConfirmed: false }));
  await follow(person, () => stack.up([], { env }));
  expect(await mxOutputs(stack)).toHaveProperty("lockDownSafeFrom");

  system.lockTo([`${lab.world.net}.1.1`]);
  const locked = await failed(stack.destroy([], { env }));
  expect(locked.text).toContain("(hand-back-refused");
  expect(locked.text).not.toContain("by hand");
  system.lockTo(undefined);
  expect(await follow(person, () => stack.destroy([], { env }))).toHaveLength(2);
});

test("a bypass and the way back are changes by hand, too", async () => {
  const name = "around.test";
  const former = mxLine(name, `10 mail.${name}`);
  const ours = mxLine(name, "10 smtp-in.gateway.test");
  const person = await Person.withZone(name, [former]);
  const stack = await lab.addStack("around", manual(name));
  await follow(person, () => stack.up([], { env }));
  await stack.write(manual(name, { bypass: true }));
  expect((await follow(person, () => stack.up([], { env }))).at(-1)?.remove).toEqual([ours]);
  await stack.write(manual(name));
  expect((await follow(person, () => stack.up([], { env }))).at(-1)?.remove).toEqual([former]);
});

function recordOf(line: string): RecordSpec {
  const [key, data] = readLine(line);
  const [name = "", type] = key.split(" ");
  const [priority, host = ""] = data.split(" ");
  if (type === "TXT") return txt(name, data.slice(1, -1));
  return mx(name, Number(priority), host.replace(/\.$/, ""));
}

/** The person edits at Cloudflare, by its dashboard. */
async function obeyAtCloudflare(zone: TenantZone, run: Run): Promise<void> {
  const { add, remove } = asked(run);
  const gone = remove.map(recordOf);
  const standing = zone
    .snapshot()
    .filter(({ type, content, name }) =>
      gone.some((one) => one.type === type && one.content === content && one.name === name),
    );
  await lab.world.cloudflare.edit(zone.id, { add: add.map(recordOf), remove: standing });
}

test("from hand to Cloudflare and back is an update, and nothing that was before is forgotten", async () => {
  const name = "changes.test";
  const former = { ...mx(name, 10, `mail.${name}`), ttl: 300 };
  const zone = await lab.addZone(name, [former, txt(name, `v=spf1 a:mail.${name} -all`)]);
  const before = zone.snapshot();
  const entry = { outbound: "standard" } as const;
  const stack = await lab.addStack("changes", manual(name, entry));
  for (let run = await stack.up(); run.exitCode !== 0; run = await stack.up()) {
    await obeyAtCloudflare(zone, run);
  }
  const ids = (await stack.resources()).map(({ urn, id }) => [urn, id]);

  await stack.write(manual(name, { ...entry, dns: "cloudflare" }));
  const { text } = await succeeded(stack.up());
  expect(text).toContain("~ 2 updated");
  expect((await stack.resources()).map(({ urn, id }) => [urn, id])).toEqual(ids);
  const journal = zone.snapshot().filter(({ name: at }) => at === `_mxhero.${name}`);
  expect(journal.map(({ content }) => content)).toContainEqual(
    expect.stringContaining(`10 mail.${name}.`),
  );

  await stack.write(manual(name, entry));
  expect((await succeeded(stack.up())).text).toContain(`The TXT records at _mxhero.${name}`);
  for (let run = await stack.destroy(); run.exitCode !== 0; run = await stack.destroy()) {
    await obeyAtCloudflare(zone, run);
  }
  expect(contents(zone.snapshot(), name)).toEqual(contents(before, name));
});

/** What stands at a name, in a fixed order. */
function contents(records: readonly RecordSpec[], at: string): string[] {
  const there = records.filter(({ name }) => name === at);
  return there.map(({ type, content }) => `${type} ${content}`).toSorted();
}
