import { expect, test } from "vitest";
import type { SpfProblem } from "../spf/index.ts";
import { answer, found, read, SPF, server, soundEvidence } from "../testdata/verify.ts";
import { checkSecondSpf, checkSpf, checkSpfBudget } from "./spf-checks.ts";

function withTexts(...texts: string[]) {
  return soundEvidence({ servers: read([server(), server({ texts: answer<"TXT">(texts) }, 2)]) });
}

test("spf: the stack's terms stand on each server", () => {
  expect(found(checkSpf(withTexts("v=spf1 mx ?Include:_SPF.gateway.test. ~all")))).toEqual([]);
  const [without] = checkSpf(withTexts("v=spf1 include:_spf.other.test -all"));
  expect(without).toMatchObject({ id: "spf", status: "wrong" });
  expect(without?.text).toContain("ns2.dns-host.test");
  expect(without?.text).toContain("without include:_spf.gateway.test");
  expect(checkSpf(withTexts("no record"))[0]?.text).toContain("no SPF record");
  expect(checkSpf(withTexts("v=spf1 include:"))[0]).toMatchObject({ status: "wrong" });
});

test("spf: nothing is asked where the stack has no terms", () => {
  const { spfTerms: _, ...rest } = withTexts();
  expect(checkSpf(rest)).toEqual([]);
});

test("spf-second: two records are a fault for every receiver", () => {
  expect(found(checkSecondSpf(withTexts(SPF, "v=spf1 -all")))).toEqual(["spf-second wrong"]);
  expect(found(checkSecondSpf(withTexts(SPF, "v=spf10 -all")))).toEqual([]);
});

function withBudget(lookups: number, voidLookups: number, problems: readonly SpfProblem[] = []) {
  return soundEvidence({
    spfBudget: read({ lookups, voidLookups, size: 40, terms: [], problems }),
  });
}

test.each([
  [8, 1, []],
  [9, 0, ["spf-budget notice"]],
  [10, 0, ["spf-budget notice"]],
  [1, 2, ["spf-budget notice"]],
] as const)("spf-budget: %i lookups, %i of them void", (lookups, voids, expected) => {
  expect(found(checkSpfBudget(withBudget(lookups, voids)))).toEqual(expected);
});

test("spf-budget: over the limit is wrong, a hint is none, and what DNS did not tell is not read", () => {
  const problem = { severity: "error", problem: "It is so.", fix: "Do this." } as const;
  const over = { ...problem, code: "spf-lookups-over-limit" } as const;
  expect(found(checkSpfBudget(withBudget(11, 0, [over])))).toEqual(["spf-budget wrong"]);
  const unanswered = { ...problem, code: "spf-dns-unanswered" } as const;
  expect(found(checkSpfBudget(withBudget(2, 0, [unanswered])))).toEqual(["spf-budget unread"]);
  const hint = { ...problem, severity: "hint", code: "spf-answer-size" } as const;
  expect(found(checkSpfBudget(withBudget(2, 0, [hint])))).toEqual([]);
});
