import { describe, expect, test } from "vitest";
import { nextHandBackStep } from "./hand-back.ts";
import { formatClaim } from "./journal.ts";
import { formatMx } from "./mx.ts";
import { isNotHeld, type MxGoal } from "./mx-goal.ts";
import {
  addMx,
  bypass,
  GOAL,
  GOOGLE,
  handBack,
  history,
  INHERITS,
  journalOf,
  laterGoal,
  MAIL,
  type ModelZone,
  mxOf,
  mxTexts,
  OURS,
  OWN,
  recordsOf,
  run,
  runSteps,
  takeover,
  withoutMx,
  worldOf,
  zoneWith,
} from "./testdata/model-zone.ts";

const extra = { ...mxOf("20 backup.example.com"), ttl: 60, comment: "mine" };
const taken = run(OWN, takeover(GOAL));

test.each<[string, ModelZone]>([
  ["Google's five, with comments and tags", zoneWith(...GOOGLE)],
  ["no MX", zoneWith()],
  ["the null MX", zoneWith({ ...mxOf("0 "), ttl: 300, comment: "no mail here" })],
  ["a null MX with company", zoneWith("0 ", "10 mail.contoso.test")],
  ["a wildcard", INHERITS],
  [
    "a wildcard with the null MX",
    { ...zoneWith(), wildcard: { name: "*.test", mx: [{ ...mxOf("0 "), ttl: 1 }] } },
  ],
])("puts back what was before: %s", (_, zone) => {
  const back = run(run(zone, takeover(GOAL)), handBack(GOAL));
  expect(recordsOf(back)).toEqual(recordsOf(zone));
  expect(back.texts).toEqual([]);
});

test("the former MX are seen beside the gateway's for the overlap before those go", () => {
  const { steps } = runSteps(taken, handBack(GOAL));
  expect(steps).toMatchObject([
    {
      after: "at-once",
      add: recordsOf(OWN),
      journal: { phase: "returning" },
    },
    { after: "overlap", remove: taken.mx, journal: { phase: "returning" } },
    { after: "served", journal: "removed", last: true },
  ]);
});

test("the gateway's record becomes the null MX, and keeps neither comment nor tags", () => {
  const goal = { ...GOAL, wanted: [...GOAL.wanted, mxOf("20 mx2.gateway.test")] };
  const two = run(zoneWith("0 "), takeover(goal));
  const [swap] = runSteps(two, handBack(goal)).steps;
  expect(swap).toMatchObject({ after: "served", add: [] });
  expect(swap?.patch.map(({ to }) => to)).toEqual([{ ...mxOf("0 "), ttl: 3_600 }]);
  expect(swap?.remove.map(formatMx)).toEqual(["20 mx2.gateway.test."]);
});

test("a second run has nothing to do", () => {
  const back = run(taken, handBack(GOAL));
  expect(nextHandBackStep(worldOf(back), laterGoal(taken), false)).toBeUndefined();
});

test("in a takeover that has added nothing yet only the journal goes", () => {
  for (const zone of [OWN, INHERITS]) {
    const { zone: back, steps } = runSteps(runSteps(zone, takeover(GOAL), 1).zone, handBack(GOAL));
    expect(steps).toHaveLength(1);
    expect(back).toEqual(zone);
  }
});

test("copies of a wildcard stay where the wildcard would no longer answer", () => {
  const orphaned = { ...run(INHERITS, takeover(GOAL)), wildcard: undefined };
  const { zone: back, steps } = runSteps(orphaned, handBack(GOAL));
  expect(steps.at(-1)?.what).toContain("the MX that *.test gave stay");
  expect(mxTexts(back)).toEqual([MAIL]);
  expect(back.texts).toEqual([]);
});

describe("who may", () => {
  const claim = { resource: "60303ae2", generation: "77de68da" };

  test.each<[string, Partial<MxGoal>, string]>([
    ["another organisation", { holder: "fabrikam", claim }, "other-holder"],
    ["another resource", { claim }, "claim-lost"],
    [
      "an earlier create of this resource",
      { claim: { ...GOAL.claim, generation: "0" } },
      "claim-lost",
    ],
  ])("%s may not", (_, change, code) => {
    const { steps, refusal } = runSteps(taken, handBack(laterGoal(taken, change)));
    expect(steps).toEqual([]);
    expect(refusal?.code).toBe(code);
    expect(isNotHeld(refusal)).toBe(true);
  });

  test("other refusals are failures", () => {
    const { refusal } = runSteps(taken, handBack(laterGoal(taken, { server: "fcde2b2e" })));
    expect(isNotHeld(refusal)).toBe(false);
    expect(isNotHeld(new Error("claim-lost"))).toBe(false);
  });

  test("a renamed resource's delete only drops its claim; its successor hands back", () => {
    const renamed = run(taken, takeover({ ...GOAL, claim }));
    const { zone, steps } = runSteps(renamed, handBack(laterGoal(taken)));
    expect(steps).toMatchObject([{ last: true, add: [], patch: [], remove: [] }]);
    expect(zone.mx).toEqual(taken.mx);
    expect(journalOf(zone)?.claims.map(formatClaim)).toEqual(["60303ae2.77de68da"]);
    const back = run(zone, handBack(laterGoal(zone, { claim })));
    expect(recordsOf(back)).toEqual(recordsOf(OWN));
  });

  test("a bypass is for the domain, whoever else claims it", () => {
    const renamed = run(taken, takeover({ ...GOAL, claim }));
    expect(mxTexts(run(renamed, bypass(laterGoal(renamed))))).toEqual([MAIL]);
  });

  test("a create with a bypass claims a domain that the organisation holds", () => {
    const zone = run(taken, bypass({ ...GOAL, claim }));
    expect(mxTexts(zone)).toEqual([MAIL]);
    expect(journalOf(zone)?.claims.map(formatClaim)).toEqual([
      "9f86d081.a3c1f2e4",
      "60303ae2.77de68da",
    ]);
  });
});

describe("bypass", () => {
  test("keeps the journal, and a second run has nothing to do", () => {
    const { zone } = runSteps(taken, bypass(GOAL));
    expect(recordsOf(zone)).toEqual(recordsOf(OWN));
    expect(journalOf(zone)).toEqual({ ...journalOf(taken), phase: "bypassed" });
    expect(nextHandBackStep(worldOf(zone), GOAL, true)).toBeUndefined();
  });

  test("before any takeover changes nothing, not even a journal", () => {
    expect(runSteps(OWN, bypass(GOAL)).steps).toEqual([]);
  });

  test("then handed back: only the journal goes, and a wildcard answers again", () => {
    for (const zone of [OWN, INHERITS]) {
      const bypassed = run(run(zone, takeover(GOAL)), bypass(GOAL));
      expect(mxTexts(bypassed)).toEqual([MAIL]);
      expect(recordsOf(run(bypassed, handBack(GOAL)))).toEqual(recordsOf(zone));
    }
  });
});

describe("handBackTo, given while bypassed", () => {
  const bypassed = run(taken, bypass(GOAL));
  const given = { ...laterGoal(bypassed), handBackTo: [mxOf("10 new.contoso.test")] };
  const NEW = "10 new.contoso.test.";

  test("stands beside the former MX before those go", () => {
    const { zone, steps } = runSteps(bypassed, bypass(given));
    expect(history(bypassed, steps)).toEqual([[MAIL, NEW], [NEW], [NEW]]);
    expect(steps[1]?.after).toBe("overlap");
    expect(journalOf(zone)).toMatchObject({ phase: "bypassed", revision: 2 });
    expect(runSteps(zone, bypass(given)).steps).toEqual([]);
  });

  test("leaves what a person added, and what a person chose instead", () => {
    expect(mxTexts(run(addMx(bypassed, [extra]), bypass(given)))).toEqual([
      NEW,
      "20 backup.example.com.",
    ]);
    const chosen = addMx(withoutMx(bypassed, "10 mail.contoso.test"), [extra]);
    expect(runSteps(chosen, bypass(given)).steps).toEqual([]);
    const without = run(run(zoneWith(), takeover(GOAL)), bypass(GOAL));
    const refuses = addMx(without, [{ ...mxOf("0 "), ttl: 300 }]);
    expect(runSteps(refuses, bypass(given)).steps).toEqual([]);
  });

  test("replaces a null MX, or is one, in one step", () => {
    const none = run(run(zoneWith("0 "), takeover(GOAL)), bypass(GOAL));
    expect(mxTexts(run(none, bypass(given)))).toEqual([NEW]);
    const nullGiven = { ...given, handBackTo: [mxOf("0 ")] };
    expect(mxTexts(run(bypassed, bypass(nullGiven)))).toEqual(["0 ."]);
  });
});

test("a target that was never written is no sign that a person has moved the domain", () => {
  const goal = laterGoal(taken, { wanted: [...GOAL.wanted, mxOf("20 mx2.gateway.test")] });
  const back = run(addMx(taken, [extra]), handBack(goal));
  expect(mxTexts(back)).toEqual([MAIL, "20 backup.example.com."]);
});

describe("the Server was changed after the takeover", () => {
  const goal = laterGoal(taken, { server: "fcde2b2e" });

  test("dead MX are not put back", () => {
    expect(() => nextHandBackStep(worldOf(taken), goal, false)).toThrow(
      expect.objectContaining({ code: "server-changed", problem: expect.stringContaining(MAIL) }),
    );
  });

  test("handBackTo stands in for them, and is journalled", () => {
    const given = { ...goal, handBackTo: [mxOf("10 new.contoso.test")] };
    const { zone, steps } = runSteps(taken, handBack(given));
    expect(recordsOf(zone)).toEqual([{ ...mxOf("10 new.contoso.test"), ttl: 1 }]);
    expect(steps[0]?.journal).toMatchObject({ former: [mxOf("10 new.contoso.test")], revision: 2 });
  });

  test("handBackTo that names a former MX keeps its TTL, comment and tags", () => {
    const google = run(zoneWith(...GOOGLE), takeover(GOAL));
    const [first] = GOOGLE;
    const given = { ...laterGoal(google), handBackTo: [mxOf("1 aspmx.l.google.com")] };
    expect(recordsOf(run(google, handBack(given)))).toEqual([first]);
  });

  test("a corrected handBackTo replaces the first, and the dead MX do not stay", () => {
    const first = { ...goal, handBackTo: [mxOf("10 nwe.contoso.test")] };
    const half = runSteps(taken, handBack(first), 1).zone;
    const second = { ...goal, handBackTo: [mxOf("10 new.contoso.test")] };
    expect(mxTexts(run(half, handBack(second)))).toEqual(["10 new.contoso.test."]);
    const early = runSteps(OWN, takeover(GOAL), 2).zone;
    const { zone, steps } = runSteps(early, handBack(second));
    expect(mxTexts(zone)).toEqual(["10 new.contoso.test."]);
    expect(steps[0]?.after).toBe("served");
  });

  test("does not matter where the former MX stand", () => {
    const half = runSteps(OWN, takeover(GOAL), 2).zone;
    expect(mxTexts(run(half, handBack(laterGoal(half, { server: "fcde2b2e" }))))).toEqual([MAIL]);
  });
});

test("the journal and the state's copy contradict one another", () => {
  const copy = { former: GOOGLE, revision: 1, server: GOAL.server };
  const goal = laterGoal(taken, { copy });
  expect(() => nextHandBackStep(worldOf(taken), goal, false)).toThrow(
    expect.objectContaining({ code: "journal-contradicts-state" }),
  );
  const given = { ...goal, handBackTo: [mxOf("10 new.contoso.test")] };
  expect(mxTexts(run(taken, handBack(given)))).toEqual(["10 new.contoso.test."]);
});

test("a former MX that is the gateway's target by now stays", () => {
  for (const target of ["10 filter.example.com", "20 filter.example.com"]) {
    const filtered = zoneWith("10 filter.example.com", "20 mail.contoso.test");
    const before = run(filtered, takeover(GOAL));
    const goal = laterGoal(before, { wanted: [mxOf(target)] });
    const moved = run(before, takeover(goal));
    expect(mxTexts(moved)).toEqual([`${target}.`]);
    const back = run(moved, handBack(goal));
    expect(mxTexts(back)).toEqual(["10 filter.example.com.", "20 mail.contoso.test."]);
  }
});

test("handed back and taken over again: a new journal of what stands then", () => {
  const back = run(taken, handBack(GOAL));
  const other = addMx(withoutMx(back, "10 mail.contoso.test"), [extra]);
  const again = run(other, takeover({ ...GOAL, claim: { ...GOAL.claim, generation: "2" } }));
  expect(mxTexts(again)).toEqual([OURS]);
  expect(journalOf(again)).toMatchObject({ former: [extra], revision: 1 });
});
