import { expect, test } from "vitest";
import type { SpfClaim } from "./journal.ts";
import { replacedRecords } from "./spf-replacements.ts";

const TERM = "a:mail.contoso.test";
const WITH = `v=spf1 mx ${TERM} -all`;
const WITHOUT = "v=spf1 mx -all";

function claimOf(resource: string, ...terms: string[]): SpfClaim {
  return { holder: "contoso", claim: { resource, generation: "1" }, terms };
}

test("a term that goes leaves the record, also where it has left it already", () => {
  const expected = { record: WITH, nextRecord: WITHOUT, gone: [TERM] };
  const change = { before: [TERM], after: [], claims: [claimOf("a", TERM)] };
  expect(replacedRecords({ ...change, record: WITH })).toEqual(expected);
  expect(replacedRecords({ ...change, record: WITHOUT, claims: [] })).toEqual(expected);
});

test("another term takes its place; the same one in another spelling does not go", () => {
  const change = { record: WITH, before: [TERM], claims: [claimOf("a", TERM)] };
  expect(replacedRecords({ ...change, after: ["ip4:192.0.2.7"] })).toEqual({
    record: WITH,
    nextRecord: "v=spf1 mx ip4:192.0.2.7 -all",
    gone: [TERM],
  });
  const same = { record: WITH, nextRecord: WITH, gone: [] };
  expect(replacedRecords({ ...change, after: ["A:mail.contoso.test."] })).toEqual(same);
});

test("a term that stood there before, or that someone else needs, stays", () => {
  const change = { record: WITH, before: [TERM], after: [] };
  const same = { record: WITH, nextRecord: WITH, gone: [] };
  expect(replacedRecords({ ...change, claims: [claimOf("a", "include:x.test")] })).toEqual(same);
  const both = [claimOf("a", TERM), claimOf("b", TERM)];
  expect(replacedRecords({ ...change, claims: both })).toEqual(same);
});

test("where nobody knows whose a term is, it goes", () => {
  const change = { record: WITH, before: [TERM], after: [], claims: undefined };
  expect(replacedRecords(change)).toEqual({ record: WITH, nextRecord: WITHOUT, gone: [TERM] });
});
