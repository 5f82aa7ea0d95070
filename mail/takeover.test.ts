import { describe, expect, test } from "vitest";
import { formatClaim } from "./journal.ts";
import { formatMx } from "./mx.ts";
import type { MxGoal } from "./mx-goal.ts";
import { nextTakeoverStep } from "./takeover.ts";
import {
  addMx,
  bypass,
  copyOf,
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

test.each<[string, ModelZone, string[][]]>([
  ["one MX", OWN, [[MAIL], [MAIL, OURS], [OURS]]],
  ["no MX", zoneWith(), [[], [OURS], [OURS]]],
  ["the null MX, which has no company", zoneWith("0 "), [["0 ."], [OURS]]],
  ["a wildcard's MX, which stand beside ours as copies", INHERITS, [[], [MAIL, OURS], [OURS]]],
  [
    "a wildcard's null MX",
    { ...zoneWith(), wildcard: { name: "*.test", mx: [{ ...mxOf("0 "), ttl: 1 }] } },
    [[], [OURS], [OURS]],
  ],
  [
    "a null MX with company, which no standard allows",
    zoneWith("0 ", "10 mail.contoso.test"),
    [["0 .", MAIL], ["0 .", MAIL, OURS], [OURS]],
  ],
  [
    "one of ours already beside",
    zoneWith("10 mail.contoso.test", "10 mx1.gateway.test"),
    [[MAIL, OURS], [OURS]],
  ],
  [
    "an old gateway's host beside, which goes with the former MX",
    zoneWith("10 mail.contoso.test", {
      ...mxOf("5 in.example.net"),
      ttl: 1,
      comment: "mxhero gateway: in.example.net",
    }),
    [[MAIL, "5 in.example.net."], [MAIL, OURS, "5 in.example.net."], [OURS]],
  ],
  [
    "ours at another preference",
    zoneWith("10 mail.contoso.test", "5 mx1.gateway.test"),
    [[MAIL, "5 mx1.gateway.test."], [MAIL, OURS], [OURS]],
  ],
])("takes over: %s", (_, zone, expected) => {
  const { steps } = runSteps(zone, takeover(GOAL));
  expect(history(zone, steps)).toEqual(expected);
});

test("the former MX are removed last, after the overlap, and stand in the journal before anything is added", () => {
  const { zone, steps } = runSteps(zoneWith(...GOOGLE), takeover(GOAL));
  expect(steps.map(({ after }) => after)).toEqual(["at-once", "at-once", "overlap"]);
  expect(steps[0]?.journal).toMatchObject({ phase: "taking", former: GOOGLE, revision: 1 });
  expect(steps[1]).not.toHaveProperty("journal");
  expect(steps[2]?.journal).toMatchObject({ phase: "held", former: GOOGLE });
  expect(recordsOf(zone)).toEqual([
    { ...mxOf("10 mx1.gateway.test"), ttl: 1, comment: "mxhero gateway: mx1.gateway.test" },
  ]);
});

test("a wildcard's MX are journalled with the wildcard's name, and copied before ours hide it", () => {
  const [first, second] = runSteps(INHERITS, takeover(GOAL)).steps;
  expect(first?.journal).toMatchObject({ former: INHERITS.wildcard?.mx, inherited: "*.test" });
  expect(second?.add.map(formatMx)).toEqual([MAIL, OURS]);
});

test("the null MX is changed only after another look at the zone", () => {
  const [, swap] = runSteps(zoneWith("0 "), takeover(GOAL)).steps;
  expect(swap).toMatchObject({ after: "served", journal: { phase: "held" } });
});

describe("another goal than before", () => {
  const taken = run(OWN, takeover(GOAL));
  const change = (wanted: string[]) => laterGoal(taken, { wanted: wanted.map(mxOf) });

  test("other gateway hosts: both stand for the overlap", () => {
    const { steps, zone } = runSteps(taken, takeover(change(["10 in.example.net"])));
    expect(history(taken, steps)).toEqual([["10 in.example.net.", OURS], ["10 in.example.net."]]);
    expect(steps.map(({ after }) => after)).toEqual(["at-once", "overlap"]);
    expect(journalOf(zone)).toEqual(journalOf(taken));
  });

  test("another preference: the record is changed in place", () => {
    const { steps, zone } = runSteps(taken, takeover(change(["20 mx1.gateway.test"])));
    expect(history(taken, steps)).toEqual([["20 mx1.gateway.test."]]);
    expect(zone.mx[0]?.id).toBe(taken.mx[0]?.id);
  });

  test("two preferences of one host: each record is changed once", () => {
    const two = run(taken, takeover(change(["5 mx1.gateway.test", "15 mx1.gateway.test"])));
    const goal = { ...change(["10 mx1.gateway.test", "20 mx1.gateway.test"]) };
    expect(mxTexts(run(two, takeover(goal)))).toEqual([OURS, "20 mx1.gateway.test."]);
  });

  test("an old gateway host is known by its comment where the state does not know it", () => {
    const long = `10 in.${"long-name.".repeat(12)}example.com`;
    for (const before of ["10 in.example.net", long]) {
      const zone = run(OWN, takeover({ ...GOAL, wanted: [mxOf(before)] }));
      const renamed = { ...GOAL, claim: { resource: "60303ae2", generation: "1" } };
      const after = run(zone, takeover(renamed));
      expect(mxTexts(after)).toEqual([OURS]);
      expect(journalOf(after)?.former.map(formatMx)).toEqual([MAIL]);
    }
  });
});

describe("bypass", () => {
  const bypassed = run(run(OWN, takeover(GOAL)), bypass(GOAL));

  test("and back: the MX that stand now are what a hand-back restores", () => {
    const edited = addMx(withoutMx(bypassed, "10 mail.contoso.test"), [
      { ...mxOf("10 new.contoso.test"), ttl: 60 },
    ]);
    const again = run(edited, takeover(laterGoal(bypassed, { server: "fcde2b2e" })));
    expect(mxTexts(again)).toEqual([OURS]);
    expect(journalOf(again)).toMatchObject({
      former: [{ ...mxOf("10 new.contoso.test"), ttl: 60 }],
      revision: 2,
      server: "fcde2b2e",
    });
  });

  test("and back unedited: the same journal, but for the Server of now", () => {
    const again = run(bypassed, takeover(laterGoal(bypassed, { server: "fcde2b2e" })));
    expect(journalOf(again)).toEqual({ ...journalOf(bypassed), phase: "held", server: "fcde2b2e" });
  });
});

const claimsIn = (zone: ModelZone) => journalOf(zone)?.claims.map(formatClaim);

describe("claims", () => {
  const taken = run(OWN, takeover(GOAL));

  test("a create that was killed and comes again replaces its claim", () => {
    for (const steps of [1, 2, 3]) {
      const killed = runSteps(OWN, takeover(GOAL), steps).zone;
      const claim = { ...GOAL.claim, generation: "b5d4045c" };
      const zone = run(killed, takeover({ ...GOAL, claim }));
      expect(claimsIn(zone)).toEqual(["9f86d081.b5d4045c"]);
      expect(mxTexts(zone)).toEqual([OURS]);
    }
  });

  test("a renamed or moved resource adds its claim and changes nothing else", () => {
    const claim = { resource: "60303ae2", generation: "77de68da" };
    const { zone, steps } = runSteps(taken, takeover({ ...GOAL, claim }));
    expect(claimsIn(zone)).toEqual(["9f86d081.a3c1f2e4", "60303ae2.77de68da"]);
    expect(steps).toHaveLength(1);
    expect(zone.mx).toEqual(taken.mx);
  });

  test("an update without its claim is refused", () => {
    const claim = { ...GOAL.claim, generation: "b5d4045c" };
    const goal = laterGoal(taken, { claim });
    expect(() => nextTakeoverStep(worldOf(taken), goal)).toThrow(
      expect.objectContaining({ code: "claim-lost", value: "9f86d081.a3c1f2e4" }),
    );
  });

  test("another organisation is refused, whatever else it says", () => {
    const claim = { resource: "60303ae2", generation: "77de68da" };
    const handBackTo = [mxOf("10 x.example.com")];
    const goal: MxGoal = { ...GOAL, claim, holder: "fabrikam", handBackTo };
    expect(() => nextTakeoverStep(worldOf(taken), goal)).toThrow(
      expect.objectContaining({ code: "other-holder", value: "contoso" }),
    );
  });
});

describe("the journal and the state's copy", () => {
  const taken = run(OWN, takeover(GOAL));
  const copy = { former: GOOGLE, revision: 1, server: GOAL.server };

  test.each([
    ["other MX at the same revision", copy],
    ["a copy newer than the journal", { ...copyOf(journalOrFail(taken)), revision: 2 }],
  ])("contradict one another: %s", (_, contradicting) => {
    const goal = laterGoal(taken, { copy: contradicting });
    expect(() => nextTakeoverStep(worldOf(taken), goal)).toThrow(
      expect.objectContaining({
        code: "journal-contradicts-state",
        problem: expect.stringContaining(MAIL),
      }),
    );
    const given = { ...goal, handBackTo: [mxOf("10 new.contoso.test")] };
    expect(nextTakeoverStep(worldOf(taken), given)).toBeUndefined();
  });

  test("an older copy is no contradiction", () => {
    const edited = run(run(OWN, takeover(GOAL)), bypass(GOAL));
    const again = run(addMx(edited, [{ ...mxOf("20 b.example.com"), ttl: 1 }]), takeover(GOAL));
    const goal = laterGoal(taken);
    expect(goal.copy?.revision).toBeLessThan(journalOrFail(again).revision);
    expect(nextTakeoverStep(worldOf(again), goal)).toBeUndefined();
  });
});

function journalOrFail(zone: ModelZone) {
  const journal = journalOf(zone);
  if (journal === undefined) throw new Error("the model zone has no journal");
  return journal;
}

describe("only the gateway's MX, and no journal", () => {
  const alone = zoneWith("10 mx1.gateway.test");

  test("is refused where nothing says what to put back", () => {
    const goals: [ModelZone, MxGoal][] = [
      [alone, GOAL],
      [zoneWith("20 mx1.gateway.test"), GOAL],
      [{ ...zoneWith(), wildcard: { name: "*.test", mx: alone.mx } }, GOAL],
    ];
    for (const [zone, goal] of goals) {
      expect(() => nextTakeoverStep(worldOf(zone), goal)).toThrow(
        expect.objectContaining({ code: "former-mx-unknown" }),
      );
    }
  });

  test("is taken over where handBackTo says it", () => {
    const zone = run(alone, takeover({ ...GOAL, handBackTo: [mxOf("10 mail.contoso.test")] }));
    expect(zone.mx).toEqual(alone.mx);
    expect(journalOf(zone)).toMatchObject({
      phase: "held",
      former: [{ ...mxOf("10 mail.contoso.test"), ttl: 1 }],
    });
  });
});

test("a takeover goes on where a hand-back was killed, and the other way round", () => {
  const taken = run(OWN, takeover(GOAL));
  for (const steps of [1, 2, 3]) {
    const half = runSteps(taken, handBack(GOAL), steps).zone;
    const zone = run(half, takeover(GOAL));
    expect(mxTexts(zone)).toEqual([OURS]);
    expect(recordsOf(run(zone, handBack(GOAL)))).toEqual(recordsOf(OWN));
  }
});
