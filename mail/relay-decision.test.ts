import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseIpAddress } from "./address-scope.ts";
import { decideRelay } from "./relay-decision.ts";
import { buildRelayIndex, type Client, RelayIndex } from "./relay-index.ts";
import type { RouteRecord, SendingIdentity } from "./route.ts";
import { inactiveTimes, leavingTimes } from "./route-life.ts";
import { networkOf } from "./sending-identity.ts";
import { NOW, recordOf, routeOf } from "./testdata/routes.ts";

const network = (text: string): SendingIdentity => ({ kind: "network", network: text });
const certificate = (byte: number): SendingIdentity => ({
  kind: "certificate",
  fingerprint: Array.from({ length: 32 }, () => byte.toString(16).padStart(2, "0")).join(":"),
});

interface Tenant {
  readonly organisation: string;
  readonly records: readonly RouteRecord[];
  /** Clients that are this tenant's. */
  readonly clients: readonly Client[];
}

/** Twenty tenants of all kinds of identity, some with several domains, and some below one another's names. */
const TENANTS: readonly Tenant[] = Array.from({ length: 20 }, (_, number) => {
  const organisation = `tenant-${number}`;
  const kinds: readonly [SendingIdentity[], Client[]][] = [
    [[network(`11.0.${number}.0/24`)], [{ address: `11.0.${number}.9` }]],
    [[network(`11.1.0.${number}/32`)], [{ address: `11.1.0.${number}` }]],
    [
      [network(`2600:1f00:${number.toString(16)}::/48`)],
      [{ address: `2600:1F00:${number.toString(16)}::25` }],
    ],
    [
      [certificate(number)],
      [{ address: "5.5.5.5", fingerprint: fingerprintOf(certificate(number)).toUpperCase() }],
    ],
    [
      [
        network(`11.2.${number}.128/25`),
        network(`2600:1f01::${number.toString(16)}/128`),
        certificate(number),
      ],
      [{ address: `11.2.${number}.200` }, { address: `2600:1f01::${number.toString(16)}` }],
    ],
  ];
  const [identities, clients] = kinds[number % kinds.length] ?? [[], []];
  // Every third one is a sibling below one registrable domain, and every fourth has a second domain.
  const first = number % 3 === 0 ? `t${number}.shared.test` : `t${number}.test`;
  const domains = number % 4 === 0 ? [first, `second-${number}.test`] : [first];
  const outbound = number % 2 === 0 ? "standard" : "loopback";
  const records = domains.map((domain) =>
    recordOf(routeOf(domain, { identities, outbound }), organisation),
  );
  return { organisation, records, clients };
});

const INDEX = buildRelayIndex(TENANTS.flatMap(({ records }) => records));

function fingerprintOf(identity: SendingIdentity): string {
  return identity.kind === "certificate" ? identity.fingerprint : "";
}

function ask(client: Client, sender: string, index: RelayIndex | undefined = INDEX, now = NOW) {
  const decision = decideRelay(index, { client, sender }, now);
  return decision.action === "permit" ? "permit" : decision.reply;
}

test("no tenant can send as another: all pairs", () => {
  const senders = TENANTS.flatMap(({ organisation, records }) =>
    records.map(({ domain }) => ({ organisation, domain })),
  );
  const permitted = TENANTS.flatMap(({ organisation, clients }) =>
    clients.flatMap((client) =>
      senders
        .filter(({ domain }) => ask(client, `anyone@${domain}`) === "permit")
        .map((sender) => [organisation, sender.organisation] as const),
    ),
  );
  const own = TENANTS.reduce(
    (sum, { clients, records }) => sum + clients.length * records.length,
    0,
  );
  expect(permitted.filter(([client, sender]) => client !== sender)).toEqual([]);
  expect(permitted).toHaveLength(own);
});

const EDGES = ["%s.attacker.test", "sub.%s", "x%s", "%s.", "%s@t1.test@attacker.test", "[%s]", ""];

test("nor by a writing of a domain's name", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...TENANTS),
      fc.constantFrom(...TENANTS),
      fc.constantFrom(...EDGES),
      (tenant, other, edge) => {
        const [client = { address: "" }] = tenant.clients;
        const domain = other.records[0]?.domain ?? "";
        expect(ask(client, `a@${edge.replace("%s", domain)}`)).toMatch(/^550 5\.7\.1 /);
      },
    ),
  );
});

test("an address passes exactly where it lies in a network of the domain", () => {
  const addresses = fc.tuple(fc.constantFrom(11, 12), fc.nat(2), fc.nat(20), fc.nat(255));
  fc.assert(
    fc.property(addresses, fc.constantFrom(...TENANTS), (bytes, { records }) => {
      const address = bytes.join(".");
      const parsed = parseIpAddress(address);
      const route = records[0]?.active?.route;
      const inside = route?.identities.some(
        (identity) =>
          identity.kind === "network" &&
          parsed !== undefined &&
          !identity.network.includes(":") &&
          networkOf(parsed, Number(identity.network.split("/")[1])) === identity.network,
      );
      expect(ask({ address }, `x@${route?.domain}`) === "permit").toBe(inside);
    }),
  );
});

describe("what is refused", () => {
  const own = { address: "11.0.0.9" };

  test.each([
    [
      "a client nobody knows",
      { address: "8.8.8.8" },
      "a@t0.shared.test",
      "550 5.7.1 The host [8.8.8.8] is not a sending identity of t0.shared.test",
    ],
    [
      "a domain nobody knows",
      own,
      "a@example.test",
      "550 5.7.1 The sender's domain is not known to this gateway",
    ],
    [
      "a sender without a domain",
      own,
      "t0.shared.test",
      "550 5.7.1 The sender's domain is not known to this gateway",
    ],
    [
      "no address at all",
      { address: "unknown" },
      "",
      "550 5.7.1 The host [unknown] is not a sending identity of any domain",
    ],
  ])("%s", (_, client, sender, reply) => {
    expect(ask(client, sender)).toBe(reply);
  });

  test("everything is put off where no route is known yet", () => {
    expect(decideRelay(undefined, { client: own, sender: "a@t0.shared.test" }, NOW)).toEqual({
      action: "defer",
      reply: "451 4.3.0 The gateway is still loading the routes",
    });
  });

  test("a domain that only receives", () => {
    const index = buildRelayIndex([recordOf(routeOf("in.test", { outbound: "none" }))]);
    const client = { address: "192.0.2.7" };
    expect(ask(client, "a@in.test", index)).toBe(
      "550 5.7.1 in.test does not send mail through this gateway",
    );
    expect(ask(client, "", index)).toMatch(/^550 5\.7\.1 .* not a sending identity of any domain$/);
  });
});

test("international senders, capital letters and quoted local parts find their domain", () => {
  const index = buildRelayIndex([recordOf(routeOf("xn--bcher-kva.test"))]);
  const client = { address: "192.0.2.7" };
  for (const sender of [
    "a@bücher.test",
    "A@BÜCHER.TEST",
    "a@xn--bcher-kva.test",
    '"a@b"@bücher.test',
  ]) {
    expect(ask(client, sender, index)).toBe("permit");
  }
});

describe("the null sender", () => {
  test("passes from every identity of a single tenant", () => {
    const answers = TENANTS.flatMap(({ clients }) => clients.map((client) => ask(client, "")));
    expect(new Set(answers)).toEqual(new Set(["permit"]));
  });

  test("is refused where two organisations have the identity, unless one has expired", () => {
    const a = recordOf(routeOf("a.test"), "a");
    const b = recordOf(routeOf("b.test"), "b");
    const client = { address: "192.0.2.7" };
    expect(ask(client, "", buildRelayIndex([a, b]))).toMatch(/^550 5\.7\.1 .* is shared/);
    const expired = { ...b, leaving: leavingTimes(new Date(0)) };
    expect(ask(client, "", buildRelayIndex([a, expired]))).toBe("permit");
  });

  test("passes where one of the organisation's domains is still served", () => {
    const gone = { ...recordOf(routeOf("a.test")), leaving: leavingTimes(NOW) };
    const refusing = new Date(NOW.getTime() + 10 * 86_400_000);
    const client = { address: "192.0.2.7" };
    expect(ask(client, "", buildRelayIndex([gone]), refusing)).toMatch(
      /^550 5\.7\.1 a\.test no longer sends/,
    );
    const kept = recordOf(routeOf("b.test"));
    expect(ask(client, "", buildRelayIndex([gone, kept]), refusing)).toBe("permit");
  });
});

function wayOf(...records: readonly RouteRecord[]): string {
  const request = { client: { address: "192.0.2.7" }, sender: "" };
  const decision = decideRelay(buildRelayIndex(records), request, NOW);
  return decision.action === "permit" ? (decision.way?.domain ?? "by MX") : decision.reply;
}

describe("the null sender's mail goes", () => {
  const relayServer = { host: "relay.test", port: 25, tls: "opportunistic" } as const;
  const login = { user: "u", secret: "s", secretVersion: 1 };
  const withLogin = { relayServer: { ...relayServer, login } };
  test.each([
    ["by MX without a Relay Server", "by MX", [routeOf("a.test")]],
    ["by MX where the Relay Server has a login", "by MX", [routeOf("a.test", withLogin)]],
    ["through the Relay Server", "a.test", [routeOf("a.test", { relayServer })]],
    ["back to the Server", "a.test", [routeOf("a.test", { outbound: "loopback" })]],
    [
      "the way of the organisation's first domain that has one",
      "c.test",
      [
        routeOf("d.test", { relayServer }),
        routeOf("c.test", { relayServer }),
        routeOf("b.test", withLogin),
        routeOf("a.test"),
      ],
    ],
    [
      "not the way of a domain that sends no more",
      "b.test",
      [
        routeOf("a.test", { outbound: "none", relayServer }),
        routeOf("b.test", { outbound: "loopback" }),
      ],
    ],
  ])("%s", (_, way, routes) => {
    expect(wayOf(...routes.map((route) => recordOf(route)))).toBe(way);
  });

  test("not the way of a domain that is refused", () => {
    const gone = recordOf(routeOf("a.test", { relayServer }));
    const leaving = leavingTimes(new Date(NOW.getTime() - 8 * 86_400_000));
    expect(wayOf({ ...gone, leaving }, recordOf(routeOf("b.test")))).toBe("by MX");
    expect(wayOf({ ...gone, leaving: leavingTimes(NOW) })).toBe("a.test");
  });
});

test("a route that was given up is answered by its stage, whoever asks", () => {
  const index = buildRelayIndex([{ ...recordOf(routeOf("a.test")), leaving: leavingTimes(NOW) }]);
  const answers = [0, 7, 9, 39].map((days) => {
    const now = new Date(NOW.getTime() + days * 86_400_000);
    return [{ address: "192.0.2.7" }, { address: "8.8.8.8" }].map((client) =>
      ask(client, "x@a.test", index, now).slice(0, 9),
    );
  });
  expect(answers).toEqual([
    ["permit", "550 5.7.1"],
    ["450 4.7.1", "450 4.7.1"],
    ["550 5.7.1", "550 5.7.1"],
    ["550 5.7.1", "550 5.7.1"],
  ]);
});

test("an inactive route is put off, then refused, whoever asks; its bounces, too", () => {
  const index = buildRelayIndex([{ ...recordOf(routeOf("a.test")), inactive: inactiveTimes(NOW) }]);
  const answers = [0, 2, 400].map((days) => {
    const now = new Date(NOW.getTime() + days * 86_400_000);
    const own = { address: "192.0.2.7" };
    const asked = [
      ask(own, "x@a.test", index, now),
      ask({ address: "8.8.8.8" }, "x@a.test", index, now),
      ask(own, "", index, now),
    ];
    return asked.map((reply) => reply.slice(0, 9));
  });
  expect(answers).toEqual([
    ["450 4.7.1", "450 4.7.1", "450 4.7.1"],
    ["550 5.7.1", "550 5.7.1", "550 5.7.1"],
    ["550 5.7.1", "550 5.7.1", "550 5.7.1"],
  ]);
});

const IDENTITIES = [
  network("11.0.0.0/24"),
  network("11.0.0.7/32"),
  network("2600:1f00::/32"),
  certificate(1),
];
const CLIENTS: Client[] = [
  { address: "11.0.0.7" },
  { address: "11.0.0.8" },
  { address: "2600:1f00::1" },
  { address: "9.9.9.9", fingerprint: fingerprintOf(certificate(1)) },
];

function answersOf(index: RelayIndex): string[] {
  return CLIENTS.flatMap((client) =>
    ["a@a.test", "b@b.test", "c@c.test", ""].map((sender) => ask(client, sender, index)),
  );
}

test("after any changes the index answers as one that was built anew", () => {
  const changes = fc.array(
    fc.tuple(
      fc.constantFrom("a.test", "b.test", "c.test"),
      fc.subarray([0, 1, 2, 3]),
      fc.boolean(),
    ),
    { maxLength: 12 },
  );
  fc.assert(
    fc.property(changes, (steps) => {
      const changed = new RelayIndex();
      const records = new Map<string, RouteRecord>();
      for (const [domain, chosen, isRemoval] of steps) {
        const own = chosen.flatMap((number) => IDENTITIES[number] ?? []);
        const record = recordOf(routeOf(domain, { identities: own }), domain);
        if (isRemoval) {
          changed.remove(domain);
          records.delete(domain);
        } else {
          changed.put(record);
          records.set(domain, record);
        }
        // After each change: what was asked for before is remembered.
        const anew = buildRelayIndex(records.values());
        expect(answersOf(changed)).toEqual(answersOf(anew));
      }
      expect(changed.size).toBe(records.size);
    }),
  );
});
