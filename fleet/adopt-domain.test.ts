/** What a stack file says of a domain that is adopted. */
import { expect, test } from "vitest";
import type { Journal } from "../mail/journal.ts";
import { routeOf } from "../mail/testdata/routes.ts";
import { parseAdoptTable } from "./adopt-csv.ts";
import { type AdoptEvidence, adoptDomain } from "./adopt-domain.ts";

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
  const route = { ...routeOf("contoso.test"), rcptLookup: { kind: "probe" } as const };
  const known = evidence({ route, routeHolder: "contoso" });
  expect(adoptDomain({ ...row, mailSystem: "other" }, known, gateway)).toMatchObject({
    server: route.server,
    rcptLookup: true,
    outbound: route.outbound,
    probeRecipient: route.probeRecipient,
    fixIt: route.fixIt,
  });
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
