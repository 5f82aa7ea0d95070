/** What would lose mail is refused, with the reason and the way on, and nothing is changed. */
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { RecordSpec, ZoneSpec } from "../lab/cloudflare/index.ts";
import {
  type DomainEntry,
  failed,
  gatewayMx,
  gatewayTerm,
  mx,
  type Run,
  startTenantLab,
  succeeded,
  type TenantLab,
  type TenantZone,
  txt,
} from "./tenant.ts";
import { assertNeverEmptyOrForeign, watchNameServers } from "./watch-name-servers.ts";

vi.setConfig({ testTimeout: 120_000, hookTimeout: 240_000 });

interface Refusal {
  readonly what: string;
  /** In which zone; absent: Cloudflare has none. */
  readonly zone?: string;
  readonly options?: Partial<ZoneSpec>;
  readonly records?: readonly RecordSpec[];
  readonly entry: DomainEntry;
  readonly reason: RegExp;
  readonly wayOn: RegExp;
}

/** Such a domain has nothing to be refused for. */
function sound(name: string): RecordSpec[] {
  return [mx(name, 10, `mail.${name}`), txt(name, `v=spf1 a:mail.${name} -all`)];
}

const lookups = Array.from({ length: 10 }, (_, index) => `a:host${index}.full.test`).join(" ");

const refusals: readonly Refusal[] = [
  {
    what: "two SPF records",
    zone: "twospf.test",
    records: [
      mx("twospf.test", 10, "mail.twospf.test"),
      txt("twospf.test", "v=spf1 mx -all"),
      txt("twospf.test", "v=spf1 a -all"),
    ],
    entry: { name: "twospf.test" },
    reason: /has 2 SPF records \("v=spf1 .*permerror/,
    wayOn: /Merge them into one record/,
  },
  {
    what: "no SPF record",
    zone: "nospf.test",
    records: [mx("nospf.test", 10, "mail.nospf.test")],
    entry: { name: "nospf.test" },
    reason: /has no SPF record to put include:_spf\.gateway\.test into/,
    wayOn: /Set spf\.base of the domain/,
  },
  {
    what: "an SPF record that has its 10 lookups already",
    zone: "full.test",
    records: [
      mx("full.test", 10, "mail.full.test"),
      txt("full.test", `v=spf1 ${lookups} -all`),
      ...Array.from({ length: 10 }, (_, index) => ({
        name: `host${index}.full.test`,
        type: "A",
        content: "127.0.0.1",
      })),
    ],
    entry: { name: "full.test" },
    reason: /SPF of full\.test: The SPF record uses 11 of 10 lookups: a:host0\.full\.test 1/,
    wayOn: /Remove senders that are no longer used/,
  },
  {
    what: "an SPF record that cannot be parsed",
    zone: "oddspf.test",
    records: [mx("oddspf.test", 10, "mail.oddspf.test"), txt("oddspf.test", "v=spf1 a:: -all")],
    entry: { name: "oddspf.test" },
    reason: /Syntax error at position 7 of the SPF text "v=spf1 a:: -all"/,
    wayOn: /Write `a`, `a:<domain>`/,
  },
  {
    what: "MX that Email Routing manages",
    zone: "routing.test",
    records: [
      { ...mx("routing.test", 10, "route1.mx.mail-host.test"), readOnly: true },
      txt("routing.test", "v=spf1 -all"),
    ],
    entry: { name: "routing.test", outbound: "none" },
    reason: /Its MX record \(route1\.mx\.mail-host\.test\) is read-only/,
    wayOn: /Switch Email Routing off/,
  },
  {
    what: "a CNAME at the name",
    zone: "cname.test",
    records: [
      ...sound("cname.test"),
      { name: "sub.cname.test", type: "CNAME", content: "www.mail-host.test" },
    ],
    entry: { name: "sub.cname.test", outbound: "none" },
    reason: /The name is a CNAME \(to www\.mail-host\.test\)/,
    wayOn: /Onboard the domain that it points to/,
  },
  {
    what: "a name whose address comes from a wildcard",
    zone: "hidden.test",
    records: [
      ...sound("hidden.test"),
      { name: "*.hidden.test", type: "A", content: "127.0.0.1" },
      mx("*.hidden.test", 10, "mail.hidden.test"),
    ],
    entry: { name: "shop.hidden.test", outbound: "none", server: "mail.hidden.test" },
    reason: /A wildcard of the zone answers for the name \(A\)/,
    wayOn: /Give shop\.hidden\.test records of its own first/,
  },
  {
    what: "an SPF record for a name whose MX comes from a wildcard",
    zone: "hidemx.test",
    records: [...sound("hidemx.test"), mx("*.hidemx.test", 10, "mail.hidemx.test")],
    entry: {
      name: "shop.hidemx.test",
      server: "mail.hidemx.test",
      spf: { base: "v=spf1 a:mail.hidemx.test -all" },
    },
    reason: /A wildcard of the zone answers for the name \(MX\)/,
    wayOn: /Give shop\.hidemx\.test records of its own first/,
  },
  {
    what: "MX that are only the gateway's, and no handBackTo",
    zone: "already.test",
    records: [mx("already.test", 10, "smtp-in.gateway.test")],
    entry: { name: "already.test", outbound: "none" },
    reason: /The MX are the gateway's already, and neither DNS nor the state says/,
    wayOn: /Give handBackTo/,
  },
  {
    what: "a domain that another organisation holds",
    zone: "held.test",
    records: [
      mx("held.test", 10, "smtp-in.gateway.test"),
      txt(
        "_mxhero.held.test",
        "v=mxhero1 kind=mx holder=fabrikam phase=held revision=1 claims=9f86d081.a3c1f2e4 server=2c26b46b former=1",
      ),
      txt("_mxhero.held.test", 'v=mxhero1 kind=was mx=\\"10 mail.held.test.\\" ttl=1'),
    ],
    entry: { name: "held.test", outbound: "none" },
    reason: /the organisation "fabrikam" holds the domain, not "contoso"/,
    wayOn: /Let "fabrikam" hand the domain back first/,
  },
  {
    what: "SPF terms that another organisation claims",
    zone: "heldspf.test",
    records: [
      ...sound("heldspf.test"),
      txt(
        "_mxhero.heldspf.test",
        'v=mxhero1 kind=spf holder=fabrikam claim=60303ae2.77de68da created=no terms=\\"include:_spf.gateway.test\\"',
      ),
    ],
    entry: { name: "heldspf.test" },
    reason: /the organisation "fabrikam" holds the domain, not "contoso"/,
    wayOn: /Let "fabrikam" hand the domain back first/,
  },
  {
    what: "a journal that cannot be trusted",
    zone: "damaged.test",
    records: [
      ...sound("damaged.test"),
      txt("_mxhero.damaged.test", 'v=mxhero1 kind=was mx=\\"10 mail.damaged.test.\\" ttl=1'),
    ],
    entry: { name: "damaged.test", outbound: "none" },
    reason: /The journal in DNS cannot be trusted: former MX stand without/,
    wayOn: /correct the TXT records under _mxhero by hand/,
  },
  {
    what: "a zone that a validating resolver answers with SERVFAIL",
    zone: "broken.test",
    options: { signedBroken: true },
    records: sound("broken.test"),
    entry: { name: "broken.test", outbound: "none" },
    reason: /SERVFAIL: its DNSSEC chain or its name servers are broken/,
    wayOn: /mend the zone's DNS/,
  },
  {
    what: "SPF that relies on mx",
    zone: "relies.test",
    records: [mx("relies.test", 10, "mail.relies.test"), txt("relies.test", "v=spf1 mx -all")],
    entry: { name: "relies.test", outbound: "none" },
    reason: /The record "v=spf1 mx -all" authorises the MX hosts.*mail\.relies\.test/,
    wayOn: /Set spf\.replaceMx of the domain.*a:mail\.relies\.test/,
  },
  {
    what: "a Server whose address is the gateway's",
    zone: "loop.test",
    records: [
      ...sound("loop.test"),
      { name: "relay.loop.test", type: "CNAME", content: "smtp-in.gateway.test" },
    ],
    entry: { name: "loop.test", server: "relay.loop.test", outbound: "none" },
    reason: /deliver to Server "relay\.loop\.test", which has the address \S+ of the gateway/,
    wayOn: /Give the host that finally receives the domain's mail/,
  },
  {
    what: "gateway targets that have no address",
    zone: "noaddress.test",
    records: sound("noaddress.test"),
    entry: { name: "noaddress.test", outbound: "none" },
    reason: /The gateway's host gone\.gateway\.test has no address/,
    wayOn: /Correct mail:gateway/,
  },
  {
    what: "a domain without a zone at Cloudflare",
    entry: { name: "mail-host.test", outbound: "none" },
    reason: /The token sees no zone for mail-host\.test/,
    wayOn: /Zone Read and DNS Write/,
  },
  {
    what: "a domain that does not exist",
    entry: { name: "nowhere.test", outbound: "none" },
    reason: /nowhere\.test/,
    wayOn: /Register the domain|Give a token/,
  },
  {
    what: "a credential that nobody gave",
    zone: "nocredential.test",
    records: sound("nocredential.test"),
    entry: { name: "nocredential.test", credential: "elsewhere" },
    reason: /No Cloudflare API token was given/,
    wayOn: /Set CLOUDFLARE_API_TOKEN_ELSEWHERE/,
  },
  {
    what: "a token for other zones",
    zone: "foreign.test",
    records: sound("foreign.test"),
    entry: { name: "foreign.test", credential: "fabrikam", outbound: "none" },
    reason: /The token sees no zone for foreign\.test/,
    wayOn: /Give a token/,
  },
];

function contents(zone: TenantZone): string[] {
  return zone.snapshot().map(({ content }) => content);
}

let lab: TenantLab;

beforeAll(async () => {
  lab = await startTenantLab();
});

afterAll(() => lab[Symbol.asyncDispose]());

describe("refused", () => {
  let run: Run;
  let plain: string;
  const zones = new Map<Refusal, TenantZone>();
  const before = new Map<Refusal, readonly RecordSpec[]>();

  /** One run tries all of them: a refusal does not stop the others. */
  beforeAll(async () => {
    for (const refusal of refusals) {
      if (refusal.zone === undefined) continue;
      const zone = await lab.addZone(refusal.zone, refusal.records ?? [], refusal.options);
      zones.set(refusal, zone);
      before.set(refusal, zone.snapshot());
    }
    const usual = refusals.filter(({ zone }) => zone !== "noaddress.test");
    const stack = await lab.addStack("refused", { domains: usual.map(({ entry }) => entry) });
    const other = await lab.addStack("noaddress", {
      gateway: {
        mx: [
          { exchange: "smtp-in.gateway.test", preference: 10 },
          { exchange: "gone.gateway.test", preference: 20 },
        ],
        smtpIn: "smtp-in.gateway.test",
        smtpRelay: "smtp-relay.gateway.test",
      },
      domains: refusals.filter((refusal) => !usual.includes(refusal)).map(({ entry }) => entry),
    });
    lab.world.cloudflare.clearLogs();
    const first = await failed(stack.up(["--continue-on-error"]));
    const second = await failed(other.up());
    run = { ...first, text: first.text + second.text };
    // With --continue-on-error Pulumi itself prints where its promises were rejected.
    plain = second.text;
  });

  test.each(refusals)("$what, with the reason and the way on", (refusal) => {
    const lines = run.text.split("\n").filter((line) => refusal.reason.test(line));
    expect(lines).toContainEqual(expect.stringMatching(refusal.wayOn));
    expect(zones.get(refusal)?.snapshot()).toEqual(before.get(refusal));
  });

  test("nothing was written, and no error looks like a crash", () => {
    expect(lab.world.cloudflare.requests.length).toBeGreaterThan(refusals.length);
    expect(lab.world.cloudflare.commits).toEqual([]);
    expect(plain).not.toMatch(/^\s+at .+:\d+:\d+/m);
  });
});

test("an identifier of another zone is refused", async () => {
  const zone = await lab.addZone("right.test", sound("right.test"));
  // The domain's name ends in the zone's, but not at a dot.
  const other = await lab.addZone("ght.test", sound("ght.test"));
  const stack = await lab.addStack("zone-id", {
    domains: [{ name: "right.test", zoneId: other.id, outbound: "none" }],
  });
  lab.world.cloudflare.clearLogs();
  const { text } = await failed(stack.up());
  expect(text).toMatch(/The domain right\.test does not lie in the zone ght\.test/);
  expect(text).toMatch(/Give the identifier of the zone that holds right\.test/);
  expect(lab.world.cloudflare.commits).toEqual([]);

  await stack.write({ domains: [{ name: "right.test", zoneId: zone.id, outbound: "none" }] });
  await succeeded(stack.up());
  expect(zone.snapshot()).toContainEqual(
    expect.objectContaining({ content: "smtp-in.gateway.test" }),
  );
});

test("an MTA-STS policy that does not admit the gateway is refused until it does", async () => {
  const { world } = lab;
  const zoneId = world.zoneIds.get("contoso.test") ?? "";
  const own = "contoso-test.mail.protection.outlook.test";
  const policy = { mode: "enforce", maxAge: 86_400 } as const;
  await world.publishPolicy("contoso.test", { ...policy, mx: [own] });
  const before = world.cloudflare.snapshot(zoneId);
  const stack = await lab.addStack("mta-sts", {
    domains: [{ name: "contoso.test", server: own, outbound: "none" }],
  });
  world.cloudflare.clearLogs();
  const { text } = await failed(stack.up());
  expect(text).toMatch(/mode is enforce and it does not admit smtp-in\.gateway\.test/);
  expect(text).toMatch(/Add "mx: smtp-in\.gateway\.test" to https:\/\/mta-sts\.contoso\.test/);
  expect(world.cloudflare.commits).toEqual([]);
  expect(world.cloudflare.snapshot(zoneId)).toEqual(before);

  await world.publishPolicy("contoso.test", { ...policy, mx: [own, "*.gateway.test"] });
  const admitted = world.cloudflare.snapshot(zoneId);
  await succeeded(stack.up());
  expect((await world.mailPath("contoso.test")).path).toContain("smtp-in.gateway.test");
  // It must not keep anybody on the gateway that the policy's own host is down.
  world.mtaStsHost.policies.delete("contoso.test");
  const destroy = await succeeded(stack.destroy());
  expect(destroy.text).toMatch(/announces a policy, but .* can't be read/);
  expect(world.cloudflare.snapshot(zoneId)).toEqual(admitted);
});

test("what was refused goes on with what the refusal asks for, and comes off again", async () => {
  const { world } = lab;
  const base = await lab.addZone("base.test", [mx("base.test", 10, "mail.base.test")]);
  const moved = await lab.addZone("moved.test", [mx("moved.test", 10, "smtp-in.gateway.test")]);
  const replaced = await lab.addZone("replaced.test", [
    mx("replaced.test", 10, "mail.replaced.test"),
    txt("replaced.test", "v=spf1 mx ip4:192.0.2.1 -all"),
  ]);
  const waived = await lab.addZone("waived.test", [
    mx("waived.test", 10, "mail.waived.test"),
    txt("waived.test", "v=spf1 mx -all"),
  ]);
  const before = [base, replaced, waived].map((zone) => zone.snapshot());
  const stack = await lab.addStack("accepted", {
    domains: [
      { name: "base.test", spf: { base: "v=spf1 a:mail.base.test -all" } },
      {
        name: "moved.test",
        outbound: "none",
        handBackTo: [{ exchange: "mail.moved.test", preference: 5 }],
      },
      { name: "replaced.test", spf: { replaceMx: ["a:mail.replaced.test"] } },
      { name: "waived.test", spf: { replaceMx: [] }, outbound: "none" },
    ],
  });
  await using watch = watchNameServers(world, "moved.test");
  const up = await succeeded(stack.up());
  expect(up.text).toMatch(/Accepted: mail\.waived\.test .* may no longer send for waived\.test/);
  expect(contents(base)).toContain(`"v=spf1 a:mail.base.test ${gatewayTerm} -all"`);
  expect(contents(waived)).toContain('"v=spf1 mx -all"');
  const replacement = contents(replaced).find((text) => text.startsWith('"v=spf1'));
  expect(replacement).toContain("a:mail.replaced.test");
  expect(replacement).toContain(gatewayTerm);

  await succeeded(stack.destroy());
  expect([base, replaced, waived].map((zone) => zone.snapshot())).toEqual(before);
  expect(moved.snapshot()).toEqual([
    expect.objectContaining({ name: "mail.moved.test" }),
    expect.objectContaining({ type: "MX", priority: 5, content: "mail.moved.test" }),
  ]);
  assertNeverEmptyOrForeign(await watch.stop(), gatewayMx, ["5 mail.moved.test"]);
});

test("the terms that took the place of mx are not tidied away while the MX are the gateway's", async () => {
  const zone = await lab.addZone("tidied.test", [
    mx("tidied.test", 10, "mail.tidied.test"),
    txt("tidied.test", "v=spf1 mx -all"),
  ]);
  const kept = await lab.addZone("tidied-kept.test", [
    mx("tidied-kept.test", 10, "mail.tidied-kept.test"),
    txt("tidied-kept.test", "v=spf1 mx a:mail.tidied-kept.test -all"),
  ]);
  const before = zone.snapshot();
  const entry = { name: "tidied.test", outbound: "none" } as const;
  const own = { name: "tidied-kept.test", outbound: "none" } as const;
  const stack = await lab.addStack("tidied", {
    domains: [
      { ...entry, spf: { replaceMx: ["a:mail.tidied.test"] } },
      { ...own, spf: { replaceMx: ["a:mail.tidied-kept.test"] } },
    ],
  });
  await succeeded(stack.up());
  const held = zone.snapshot();

  await stack.write({ domains: [entry, own] });
  for (const run of [stack.preview(), stack.up(["--skip-preview"])]) {
    const { text } = await failed(run);
    expect(text).toMatch(
      /Once a:mail\.tidied\.test has left the record .*, mail\.tidied\.test \(\S+\) may no longer send/,
    );
    expect(text).toMatch(/Set spf\.replaceMx of the domain .*\[a:mail\.tidied\.test\]/);
    // Its term stood in the record before, and stays.
    expect(text).not.toContain("a:mail.tidied-kept.test has left");
  }
  expect(zone.snapshot()).toEqual(held);

  await stack.write({ domains: [{ ...entry, spf: { replaceMx: [] } }, own] });
  const accepted =
    /Accepted: mail\.tidied\.test \(\S+\) may no longer send .* without a:mail\.tidied/;
  expect((await succeeded(stack.preview())).text).toMatch(accepted);
  expect((await succeeded(stack.up())).text).toMatch(accepted);
  expect(contents(zone)).toContain('"v=spf1 mx -all"');
  expect(contents(kept)).toContain('"v=spf1 mx a:mail.tidied-kept.test -all"');
  // Nothing is left to lose.
  await stack.write({ domains: [entry, own] });
  await succeeded(stack.up());
  await succeeded(stack.destroy());
  expect(zone.snapshot()).toEqual(before);
});

test("a journal that contradicts the state is refused until somebody decides", async () => {
  const { world } = lab;
  const zone = await lab.addZone("contradiction.test", sound("contradiction.test"));
  const entry = { name: "contradiction.test", outbound: "none" } as const;
  const stack = await lab.addStack("contradiction", { domains: [entry] });
  await succeeded(stack.up());
  const was = zone.snapshot().find(({ content }) => content.includes("kind=was"));
  if (was === undefined) throw new Error("the journal has no former MX");
  const content = was.content.replace("mail.contradiction.test", "elsewhere.contradiction.test");
  await world.cloudflare.edit(zone.id, { remove: [was], add: [{ ...was, content }] });
  const held = zone.snapshot();
  world.cloudflare.clearLogs();

  const { text } = await failed(stack.destroy());
  expect(text).toMatch(
    /The journal in DNS says that the former MX were 10 elsewhere\.contradiction\.test\. .*the state says 10 mail\.contradiction\.test\./,
  );
  expect(text).toMatch(/Find out which is right and give it as handBackTo/);
  expect(world.cloudflare.commits).toEqual([]);
  expect(zone.snapshot()).toEqual(held);

  const handBackTo = [{ exchange: "mail.contradiction.test", preference: 10 }];
  await stack.write({ domains: [{ ...entry, handBackTo }] });
  await succeeded(stack.up());
  await succeeded(stack.destroy());
  expect(zone.snapshot()).toEqual([
    expect.objectContaining({ type: "MX", priority: 10, content: "mail.contradiction.test" }),
    expect.objectContaining({ type: "TXT", content: '"v=spf1 a:mail.contradiction.test -all"' }),
    expect.objectContaining({ type: "A" }),
  ]);
});

test("faults of the stack file are told all at once, and no resource exists", async () => {
  const stack = await lab.addStack("faults", { domains: [{ name: "faults.test" }] });
  await stack.writeConfig({
    "mail:organisation": "Contoso Ltd.",
    "mail:gateway": {
      mx: [{ exchange: "192.0.2.1", preference: 70_000 }],
      smtpIn: "smtp-in.gateway.test",
      smtpRelay: "smtp-in.gateway.test",
    },
    "mail:domains": [
      { name: "faults.test", mailSystem: "other", inbound: "border", outbound: "none" },
      { name: "a..b", mailSystem: "other", server: "x.test", inbound: "both", outbound: "none" },
    ],
    "mail:domain": "faults.test",
  });
  lab.world.cloudflare.clearLogs();
  const { text } = await failed(stack.up());
  for (const path of [
    "mail:organisation",
    "mail:gateway.mx[0].exchange",
    "mail:gateway.mx[0].preference",
    "mail:gateway.smtpRelay",
    "mail:domains[0].server",
    "mail:domains[1].name",
    "mail:domains[1].inbound",
    "mail:domain",
  ]) {
    expect(text).toContain(`stacks/Pulumi.faults.yaml: config ${path}: `);
  }
  expect(text).not.toMatch(/^\s+at .+:\d+:\d+/m);
  const types = (await stack.resources()).map(({ type }) => type);
  expect(types.filter((type) => type !== "pulumi:pulumi:Stack")).toEqual([]);
  expect(lab.world.cloudflare.requests).toEqual([]);
});
