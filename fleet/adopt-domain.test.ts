/** What a stack file says of a domain that is adopted. */
import { expect, test } from "vitest";
import type { Journal, Phase } from "../mail/journal.ts";
import { recordOf, routeOf } from "../mail/testdata/routes.ts";
import { parseAdoptTable } from "./adopt-csv.ts";
import { type AdoptEvidence, adoptDomain, routeEvidence } from "./adopt-domain.ts";

const gateway = {
  mx: [{ exchange: "smtp-in.gateway.test", preference: 10 }],
  smtpIn: "smtp-in.gateway.test",
  smtpRelay: "smtp-relay.gateway.test",
  spfInclude: "_spf.gateway.test",
};
const row = { organisation: "contoso", domain: "contoso.test" };
const withTerm = "v=spf1 include:_spf.gateway.test -all";

function evidence(change: Partial<AdoptEvidence> = {}): AdoptEvidence {
  const journal: Journal = { spf: [] };
  return { domain: "contoso.test", mx: gateway.mx, texts: [withTerm], journal, ...change };
}

/** The code of what is refused. */
function refusal(work: () => unknown): unknown {
  try {
    return work();
  } catch (error) {
    return error instanceof Error && "code" in error ? error.code : error;
  }
}

test("on the gateway without a journal: DNS tells the directions, and the Server is what a hand-back installs", () => {
  const given = { ...row, mailSystem: "exchange" as const, server: "mail.contoso.test" };
  expect(adoptDomain(given, evidence(), gateway)).toEqual({
    name: "contoso.test",
    mailSystem: "exchange",
    server: "mail.contoso.test",
    inbound: "border",
    outbound: "standard",
    handBackTo: [{ exchange: "mail.contoso.test", preference: 10 }],
  });
});

test("not there yet: the mail system and its host are read from the MX", () => {
  const mx = [{ exchange: "contoso-test.mail.protection.outlook.com", preference: 0 }];
  const given = { ...row, inbound: "border" as const, outbound: "none" as const };
  expect(adoptDomain(given, evidence({ mx, texts: [] }), gateway)).toEqual({
    name: "contoso.test",
    mailSystem: "microsoft365",
    server: "contoso-test.mail.protection.outlook.com",
    inbound: "border",
    outbound: "none",
  });
});

test("the route store tells what DNS does not", () => {
  const probed = { ...routeOf("contoso.test"), rcptLookup: { kind: "probe" } as const };
  const served = evidence({ route: probed, routeHolder: "contoso" });
  expect(adoptDomain({ ...row, mailSystem: "other" }, served, gateway)).toMatchObject({
    server: probed.server,
    rcptLookup: true,
    outbound: probed.outbound,
    probeRecipient: probed.probeRecipient,
    fixIt: probed.fixIt,
  });
});

const ownMx = [{ exchange: "mail.contoso.test", preference: 10 }];

/** A journal in which the domain is the row's organisation's. */
function journalled(phase: Phase): Journal {
  const former = ownMx.map((record) => ({ ...record, ttl: 300 }));
  const mx = { holder: "contoso", phase, claims: [], revision: 1, server: "2c26b46b", former };
  return { mx, spf: [] };
}

const route = routeOf("contoso.test");
const known = { route, routeStage: "active", routeHolder: "contoso" } as const;
const full = { ...row, mailSystem: "other" as const };

test("what the route store has of a domain: how far its route is, and whether it is inactive", () => {
  const record = recordOf(route);
  const { active, ...others } = record;
  expect(routeEvidence(record)).toEqual({ ...known, isInactive: false });
  const times = { since: "2026-11-26T12:00:00.000Z", refuseFrom: "2026-11-28T12:00:00.000Z" };
  expect(routeEvidence({ ...record, inactive: times })).toMatchObject({ isInactive: true });
  const leaving = { ...times, deferFrom: times.since, expires: times.refuseFrom };
  expect(routeEvidence({ ...record, leaving })).toMatchObject({ routeStage: "leaving" });
  const proposed = { version: 1, route };
  expect(routeEvidence({ ...others, proposed })).toMatchObject({ route, routeStage: "proposed" });
  expect(active).toEqual(proposed);
});

test("a bypassed domain stays so: its first up puts no MX of the gateway back", () => {
  const bypassed = evidence({ ...known, mx: ownMx, journal: journalled("bypassed") });
  const expected = { inbound: "border", bypass: true };
  expect(adoptDomain(full, bypassed, gateway)).toMatchObject(expected);
  const said = { ...full, inbound: "border" as const };
  expect(adoptDomain(said, bypassed, gateway)).toMatchObject(expected);
});

test("an inactive domain stays so", () => {
  const adopted = adoptDomain(full, evidence({ ...known, isInactive: true }), gateway);
  expect(adopted).toMatchObject({ inbound: "border", inactive: true });
  expect(adoptDomain(full, evidence(known), gateway)).not.toHaveProperty("inactive");
});

test("a takeover that is under way goes on", () => {
  const taking = evidence({ ...known, mx: ownMx, journal: journalled("taking") });
  expect(adoptDomain(full, taking, gateway)).toMatchObject({ inbound: "border" });
});

test("a Server that is found by its MX is nothing to hand back to", () => {
  const given = { ...full, server: "hosted.test", mxLookup: true };
  const adopted = adoptDomain(given, evidence(), gateway);
  expect(adopted).toMatchObject({ server: "hosted.test", mxLookup: true, inbound: "border" });
  expect(adopted).not.toHaveProperty("handBackTo");
});

test.each<[string, Partial<AdoptEvidence>]>([
  ["bypassed, and the MX are the gateway's", { journal: journalled("bypassed") }],
  ["held, and the MX are others", { mx: ownMx, journal: journalled("held") }],
  ["being handed back", { journal: journalled("returning") }],
  ["being handed back, the MX are back", { mx: ownMx, journal: journalled("returning") }],
  ["waiting for its proof", { mx: ownMx, routeStage: "proposed" }],
  ["given up", { routeStage: "leaving" }],
])("a domain that is %s: a person must say what is meant", (_, change) => {
  const contradictory = evidence({ ...known, ...change });
  expect(refusal(() => adoptDomain(full, contradictory, gateway))).toBe("adopt-unknown");
  const said = { ...full, inbound: "border", outbound: "standard" } as const;
  expect(adoptDomain(said, contradictory, gateway)).toMatchObject({ inbound: "border" });
});

test.each<[string, () => unknown, string]>([
  [
    "whose Server nobody knows",
    () => adoptDomain({ ...row, mailSystem: "other" }, evidence(), gateway),
    "adopt-unknown",
  ],
  [
    "whose Server could only be guessed",
    () => adoptDomain({ ...row, mailSystem: "microsoft365" }, evidence(), gateway),
    "adopt-unknown",
  ],
  [
    "that is not at the gateway",
    () => adoptDomain(row, evidence({ mx: [], texts: [] }), gateway),
    "adopt-unknown",
  ],
  [
    "that another organisation holds",
    () => adoptDomain(row, evidence({ routeHolder: "fabrikam" }), gateway),
    "adopt-held",
  ],
])("a domain %s is refused", (_, work, code) => {
  expect(refusal(work)).toBe(code);
});

test("a table: lists with semicolons, empty cells, quotes; faults with their line", () => {
  const text = [
    "organisation,domain,server,handBackTo,rcptLookup",
    'contoso,contoso.test,"mail.contoso.test",10 a.test; 20 b.test,true',
    "contoso,sub.contoso.test,,,",
    "contoso,other.test,,ten a.test,yes",
  ].join("\r\n");
  const { rows, faults } = parseAdoptTable("domains.csv", text);
  expect(rows).toEqual([
    {
      line: 2,
      organisation: "contoso",
      domain: "contoso.test",
      server: "mail.contoso.test",
      handBackTo: [
        { exchange: "a.test", preference: 10 },
        { exchange: "b.test", preference: 20 },
      ],
      rcptLookup: true,
    },
    { line: 3, organisation: "contoso", domain: "sub.contoso.test" },
  ]);
  expect(faults.map(({ where }) => where)).toEqual(["domains.csv: line 4", "domains.csv: line 4"]);
});

test("a column that nobody knows, and a table that is none", () => {
  const unknown = parseAdoptTable("t.csv", "organisation,domain,sever\na,a.test,x\n");
  expect(unknown.faults.map(({ problem }) => problem)).toEqual(["The column sever is not known."]);
  const broken = parseAdoptTable("t.csv", 'organisation,domain\n"a,a.test\n');
  expect(broken.faults.map(({ code }) => code)).toEqual(["adopt-table"]);
});
