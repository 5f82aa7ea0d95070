/** Each risk is found where it is, and only there. */
import { expect, test } from "vitest";
import { buildReport } from "./build-report.ts";
import { PreviewReader } from "./preview-reader.ts";
import { RISK_IDS, type RiskId } from "./risk-ids.ts";
import {
  type Changes,
  componentValues,
  eventOf,
  mxValues,
  reportOf,
  saidOf,
  spfValues,
} from "./test-events.ts";

const COMPONENT = { old: componentValues(), new: componentValues() };
const ONBOARDED: Changes = {
  component: { new: componentValues() },
  mx: { new: mxValues() },
  spf: { new: spfValues() },
};
const OFFBOARDED: Changes = {
  component: { old: componentValues() },
  mx: { old: mxValues() },
  spf: { old: spfValues() },
};

function ids(changes: Changes, said: readonly unknown[] = []): readonly RiskId[] {
  return reportOf(changes, said).domains.flatMap(({ risks }) => risks.map(({ id }) => id));
}

function withDirectives(directives: object): object {
  const usual = {
    server: "mail.contoso.test",
    mxLookup: false,
    rcptLookup: "probe",
    relayServer: "none",
  };
  return componentValues({ directives: { ...usual, ...directives } });
}

function component(report: object): Changes["component"] {
  return {
    old: componentValues(),
    new: componentValues({ ...report }),
    differs: ["report"],
    op: "same",
  };
}

function changedMx(values: object): Changes["mx"] {
  return { old: mxValues(), new: mxValues({ ...values }) };
}

const FORMER = { exchange: "mail.contoso.test", preference: 10 };
const REFUSED = saidOf(
  "mx",
  "error",
  "The MTA-STS policy does not admit smtp-in.gateway.test. (mta-sts-not-admitted)",
);

/** Where it is, and the nearest case where it is not. */
const CASES: readonly (readonly [RiskId, Changes, Changes, { said?: readonly unknown[] }?])[] = [
  [
    "spf-budget",
    {
      ...ONBOARDED,
      spf: { new: spfValues({ lookups: 9, lookupsByTerm: "9 of 10 lookups: mx 9" }) },
    },
    {
      ...ONBOARDED,
      spf: { new: spfValues({ lookups: 8, lookupsByTerm: "8 of 10 lookups: mx 8" }) },
    },
  ],
  [
    "long-ttl",
    { ...ONBOARDED, mx: { new: mxValues({ former: [{ ...FORMER, ttl: 86_401 }] }) } },
    { ...ONBOARDED, mx: { new: mxValues({ former: [{ ...FORMER, ttl: 86_400 }] }) } },
  ],
  ["old-connector-locked", OFFBOARDED, ONBOARDED],
  [
    "old-connector-locked",
    { component: COMPONENT, mx: changedMx({ bypass: true }) },
    { component: COMPONENT, mx: changedMx({ overlapSeconds: 0 }) },
  ],
  [
    "hand-back-on-word",
    { ...OFFBOARDED, mx: { old: mxValues({ handBackConfirmed: true }) } },
    OFFBOARDED,
  ],
  [
    "server-not-changed",
    {
      component: component({ mailSystem: "microsoft365" }),
      mx: changedMx({ probeRecipient: "x" }),
    },
    {
      component: { old: componentValues(), new: componentValues({ mailSystem: "microsoft365" }) },
      mx: changedMx({ server: "contoso-test.mail.protection.outlook.com" }),
    },
  ],
  [
    "no-rcpt-lookup",
    { ...ONBOARDED, component: { new: { ...withDirectives({ rcptLookup: "off" }) } } },
    ONBOARDED,
  ],
  [
    "relay-spf",
    {
      ...ONBOARDED,
      component: {
        new: { ...withDirectives({ relayServer: "filter.test, port 587, TLS verified" }) },
      },
    },
    ONBOARDED,
  ],
  [
    "sender-refused",
    { component: component({ route: { sendingFrom: ["192.0.2.26"] } }), mx: changedMx({}) },
    {
      component: component({ route: { sendingFrom: ["192.0.2.25", "192.0.2.26"] } }),
      mx: changedMx({}),
    },
  ],
  [
    "mail-refused",
    { component: COMPONENT, route: { old: { inactive: false }, new: { inactive: true } } },
    { component: COMPONENT, route: { old: { inactive: true }, new: { inactive: false } } },
  ],
  [
    "former-mx-stale",
    { component: COMPONENT, mx: changedMx({ server: "mail2.contoso.test" }) },
    { component: COMPONENT, mx: changedMx({ server: "mail2.contoso.test", handBackTo: [FORMER] }) },
  ],
  [
    "outbound-on-word",
    { ...OFFBOARDED, drain: { old: { relay: "smtp.gateway.test", quietSeconds: 60 } } },
    {
      ...OFFBOARDED,
      drain: { old: { relay: "smtp.gateway.test", quietSeconds: 60, store: { table: "routes" } } },
    },
  ],
  [
    "changed-by-others",
    { component: COMPONENT, mx: { old: mxValues({ after: [FORMER] }), new: mxValues() } },
    { component: COMPONENT, mx: changedMx({ overlapSeconds: 0 }) },
  ],
  [
    "dns-by-hand",
    { ...ONBOARDED, component: { new: componentValues({ dns: "manual" }) } },
    ONBOARDED,
  ],
  [
    "replaced",
    { component: COMPONENT, mx: { old: mxValues(), new: mxValues(), op: "replace" } },
    { component: COMPONENT, mx: changedMx({ overlapSeconds: 0 }) },
  ],
  ["mta-sts-first", ONBOARDED, OFFBOARDED, { said: [REFUSED] }],
  ["warned", ONBOARDED, OFFBOARDED, { said: [saidOf("mx", "warning", "Something else.")] }],
  ...(
    [
      "not-read",
      "dns-disagrees",
      "server-not-recommended",
      "spf-senders-lost",
      "spf-faulty",
      "someone-still-sends",
      "slot-left-out",
      "no-rcpt-lookup",
      "subdomain-mx",
    ] as const
  ).map(
    (id) =>
      [id, ONBOARDED, ONBOARDED, { said: [saidOf("route", "info", `Text. (${id})`)] }] as const,
  ),
];

test.each(CASES)("%s", (id, where, elsewhere, { said = [] } = {}) => {
  expect(ids(where, said)).toContain(id);
  expect(ids(elsewhere)).not.toContain(id);
});

test("many domains that leave are a risk of the stack", () => {
  const risksOf = (domains: readonly string[], offboardAtMost: number) => {
    const reader = new PreviewReader();
    for (const domain of domains) {
      reader.see(eventOf("component", { old: componentValues({ name: domain }) }, domain));
      reader.see(eventOf("mx", { old: mxValues({ domain }) }, domain));
    }
    const preview = reader.end({ exitCode: 0, text: "" });
    return buildReport(preview, { stack: "contoso", kind: "tenant", offboardAtMost }).risks.map(
      ({ id }) => id,
    );
  };
  expect(risksOf(["a.test", "b.test"], 1)).toEqual(["many-domains-leave"]);
  expect(risksOf(["a.test", "b.test"], 2)).toEqual([]);
  expect(risksOf(["a.test"], 1)).toEqual([]);
});

test("a gateway that becomes smaller is a risk of everybody on it", () => {
  const risksOf = (op: string) => {
    const reader = new PreviewReader();
    const type = "aws:ec2/instance:Instance";
    const urn = `urn:pulumi:gateway::mail::${type}::gateway-a`;
    reader.see({ resourcePreEvent: { metadata: { op, urn, type, old: null, new: null } } });
    const preview = reader.end({ exitCode: 0, text: "" });
    return buildReport(preview, { stack: "gateway", kind: "gateway" }).risks.map(({ id }) => id);
  };
  expect(risksOf("delete")).toEqual(["gateway-smaller"]);
  expect(risksOf("create")).toEqual([]);
});

test("every risk has a case here", () => {
  const tested = new Set<string>([
    ...CASES.map(([id]) => id),
    "many-domains-leave",
    "gateway-smaller",
  ]);
  expect(RISK_IDS.filter((id) => !tested.has(id))).toEqual([]);
});

test("a domain of which something was not read is not safe, nor is one that was refused", () => {
  const unread = reportOf(ONBOARDED, [
    saidOf("mx", "warning", "MX of contoso.test not read. (not-read)"),
  ]);
  expect(unread.status).toBe("incomplete");
  expect(unread.domains[0]?.unread).toEqual([
    { code: "not-read", problem: "MX of contoso.test not read." },
  ]);
  const refused = reportOf(ONBOARDED, [REFUSED], 1);
  expect(refused.status).toBe("failed");
  expect(refused.domains[0]?.unread).toMatchObject([{ code: "mta-sts-not-admitted" }]);
  expect(refused.domains[0]?.change).toBe("unknown");
});
