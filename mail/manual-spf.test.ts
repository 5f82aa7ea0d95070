import * as fc from "fast-check";
import { expect, test } from "vitest";
import { asSpfTexts, spfChange, textsAfter } from "./manual-spf.ts";
import { selectSpf } from "./spf/index.ts";
import { decideSpf, decideSpfRemoval, type SpfGoal, type SpfWorld } from "./spf-claims.ts";

const DOMAIN = "contoso.test";
const goal: SpfGoal = {
  holder: "contoso",
  claim: { resource: "9f86d081", generation: "a3c1f2e4" },
  mayClaim: true,
  terms: ["include:_spf.gateway.test"],
  replacements: ["a:mail.contoso.test"],
  known: [],
  base: "v=spf1 -all",
};
const record = fc.constantFrom(
  "v=spf1 -all",
  "v=spf1 mx ~all",
  "v=spf1 a:mail.contoso.test -all",
  "v=spf1 include:_spf.gateway.test ?all",
  "v=spf1 include:_spf.mail-host.test",
);
const others = fc.uniqueArray(fc.constantFrom("service=1", "service=2", 'text; with "quotes"'));
const texts = fc
  .tuple(fc.option(record, { nil: undefined }), others)
  .map(([spf, rest]) => [...rest, ...(spf === undefined ? [] : [spf])]);

const worldOf = (served: readonly string[], claims: SpfWorld["claims"] = []): SpfWorld => ({
  domain: DOMAIN,
  texts: asSpfTexts(served),
  claims,
});

function dataOf(line: string): string {
  return line.slice(line.indexOf('"') + 1, -1).replaceAll('\\"', '"');
}

/** Carries a change out by its lines. */
function obey(
  served: readonly string[],
  { add, remove }: { add: readonly string[]; remove: readonly string[] },
) {
  const gone = remove.map(dataOf);
  expect(served).toEqual(expect.arrayContaining(gone));
  return [...served.filter((text) => !gone.includes(text)), ...add.map(dataOf)];
}

test("one change brings the terms in, one takes them out, and every other text stays", () => {
  fc.assert(
    fc.property(texts, (before) => {
      const into = decideSpf(worldOf(before), goal);
      const change = into && spfChange(worldOf(before), into);
      const held = change === undefined ? before : obey(before, change);
      expect(held.toSorted()).toEqual(textsAfter(worldOf(before), into).toSorted());
      expect(selectSpf(held).status).toBe("one");
      // The next run sees it and asks for nothing.
      const claims = into?.claims ?? [];
      const again = decideSpf(worldOf(held, claims), { ...goal, mayClaim: false });
      expect(again && spfChange(worldOf(held, claims), again)).toBeUndefined();

      const out = decideSpfRemoval(worldOf(held, claims), goal);
      const back = out && spfChange(worldOf(held, claims), out);
      const after = back === undefined ? held : obey(held, back);
      const present = before.map((text) => text.replace("include:_spf.gateway.test ", ""));
      expect(after.toSorted()).toEqual(present.toSorted());
    }),
  );
});

test("a record that grows is replaced in one change: there are never two, nor none", () => {
  const world = worldOf(["v=spf1 mx -all"]);
  const step = decideSpf(world, goal);
  expect(step && spfChange(world, step)).toEqual({
    domain: DOMAIN,
    what: "SPF",
    remove: ['contoso.test. IN TXT "v=spf1 mx -all"'],
    add: [
      'contoso.test. 300 IN TXT "v=spf1 mx include:_spf.gateway.test a:mail.contoso.test -all"',
    ],
    mayGo: [],
    overlapSeconds: 0,
  });
});
