import * as fc from "fast-check";
import { expect, test } from "vitest";
import { findTerm, insertTerms, parseRecord, removeTerms, SpfSyntaxError } from "./index.ts";
import { directive, mixCase, spfRecord } from "./testdata/generated.ts";
import { publishedRecords } from "./testdata/records.ts";

const ours = "include:spf.gateway.example";

test.each([
  ["before all", "v=spf1 mx -all", `v=spf1 mx ${ours} -all`],
  ["before all, whatever stands behind it", "v=spf1 -ALL exp=a.b", `v=spf1 ${ours} -ALL exp=a.b`],
  ["before redirect", "v=spf1 mx redirect=a.test", `v=spf1 mx ${ours} redirect=a.test`],
  ["before all, not redirect", "v=spf1 redirect=a.b ?all", `v=spf1 redirect=a.b ${ours} ?all`],
  ["at the end", "v=spf1 mx", `v=spf1 mx ${ours}`],
  ["into an empty record", "v=spf1", `v=spf1 ${ours}`],
  ["before trailing spaces", "v=spf1 mx  ", `v=spf1 mx ${ours}  `],
  ["between several spaces", "v=spf1   mx   ~all ", `v=spf1   mx   ${ours} ~all `],
  ["not before the all of another term", "v=spf1 a:all.test all", `v=spf1 a:all.test ${ours} all`],
  ["although it is there, without effect", `v=spf1 -all ${ours}`, `v=spf1 ${ours} -all ${ours}`],
])("a term is put in %s", (_where, record, expected) => {
  expect(insertTerms(record, [ours])).toBe(expected);
});

test("several terms keep their order, and each is put in once", () => {
  const terms = ["a:b.test", ours, "A:B.test."];
  expect(insertTerms("v=spf1 mx ~all", terms)).toBe(`v=spf1 mx a:b.test ${ours} ~all`);
  expect(insertTerms("v=spf1 a:b.test", terms)).toBe(`v=spf1 a:b.test ${ours}`);
});

test.each([
  "include:spf.gateway.example",
  "INCLUDE:SPF.Gateway.Example",
  "+include:spf.gateway.example",
  "~include:spf.gateway.example.",
  "-Include:spf.gateway.EXAMPLE.",
])("%s is our own term: left alone, and taken out", (written) => {
  const record = `v=spf1 mx ${written} -all`;
  expect(insertTerms(record, [ours])).toBe(record);
  expect(removeTerms(record, [ours])).toBe("v=spf1 mx -all");
  expect(findTerm(record, ours)).toMatchObject({ text: written, position: 10, kind: "include" });
});

test.each([
  [ours, "include:spf.gateway.example.com"],
  [ours, "include:a.spf.gateway.example"],
  [ours, "include:spf.gateway.exampl"],
  [ours, "exists:spf.gateway.example"],
  [ours, "x=include:spf.gateway.example"],
  ["a:b.test", "a:b.test/32"],
  ["a:b.test", "mx:b.test"],
  ["ip4:192.0.2.44", "ip4:192.0.24.4"],
  ["exists:%{l}.a.test", "exists:%{L}.a.test"],
])("%s is another term than %s", (term, other) => {
  const record = `v=spf1 ${other} -all`;
  expect(findTerm(record, term)).toBeUndefined();
  expect(removeTerms(record, [term])).toBe(record);
});

test("a trailing dot before a prefix length is recognised", () => {
  expect(findTerm("v=spf1 a:b.test./24//64 -all", "a:b.test/24//64")).toBeDefined();
});

test("every occurrence is taken out", () => {
  expect(removeTerms(`v=spf1 ${ours} mx ${ours} -all ${ours}`, [ours])).toBe("v=spf1 mx -all");
});

test("a qualifier given with the term is put in with it", () => {
  expect(insertTerms("v=spf1 -all", [`?${ours}`])).toBe(`v=spf1 ?${ours} -all`);
});

test.each([
  ["v=spf2 mx", ours, "v=spf2 mx", 0],
  ["v=spf1 mx include: -all", ours, "v=spf1 mx include: -all", 10],
  ["v=spf1 redirect=a.test redirect=b.test", ours, "v=spf1 redirect=a.test redirect=b.test", 23],
  ["v=spf1 -all", "include:", "include:", 0],
  ["v=spf1 -all", "a:b.test mx", "a:b.test mx", 8],
  ["v=spf1 -all", "all", "all", 0],
  ["v=spf1 -all", "redirect=a.test", "redirect=a.test", 0],
])("%j with %j is refused", (record, term, faulty, position) => {
  for (const edit of [insertTerms, removeTerms]) {
    expect(() => edit(record, [term])).toThrow(SpfSyntaxError);
    expect(() => edit(record, [term])).toThrow(
      expect.objectContaining({ code: "spf-syntax", record: faulty, position }),
    );
  }
});

const anyRecord = fc.oneof(spfRecord, fc.constantFrom(...publishedRecords));
const anyTerms = fc.array(directive, { minLength: 1, maxLength: 3 });

/** A record and terms, some of which are in it. */
const recordWithTerms = fc
  .tuple(anyRecord, anyTerms, fc.array(fc.nat(7), { maxLength: 3 }))
  .map(([record, terms, picks]) => {
    const own = parseRecord(record).filter((term) => "qualifier" in term && term.kind !== "all");
    const picked = picks.flatMap((index) => own[index]?.text ?? []);
    return { record, terms: [...picked, ...terms] };
  });

test("at least 30 published shapes are tried, all different", () => {
  expect(new Set(publishedRecords).size).toBe(publishedRecords.length);
  expect(publishedRecords.length).toBeGreaterThanOrEqual(30);
});

test.each(publishedRecords)("%j: in and out again, nothing else changes", (record) => {
  const edited = insertTerms(record, [ours, "a:mx1.contoso.test"]);
  expect(edited).toHaveLength(record.length + ` ${ours} a:mx1.contoso.test`.length);
  expect(insertTerms(edited, ["a:mx1.contoso.test", ours])).toBe(edited);
  expect(removeTerms(edited, ["a:mx1.contoso.test", ours])).toBe(record);
});

test("insert is idempotent", () => {
  fc.assert(
    fc.property(recordWithTerms, ({ record, terms }) => {
      const once = insertTerms(record, terms);
      expect(insertTerms(once, terms)).toBe(once);
    }),
  );
});

test("insert, then remove, is the identity where the terms were not there", () => {
  fc.assert(
    fc.property(anyRecord, anyTerms, (record, terms) => {
      fc.pre(terms.every((term) => findTerm(record, term) === undefined));
      expect(removeTerms(insertTerms(record, terms), terms)).toBe(record);
      expect(removeTerms(record, terms)).toBe(record);
    }),
  );
});

test("remove leaves every other term, in order, and none of the removed", () => {
  fc.assert(
    fc.property(recordWithTerms, ({ record, terms }) => {
      const isOwn = (text: string) => terms.some((term) => findTerm(`v=spf1 ${text}`, term));
      const texts = parseRecord(record).map(({ text }) => text);
      const left = parseRecord(removeTerms(record, terms)).map(({ text }) => text);
      expect(left).toEqual(texts.filter((text) => !isOwn(text)));
    }),
  );
});

test("a term is found in any case, with any qualifier and a trailing dot", () => {
  const qualifier = fc.constantFrom("", "+", "-", "?", "~");
  const domain = fc.constantFrom("spf.gateway.example", "%{L}.%{d}.gateway.test");
  fc.assert(
    fc.property(
      spfRecord,
      domain,
      qualifier,
      fc.infiniteStream(fc.boolean()),
      (record, name, sign, upper) => {
        fc.pre(findTerm(record, `include:${name}`) === undefined);
        const written = `${sign}${mixCase(`include:${name}.`, upper)}`;
        const published = insertTerms(record, [written]);
        expect(findTerm(published, `include:${name}`)).toMatchObject({ text: written });
        expect(removeTerms(published, [`include:${name}`])).toBe(record);
      },
    ),
  );
});
