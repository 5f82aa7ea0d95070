/** Each risk is found where it is, and only there. */
import { describe, expect, test } from "vitest";
import { formatNote, NOTE_IDS, subdomainText } from "../mail/preview-note.ts";
import { buildReport } from "./build-report.ts";
import type { Part } from "./kept-values.ts";
import type { Said, SeenResource, StackPreview } from "./preview-reader.ts";
import { RISK_IDS } from "./risk-ids.ts";
import type { Risk } from "./stack-report.ts";
import { partOf, previewOf, saidOf, type TestPart } from "./test-preview.ts";

const DAY = 86_400;
const tested = new Set<string>();

/** The risks of a tenant's stack and its domains. */
function risksOf(seen: StackPreview, kind: "tenant" | "gateway" = "tenant"): Risk[] {
  const report = buildReport(seen, { stack: "contoso", kind });
  return [...report.risks, ...report.domains.flatMap(({ risks }) => risks)];
}

type Parts = Partial<Record<Part, TestPart>>;

function preview(parts: Parts, said: readonly Said[] = []): StackPreview {
  const report = {
    inbound: "border",
    directives: { server: "a.test", rcptLookup: "probe", relayServer: "none" },
  };
  const { component = {}, ...others } = parts;
  const whole = { op: "same", old: { report }, new: { report }, ...component };
  const rest = (["mx", "spf", "route", "drain"] as const).flatMap((part) => {
    const values = others[part];
    return values === undefined ? [] : [partOf(part, values)];
  });
  return previewOf([partOf("component", whole), ...rest], said);
}

interface Case {
  readonly id: (typeof RISK_IDS)[number];
  readonly level: Risk["level"];
  readonly there: Parts;
  /** Nearly the same, without the risk. */
  readonly not: Parts;
}

const mxHosts = [{ exchange: "mail.contoso.test", preference: 10 }];
const report = (changed: object) => ({
  report: {
    inbound: "border",
    mailSystem: "exchange",
    directives: { server: "a.test", rcptLookup: "probe", relayServer: "none" },
    ...changed,
  },
});
const created = (changed: object) => ({ op: "create", old: undefined, new: report(changed) });
const former = (ttl: number) => mxHosts.map((record) => ({ ...record, ttl }));

const CASES: readonly Case[] = [
  {
    id: "old-connector-locked",
    level: "medium",
    there: { mx: { changes: ["bypass"], old: {}, new: { bypass: true } } },
    not: { mx: { changes: ["bypass"], old: { bypass: true }, new: { bypass: false } } },
  },
  {
    id: "hand-back-on-word",
    level: "high",
    there: { mx: { op: "delete", old: { handBackConfirmed: true, before: mxHosts } } },
    not: { mx: { op: "delete", old: { handBackConfirmed: false, before: mxHosts } } },
  },
  {
    id: "former-mx-stale",
    level: "medium",
    there: { mx: { changes: ["server"], old: {}, new: { before: mxHosts } } },
    not: { mx: { changes: ["server"], old: {}, new: { before: mxHosts, handBackTo: mxHosts } } },
  },
  {
    id: "outbound-on-word",
    level: "medium",
    there: { drain: { op: "delete", old: { quietSeconds: DAY } } },
    not: { drain: { op: "delete", old: { quietSeconds: DAY, store: { table: "routes" } } } },
  },
  {
    id: "mail-refused",
    level: "high",
    there: { route: { changes: ["inactive"], old: {}, new: { inactive: true } } },
    not: { route: { changes: ["inactive"], old: {}, new: { inactive: false } } },
  },
  {
    id: "sender-refused",
    level: "medium",
    there: {
      component: {
        old: report({ route: { sendingFrom: ["192.0.2.1", "192.0.2.2"] } }),
        new: report({ route: { sendingFrom: ["192.0.2.1"] } }),
      },
    },
    not: {
      component: {
        old: report({ route: { sendingFrom: ["192.0.2.1"] } }),
        new: report({ route: { sendingFrom: ["192.0.2.1", "192.0.2.2"] } }),
      },
    },
  },
  {
    id: "server-not-changed",
    level: "high",
    there: {
      component: { old: report({}), new: report({ mailSystem: "google" }) },
      route: { changes: ["sending"] },
    },
    not: {
      component: { old: report({}), new: report({ mailSystem: "google" }) },
      route: { changes: ["server"] },
    },
  },
  {
    id: "spf-budget",
    level: "medium",
    there: { spf: { new: { lookups: 9, lookupsByTerm: "9 of 10 lookups: mx 9" } } },
    not: { spf: { new: { lookups: 8, lookupsByTerm: "8 of 10 lookups: mx 8" } } },
  },
  {
    id: "long-ttl",
    level: "medium",
    there: { mx: { op: "create", new: { former: former(DAY) } } },
    not: { mx: { op: "create", new: { former: former(DAY - 1) } } },
  },
  {
    id: "no-rcpt-lookup",
    level: "medium",
    there: {
      component: created({ directives: { rcptLookup: "off", relayServer: "none" } }),
      mx: { op: "create", new: {} },
    },
    not: { component: created({}), mx: { op: "create", new: {} } },
  },
  {
    id: "relay-spf",
    level: "medium",
    there: {
      component: { old: report({}), new: report({ directives: { relayServer: "filter.test" } }) },
    },
    not: { component: { old: report({}), new: report({}) } },
  },
  {
    id: "changed-by-others",
    level: "medium",
    there: { mx: { changes: ["after"], old: {}, new: {} } },
    not: { mx: { changes: ["server"], old: {}, new: {} } },
  },
  {
    id: "dns-by-hand",
    level: "low",
    there: {
      component: { old: report({ dns: "manual" }), new: report({ dns: "manual" }) },
      mx: {},
    },
    not: {
      component: { old: report({ dns: "cloudflare" }), new: report({ dns: "cloudflare" }) },
      mx: {},
    },
  },
  {
    id: "replaced",
    level: "high",
    there: { mx: { op: "replace" } },
    not: { mx: { op: "update" } },
  },
];

describe("a risk of a domain", () => {
  test.each(CASES)("$id", ({ id, level, there, not }) => {
    tested.add(id);
    const found = risksOf(preview(there)).filter((risk) => risk.id === id);
    expect(found).toEqual([{ id, level, text: expect.any(String), fix: expect.any(String) }]);
    expect(risksOf(preview(not)).map((risk) => risk.id)).not.toContain(id);
  });
});

describe("what the provider notes", () => {
  test.each(NOTE_IDS)("%s", (id) => {
    tested.add(id);
    const text = id === "subdomain-mx" ? subdomainText("shop.contoso.test", "10 a.") : "Look.";
    const found = risksOf(preview({ mx: {} }, [saidOf("mx", formatNote(id, text))]));
    // What could not be read has a place of its own.
    const shown = id === "not-read" ? "Something that this change depends on" : text;
    expect(found.find((each) => each.id === id)?.text).toContain(shown);
  });

  test("a sub-domain that is in the stack, too, is not left behind", () => {
    const text = subdomainText("shop.contoso.test", "10 a.");
    const both = [partOf("component", { op: "same" }, "shop.contoso.test")];
    const { resources, said } = preview({ mx: {} }, [
      saidOf("mx", formatNote("subdomain-mx", text)),
    ]);
    const found = risksOf(previewOf([...resources, ...both], said));
    expect(found.map(({ id }) => id)).not.toContain("subdomain-mx");
  });

  test("a lookup more than 10 is a high risk", () => {
    const found = risksOf(
      preview({ spf: { new: { lookups: 11, lookupsByTerm: "11 of 10 lookups: mx 11" } } }),
    );
    expect(found).toContainEqual(expect.objectContaining({ id: "spf-budget", level: "high" }));
  });
});

test("many-domains-leave: more than one run may let go", () => {
  tested.add("many-domains-leave");
  const leaving = ["a.test", "b.test"].map((domain) =>
    partOf("component", { op: "delete" }, domain),
  );
  expect(risksOf(previewOf(leaving)).map(({ id }) => id)).toContain("many-domains-leave");
  expect(risksOf(previewOf(leaving.slice(1))).map(({ id }) => id)).not.toContain(
    "many-domains-leave",
  );
  const { risks } = buildReport(previewOf(leaving), {
    stack: "x",
    kind: "tenant",
    offboardAtMost: 2,
  });
  expect(risks).toEqual([]);
});

function refused(code: string): Said[] {
  return [saidOf("mx", `MTA-STS policy of contoso.test: No. Fix. (${code})`, "error")];
}

test("mta-sts-first: a policy that does not admit the new MX", () => {
  tested.add("mta-sts-first");
  const found = risksOf(preview({ mx: {} }, refused("mta-sts-not-admitted")));
  expect(found).toContainEqual(expect.objectContaining({ id: "mta-sts-first", level: "high" }));
  expect(risksOf(preview({ mx: {} }, refused("domain-held")))).toEqual([]);
});

test("warned: a warning that is no note", () => {
  tested.add("warned");
  const warning = saidOf("mx", "Somebody should know.");
  expect(risksOf(preview({ mx: {} }, [warning]))).toContainEqual(
    expect.objectContaining({ id: "warned", text: "Somebody should know." }),
  );
  expect(risksOf(preview({ mx: {} }, [{ ...warning, severity: "info" }]))).toEqual([]);
});

function instance(op: string): SeenResource {
  return {
    urn: "urn:pulumi:gateway::mail::mxhero:gateway:Gateway$aws:ec2/instance:Instance::gateway-a",
    type: "aws:ec2/instance:Instance",
    op,
    changes: [],
    digest: op,
  };
}

test("gateway-smaller: a host of the gateway goes", () => {
  tested.add("gateway-smaller");
  expect(risksOf(previewOf([instance("replace")]), "gateway")).toEqual([
    expect.objectContaining({ id: "gateway-smaller", level: "high" }),
  ]);
  expect(risksOf(previewOf([instance("update")]), "gateway")).toEqual([]);
});

test("every risk was tested", () => {
  expect([...tested].toSorted()).toEqual([...RISK_IDS].toSorted());
});
