import { expect, test } from "vitest";
import { MailRuleError } from "../mail/errors.ts";
import type { Journal, MxJournal, SpfClaim } from "../mail/journal.ts";
import { gatewayComment, type ZoneMx } from "../mail/mx.ts";
import type { RouteRecord } from "../mail/route.ts";
import { leavingTimes } from "../mail/route-life.ts";
import { NOW, recordOf, routeOf } from "../mail/testdata/routes.ts";
import {
  type DomainEvidence,
  findAtDomain,
  findAtManualDomain,
  findInState,
} from "./find-leftovers.ts";
import type { StoredRoute, StoredSpfInclude, StoredTakeover } from "./stack.ts";

const domain = "contoso.test";
const old = { preference: 10, exchange: "mail.contoso.test" };
const gateway = { preference: 10, exchange: "smtp-in.gateway.test" };
const zone = { id: "1", name: domain };
const mine = { resource: "aaaaaaaa", generation: "11111111" };
const elses = { resource: "bbbbbbbb", generation: "22222222" };
const copy = { former: [{ ...old, ttl: 1 }], revision: 1, server: "cccccccc" };

function inZone(mx: typeof old, id = mx.exchange): ZoneMx {
  return { ...mx, id, ttl: 1 };
}

function mxJournal(change: Partial<MxJournal> = {}): MxJournal {
  return { holder: "contoso", phase: "held", claims: [mine], ...copy, ...change };
}

function takeover(change: Partial<StoredTakeover["outputs"]> = {}): StoredTakeover {
  return {
    urn: "urn:pulumi:s::mail::mxhero:index:MxTakeover::mx",
    initErrors: [],
    outputs: {
      organisation: "contoso",
      domain,
      mx: [gateway],
      server: old.exchange,
      mxLookup: false,
      bypass: false,
      overlapSeconds: 60,
      handBackConfirmed: false,
      gatewayHosts: [gateway.exchange],
      inactive: false,
      probeGateway: true,
      zone,
      claim: "aaaaaaaa.11111111",
      journal: copy,
      before: [old],
      after: [gateway],
      ...change,
    },
  };
}

const spfInclude: StoredSpfInclude = {
  urn: "urn:pulumi:s::mail::mxhero:index:SpfInclude::spf",
  initErrors: [],
  outputs: {
    organisation: "contoso",
    domain,
    zone,
    claim: "aaaaaaaa.11111111",
    before: "v=spf1 -all",
    after: "v=spf1 include:_spf.gateway.test -all",
    lookups: 1,
    lookupsByTerm: "",
  },
};

function spfClaim(claim = mine): SpfClaim {
  return { holder: "contoso", claim, terms: ["include:_spf.gateway.test"] };
}

/** The codes of what is found at a domain that the gateway holds as the state says, but for the change. */
function codes(change: Partial<DomainEvidence>): string[] {
  return findings(change).map(({ code }) => code);
}

function findings(change: Partial<DomainEvidence>) {
  const journal: Journal = { mx: mxJournal(), spf: [] };
  return findAtDomain({ ...evidence(), journal, ...change });
}

function evidence(): Omit<DomainEvidence, "journal"> {
  return {
    domain,
    inFile: true,
    organisation: "contoso",
    gatewayMx: [gateway],
    presentMx: [inZone(gateway)],
    takeovers: [takeover()],
    spfIncludes: [],
    routes: [],
    record: undefined,
    pending: [],
  };
}

test("a domain that is held as the state says, or not held at all, is clean", () => {
  expect(codes({})).toEqual([]);
  expect(codes({ takeovers: [], journal: { spf: [] }, presentMx: [inZone(old)] })).toEqual([]);
  const journal = { mx: mxJournal({ phase: "bypassed" }), spf: [] };
  const bypassed = [takeover({ bypass: true })];
  expect(codes({ journal, takeovers: bypassed, presentMx: [inZone(old)] })).toEqual([]);
});

function codesByHand(change: Partial<DomainEvidence>): string[] {
  return findAtManualDomain({ ...evidence(), ...change }).map(({ code }) => code);
}

test("a domain whose records a person changes needs no journal: what is unfinished or unknown is found", () => {
  const half = { ...takeover(), initErrors: ["MX of contoso.test: To be changed by hand"] };
  expect(codesByHand({})).toEqual([]);
  expect(codesByHand({ takeovers: [half] })).toEqual(["resource-unfinished"]);
  expect(codesByHand({ takeovers: [] })).toEqual(["gateway-mx-without-journal"]);
  expect(codesByHand({ takeovers: [], presentMx: [inZone(old)] })).toEqual([]);
});

test("a domain that was bypassed from the start has no journal", () => {
  const journal = { ...copy, revision: 0 };
  const takeovers = [takeover({ bypass: true, journal })];
  const presentMx = [inZone(old)];
  expect(codes({ takeovers, presentMx, journal: { spf: [] } })).toEqual([]);
});

test("MX that a person added beside the gateway's are nobody's leftover", () => {
  const extra = inZone({ preference: 30, exchange: "mx.example.com" });
  expect(codes({ presentMx: [inZone(gateway), extra] })).toEqual([]);
});

test.each(["taking", "returning", "bypassed"] as const)(
  "phase %s is further or not done",
  (phase) => {
    expect(codes({ journal: { mx: mxJournal({ phase }), spf: [] } })).toEqual([
      "takeover-half-way",
    ]);
  },
);

test("MX targets of a gateway that the state does not know tell of a killed update", () => {
  const other = { preference: 5, exchange: "mx2.gateway.test" };
  const marked = { ...inZone(other), comment: gatewayComment(other.exchange) };
  expect(codes({ presentMx: [inZone(gateway), marked] })).toEqual(["takeover-half-way"]);
});

test("claims that no resource has", () => {
  expect(codes({ takeovers: [] })).toEqual(["claim-without-resource"]);
  const journal = { spf: [spfClaim()] };
  const without = { takeovers: [], presentMx: [inZone(old)], journal };
  expect(codes(without)).toEqual(["claim-without-resource"]);
  expect(findings({ takeovers: [] })[0]?.text).toContain("or another stack has the domain");
});

test("a claim of another organisation, or of another resource besides, is for a person", () => {
  const theirs = { mx: mxJournal({ holder: "fabrikam" }), spf: [] };
  expect(codes({ takeovers: [], journal: theirs })).toEqual(["other-holder"]);
  const both = { mx: mxJournal({ claims: [mine, elses] }), spf: [] };
  const [found] = findings({ journal: both });
  expect(found).toMatchObject({ code: "claimed-twice", need: "person" });
  expect(found?.text).toContain("bbbbbbbb.22222222");
  expect(found?.text).not.toContain("aaaaaaaa");
});

test.each([
  ["another resource", elses, "Another resource"],
  ["a later generation", { ...mine, generation: "33333333" }, "The state is older"],
])("a claim of the state that the journal lost to %s", (_, claim, why) => {
  const lost = findings({ journal: { mx: mxJournal({ claims: [claim] }), spf: [] } });
  expect(lost.at(-1)).toMatchObject({ code: "claim-lost", need: "person" });
  expect(lost.at(-1)?.text).toContain(why);
  const stood = { spfIncludes: [spfInclude], journal: { mx: mxJournal(), spf: [spfClaim(claim)] } };
  expect(findings(stood).at(-1)).toMatchObject({ code: "claim-lost", need: "person" });
});

test("what was handed back, while the state still has it", () => {
  const back = { journal: { spf: [] }, presentMx: [inZone(old)] };
  expect(codes(back)).toEqual(["already-returned"]);
  expect(codes({ spfIncludes: [spfInclude] })).toEqual(["already-returned"]);
});

test("the gateway's MX without a journal", () => {
  const journal = { spf: [] };
  expect(codes({ journal })).toEqual(["journal-missing"]);
  const alone = findings({ journal, takeovers: [] });
  expect(alone).toMatchObject([{ code: "gateway-mx-without-journal", need: "adopt" }]);
  expect(alone[0]?.text).toContain("handBackTo");
  const beside = findings({ journal, takeovers: [], presentMx: [inZone(old), inZone(gateway)] });
  expect(beside[0]?.text).toContain("10 mail.contoso.test.");
});

test("a damaged journal is what its error says", () => {
  const fault = { code: "journal-damaged", problem: "Two MX journals.", fix: "Correct them." };
  const journal = new MailRuleError(fault);
  expect(findings({ journal })).toMatchObject([
    { code: "journal-damaged", text: "Two MX journals. Correct them." },
  ]);
});

test("reasons that the state keeps", () => {
  const takeovers = [{ ...takeover(), initErrors: ["waiting for ns2"] }];
  const [found] = findings({ takeovers });
  expect(found).toMatchObject({ code: "resource-unfinished", need: "up" });
  expect(found?.text).toContain("waiting for ns2");
});

const store = { table: "routes", region: "eu-central-1", secretPrefix: "/mxhero/example" };
const storedRoute: StoredRoute = {
  urn: "urn:pulumi:s::mail::mxhero:index:Route::route",
  initErrors: [],
  outputs: {
    domain,
    claim: "aaaaaaaa.11111111",
    store,
    gatewayHosts: [gateway.exchange],
    server: old.exchange,
    mxLookup: false,
    rcptLookup: "off",
    inbound: true,
    outbound: "standard",
    sendingFrom: [],
    awaitsSpf: false,
    probeRecipient: `info@${domain}`,
    fixIt: "https://help.example.com/",
    excludeSlots: [],
    inactive: false,
    formerGateways: [],
  },
};
const record: RouteRecord = {
  ...recordOf(routeOf(domain)),
  holder: { organisation: "contoso", claims: ["aaaaaaaa.11111111"] },
};
const leaving = { ...record, leaving: leavingTimes(NOW) };

test.each<[string, Partial<DomainEvidence>, string[]]>([
  ["held as the state says", { routes: [storedRoute], record }, []],
  ["given up, and leaving by itself", { record: leaving }, []],
  ["unknown to both", {}, []],
  ["held without a resource", { record }, ["claim-without-resource"]],
  [
    "held by a gateway that a killed run moved it to",
    { routes: [storedRoute], record, nextRecord: record },
    ["move-half-way"],
  ],
  [
    "given up at the gateway that it would move to",
    { routes: [storedRoute], record, nextRecord: leaving },
    [],
  ],
  ["of another organisation", { record: recordOf(routeOf(domain), "fabrikam") }, ["other-holder"]],
  [
    "given up, and still in the state",
    { routes: [storedRoute], record: leaving },
    ["already-returned"],
  ],
  ["gone, and still in the state", { routes: [storedRoute] }, ["already-returned"]],
  [
    "claimed twice",
    {
      routes: [storedRoute],
      record: {
        ...record,
        holder: { ...record.holder, claims: ["aaaaaaaa.11111111", "bbbbbbbb.22222222"] },
      },
    },
    ["claimed-twice"],
  ],
  [
    "taken over",
    {
      routes: [storedRoute],
      record: { ...record, holder: { ...record.holder, claims: ["bbbbbbbb.22222222"] } },
    },
    ["claimed-twice", "claim-lost"],
  ],
  [
    "unfinished",
    { routes: [{ ...storedRoute, initErrors: ["slot b has not answered"] }], record },
    ["resource-unfinished"],
  ],
])("a route: %s", (_, change, expected) => {
  expect(codes(change)).toEqual(expected);
});

test("a lock and pending operations", () => {
  const pending = [
    { urn: "urn:pulumi:s::mail::t::one", type: "creating", domain },
    { urn: "urn:pulumi:s::mail::t::two", type: "deleting", domain },
  ];
  const state = {
    written: "2026-01-02T03:04:05Z",
    takeovers: [],
    spfIncludes: [],
    routes: [],
    pending,
  };
  const found = findInState(state, ["root@host, process 7"]);
  expect(found.map(({ code, need }) => [code, need])).toEqual([
    ["stack-locked", "up"],
    ["operation-pending", "up"],
    ["operation-pending", "compare"],
  ]);
  expect(found[1]?.text).toContain("creating one, the state was last written at 2026-01-02");
});
