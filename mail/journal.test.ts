import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type Claim,
  type FormerMx,
  formatClaim,
  formatMxJournal,
  formatSpfClaim,
  isJournalText,
  type JournalText,
  journalKind,
  journalName,
  type MxJournal,
  PHASES,
  parseClaim,
  parseJournal,
  type SpfClaim,
  withClaim,
  withoutClaim,
} from "./journal.ts";
import { sameMx, sortMx } from "./mx.ts";

const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,6}[a-z0-9])?$/);
const name = fc.array(label, { minLength: 2, maxLength: 4 }).map((labels) => labels.join("."));
const hash = fc.stringMatching(/^[0-9a-f]{8}$/);
const claim: fc.Arbitrary<Claim> = fc.record({ resource: hash, generation: hash });
const former: fc.Arbitrary<FormerMx> = fc.record(
  {
    preference: fc.nat(65_535),
    exchange: fc.oneof(name, fc.constant("")),
    ttl: fc.oneof(fc.constant(1), fc.integer({ min: 30, max: 86_400 })),
    comment: fc.string({ minLength: 1, maxLength: 100 }),
    tags: fc.array(fc.string({ minLength: 1 }), { minLength: 1, maxLength: 3 }),
  },
  { requiredKeys: ["preference", "exchange", "ttl"] },
);
const mxJournal: fc.Arbitrary<MxJournal> = fc.record(
  {
    holder: label,
    phase: fc.constantFrom(...PHASES),
    claims: fc.array(claim, { minLength: 1, maxLength: 4 }),
    revision: fc.integer({ min: 1, max: 100_000 }),
    server: hash,
    former: fc.uniqueArray(former, { maxLength: 6, comparator: sameMx }).map(sortMx),
    inherited: name.map((text) => `*.${text}`),
  },
  { requiredKeys: ["holder", "phase", "claims", "revision", "server", "former"] },
);
const term = fc.oneof(
  name.map((text) => `include:${text}`),
  fc.constantFrom('exists:%{l}"mail".contoso.test', "exists:%{l}\\.contoso.test"),
);
const spfClaim: fc.Arbitrary<SpfClaim> = fc.record(
  {
    holder: label,
    claim,
    terms: fc.array(term, { maxLength: 3 }),
    base: fc.array(term, { maxLength: 3 }).map((terms) => ["v=spf1", ...terms, " "].join(" ")),
  },
  { requiredKeys: ["holder", "claim", "terms"] },
);

const asRecords = (texts: readonly JournalText[]) =>
  texts.map((text, index) => ({ ...text, id: String(index) }));
const parseTexts = (...texts: string[]) => parseJournal(asRecords(texts.map((text) => ({ text }))));

test("what was written is read again, in any order and among other records", () => {
  const other: JournalText = { text: "v=spf1 include:example.com -all" };
  const records = fc.tuple(mxJournal, fc.array(spfClaim, { maxLength: 1 })).chain(([mx, spf]) =>
    fc
      .shuffledSubarray([other, ...formatMxJournal(mx), ...spf.map(formatSpfClaim)], {
        minLength: 2 + mx.former.length + spf.length,
      })
      .map((texts) => ({ mx, spf, texts })),
  );
  fc.assert(
    fc.property(records, ({ mx, spf, texts }) => {
      expect(parseJournal(asRecords(texts))).toEqual({ mx, spf });
    }),
  );
});

test("the journal is printable ASCII, and each text once, so that every DNS API keeps it", () => {
  fc.assert(
    fc.property(mxJournal, spfClaim, (mx, spf) => {
      const texts = [...formatMxJournal(mx), formatSpfClaim(spf)].map(({ text }) => text);
      for (const text of texts) expect(text).toMatch(/^[ -~]+$/);
      expect(new Set(texts).size).toBe(texts.length);
    }),
  );
});

const head =
  "v=mxhero1 kind=mx holder=contoso phase=held revision=1 claims=9f86d081.a3c1f2e4 server=2c26b46b former=1";
const was = 'v=mxhero1 kind=was mx="10 mail.contoso.test." ttl=3600';

test("the comments of former MX are the journal records' own, and not in their text", () => {
  const journal = parseTexts(head, was).mx;
  if (journal === undefined) throw new Error("no journal was read");
  const [mx] = journal.former;
  const texts = formatMxJournal({
    ...journal,
    former: [
      { preference: 10, exchange: "mail.contoso.test", ttl: 3_600, ...mx, comment: "first floor" },
    ],
  });
  expect(texts.map(({ text }) => text)).toEqual([head, was]);
  expect(texts[1]?.comment).toBe("first floor");
});

test("nothing of ours is no journal", () => {
  expect(parseTexts()).toEqual({ spf: [] });
  expect(parseTexts("v=spf1 -all", "v=mxheroes kind=mx", "mxhero")).toEqual({ spf: [] });
});

describe("a damaged journal is refused, with the value", () => {
  test.each<[string, string[], string]>([
    ["a former MX is missing", [head], "announces 1 former MX and holds 0"],
    [
      "a former MX too many",
      [head, was, was.replace("10 ", "20 ")],
      "announces 1 former MX and holds 2",
    ],
    ["former MX alone", [was], "stand without"],
    ["two heads", [head, head.replace("contoso", "fabrikam"), was], "two MX journals"],
    ["an unknown phase", [head.replace("held", "done"), was], '"done"'],
    ["an unknown kind", ["v=mxhero1 kind=dkim"], "dkim"],
    ["no kind", ["v=mxhero1 holder=contoso"], "(none)"],
    ["a later version", ["v=mxhero2 kind=mx holder=contoso"], "v=mxhero2"],
    ["the version alone", ["v=mxhero1"], "v=mxhero1"],
    ["no holder", [head.replace("holder=contoso ", ""), was], "holder= is missing"],
    ["no claim", [head.replace("9f86d081.a3c1f2e4", ""), was], "a claim is"],
    ["half a claim", [head.replace(".a3c1f2e4", ""), was], '"9f86d081"'],
    ["revision 0", [head.replace("revision=1", "revision=0"), was], "revision="],
    ["a revision in words", [head.replace("revision=1", "revision=one"), was], '"one"'],
    ["no TTL", [head, was.replace("3600", "")], "ttl="],
    ["an exchange without its dot", [head, was.replace('."', '"')], "10 mail.contoso.test"],
    ["no exchange", [head, "v=mxhero1 kind=was ttl=3600"], "mx= is missing"],
  ])("%s", (_, texts, told) => {
    expect(() => parseTexts(...texts)).toThrow(
      expect.objectContaining({ code: "journal-damaged", problem: expect.stringContaining(told) }),
    );
  });
});

test("journal records are told apart from others, and by kind", () => {
  expect(isJournalText(head)).toBe(true);
  expect(isJournalText("v=mxhero2 kind=mx")).toBe(true);
  expect(isJournalText("v=spf1 kind=mx")).toBe(false);
  expect([head, was].map(journalKind)).toEqual(["mx", "was"]);
});

test.each([
  ["example.com", "example.com", "_mxhero.example.com"],
  ["sub.example.com", "example.com", "sub._mxhero.example.com"],
  ["a.b.example.com", "example.com", "a.b._mxhero.example.com"],
])("the journal of %s in the zone %s lies at %s", (domain, apex, expected) => {
  expect(journalName(domain, apex)).toBe(expected);
});

test("a domain outside the zone has no journal there", () => {
  expect(() => journalName("notexample.com", "example.com")).toThrow(
    expect.objectContaining({ code: "domain-outside-zone" }),
  );
});

test("a claim takes the place of an earlier one of the same resource, and can be taken away", () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(claim, { selector: ({ resource }) => resource }),
      claim,
      hash,
      (claims, own, generation) => {
        const claimed = withClaim(withClaim(claims, own), { ...own, generation });
        const others = claims.filter(({ resource }) => resource !== own.resource);
        expect(claimed).toEqual([...others, { ...own, generation }]);
        expect(withoutClaim(claimed, { ...own, generation })).toEqual(others);
        expect(claimed.map(formatClaim).map(parseClaim)).toEqual(claimed);
      },
    ),
  );
});
