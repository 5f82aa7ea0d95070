/** Domains go onto the gateway and off it again, from every kind of MX that they may begin with. */
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import type { RecordSpec } from "../lab/cloudflare/index.ts";
import {
  type DomainEntry,
  gatewayMx,
  gatewayTerm,
  mx,
  startTenantLab,
  succeeded,
  type TenantLab,
  txt,
} from "./tenant.ts";
import { type Answer, assertNeverEmptyOrForeign, watchNameServers } from "./watch-name-servers.ts";

vi.setConfig({ hookTimeout: 240_000 });

interface Beginning {
  readonly what: string;
  readonly zone: string;
  readonly plan?: "pro";
  /** In A-labels. @default the zone's apex */
  readonly domain?: string;
  readonly entry?: Partial<DomainEntry>;
  readonly records: readonly RecordSpec[];
  /** What the name servers answer before and after. */
  readonly former: readonly string[];
}

const munich = "xn--mnchen-3ya.test";

const five = ["a", "b", "c", "d", "e"].map((host, index) => ({
  ...mx("five.test", (index + 1) * 10, `${host}.mail-host.test`),
  ttl: 120 + index * 60,
  comment: `number ${index}`,
}));

const beginnings: readonly Beginning[] = [
  {
    what: "MX with comments, tags and TTLs",
    zone: "paid.test",
    plan: "pro",
    records: [
      { ...mx("paid.test", 10, "mail.paid.test"), comment: "main; ask us", tags: ["team:mail"] },
      { ...mx("paid.test", 20, "backup.mail-host.test"), ttl: 3600, comment: "backup" },
      { ...txt("paid.test", "v=spf1 a:mail.paid.test -all"), comment: "senders", ttl: 600 },
    ],
    former: ["10 mail.paid.test", "20 backup.mail-host.test"],
  },
  {
    what: "no MX",
    zone: "nomx.test",
    records: [txt("nomx.test", "v=spf1 a:mail.nomx.test ~all")],
    former: [],
  },
  {
    what: "a null MX",
    zone: "null.test",
    records: [
      { ...mx("null.test", 0, "."), comment: "no mail here" },
      txt("null.test", "v=spf1 -all"),
    ],
    former: ["0 "],
  },
  {
    what: "MX inherited from a wildcard",
    zone: "wild.test",
    domain: "shop.wild.test",
    entry: { outbound: "none" },
    records: [
      { ...mx("*.wild.test", 10, "mail.wild.test"), comment: "all of them" },
      mx("wild.test", 5, "mail.wild.test"),
    ],
    former: ["10 mail.wild.test"],
  },
  {
    what: "five MX",
    zone: "five.test",
    records: [...five, txt("five.test", "v=spf1 include:_spf.mail-host.test -all")],
    former: five.map(({ priority, content }) => `${priority} ${content}`),
  },
  {
    what: "a subdomain",
    zone: "parent.test",
    domain: "sub.parent.test",
    records: [
      mx("parent.test", 10, "mail.parent.test"),
      mx("sub.parent.test", 10, "mail.parent.test"),
      txt("sub.parent.test", "v=spf1 a:mail.parent.test -all"),
    ],
    former: ["10 mail.parent.test"],
  },
  {
    what: "an internationalised name",
    zone: munich,
    entry: { name: "münchen.test", server: "mail.münchen.test" },
    records: [mx(munich, 10, `mail.${munich}`), txt(munich, `v=spf1 a:mail.${munich} -all`)],
    former: [`10 mail.${munich}`],
  },
];

const mailing: Beginning = {
  what: "outbound only",
  zone: "mailing.test",
  entry: { inbound: "none" },
  records: [
    mx("mailing.test", 10, "mail.mailing.test"),
    txt("mailing.test", "v=spf1 a:mail.mailing.test -all"),
  ],
  former: ["10 mail.mailing.test"],
};

/** The same domain before the first run, after `up` and after `destroy`. */
interface Life {
  readonly before: readonly RecordSpec[];
  readonly held: readonly RecordSpec[];
  readonly after: readonly RecordSpec[];
  readonly report: unknown;
  readonly requests: number;
  readonly watched: readonly Answer[];
}

let lab: TenantLab;
const lives = new Map<string, Life>();

/** All of them in one stack: the runs of the engine are what takes time. */
beforeAll(async () => {
  lab = await startTenantLab();
  const { world } = lab;
  const all = [...beginnings, mailing];
  const domains = await Promise.all(
    all.map(async ({ what, zone: zoneName, plan, domain = zoneName, entry, records }) => {
      const zone = await lab.addZone(zoneName, records, plan && { plan });
      const name = { name: domain, server: `mail.${zoneName}`, ...entry };
      return { what, zone, domain, entry: name, before: zone.snapshot() };
    }),
  );
  const stack = await lab.addStack("lifecycle", { domains: domains.map(({ entry }) => entry) });
  await using watches = new AsyncDisposableStack();
  const watching = new Map(
    domains.map(({ domain }) => [domain, watches.use(watchNameServers(world, domain))]),
  );
  await succeeded(stack.up());
  const paths = world.cloudflare.requests.map(({ path }) => path);
  const { domains: reports } = await stack.outputs();
  const held = new Map(domains.map(({ domain, zone }) => [domain, zone.snapshot()]));
  await succeeded(stack.destroy());
  for (const { what, domain, zone, before } of domains) {
    lives.set(what, {
      before,
      held: held.get(domain) ?? [],
      after: zone.snapshot(),
      report: new Map(Object.entries(reports ?? {})).get(domain),
      requests: paths.filter((path) => path.includes(zone.id) || path.includes(zone.name)).length,
      watched: (await watching.get(domain)?.stop()) ?? [],
    });
  }
});

afterAll(() => lab[Symbol.asyncDispose]());

function lifeOf({ what }: Beginning): Life {
  const life = lives.get(what);
  if (life === undefined) throw new Error(`${what} was not tried`);
  return life;
}

function texts(records: readonly RecordSpec[], name: string, type: string): string[] {
  return records
    .filter((record) => record.name === name && record.type === type)
    .map(({ priority, content }) => (type === "MX" ? `${priority} ${content}` : content));
}

function plainMx(text: string) {
  const [preference, exchange] = text.split(" ");
  return { preference: Number(preference), exchange };
}

test.each(beginnings)("$what: is on the gateway after up", (beginning) => {
  const { zone, domain = zone, former, entry } = beginning;
  const { held, report, requests } = lifeOf(beginning);
  expect(texts(held, domain, "MX")).toEqual(gatewayMx);
  const label = domain.slice(0, -zone.length);
  const journal = texts(held, `${label}_mxhero.${zone}`, "TXT");
  const head = /^"v=mxhero1 kind=mx holder=contoso phase=held /;
  expect(journal).toContainEqual(expect.stringMatching(head));
  expect(journal.filter((text) => text.includes(" kind=was "))).toHaveLength(former.length);

  const spf = texts(held, domain, "TXT").filter((text) => text.includes(gatewayTerm));
  expect(spf).toHaveLength(entry?.outbound === "none" ? 0 : 1);
  expect(report).toMatchObject({
    mx: { before: former.map(plainMx), after: gatewayMx.map(plainMx) },
    ...(spf.length > 0 && { spf: { after: spf[0]?.slice(1, -1) } }),
  });
  expect(requests).toBeLessThanOrEqual(10);
});

test.each(beginnings)("$what: is what it was after destroy", (beginning) => {
  const { before, after } = lifeOf(beginning);
  expect(after).toEqual(before);
  expect(before).not.toEqual(lifeOf(beginning).held);
});

test.each(beginnings)("$what: no name server was ever without an MX of its own", (beginning) => {
  const { watched } = lifeOf(beginning);
  expect(watched).not.toEqual([]);
  assertNeverEmptyOrForeign(watched, beginning.former, gatewayMx);
});

test("a domain that had no MX had none before and after, and not once between", () => {
  const [nomx] = beginnings.filter(({ what }) => what === "no MX");
  const watched = nomx ? lifeOf(nomx).watched : [];
  const servers = new Set(watched.map(({ server }) => server));
  expect(servers.size).toBe(2);
  for (const name of servers) {
    const answers = watched.filter(({ server }) => server === name);
    expect(answers.map((answer) => answer.mx)).toEqual([[], gatewayMx, []]);
  }
});

test("outbound only: SPF has the gateway, and the MX is never touched", () => {
  const { before, held, after, watched, report } = lifeOf(mailing);
  expect(texts(held, "mailing.test", "TXT")).toEqual([
    `"v=spf1 a:mail.mailing.test ${gatewayTerm} -all"`,
  ]);
  expect(texts(held, "mailing.test", "MX")).toEqual(mailing.former);
  expect(report).not.toHaveProperty("mx");
  expect(after).toEqual(before);
  assertNeverEmptyOrForeign(watched, mailing.former);
});
