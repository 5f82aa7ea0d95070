import { describe, expect, test } from "vitest";
import { formatClaim } from "./journal.ts";
import { formatMx } from "./mx.ts";
import type { MxGoal, MxStep } from "./mx-goal.ts";
import { findExtraMx, nextTakeoverStep } from "./takeover.ts";
import {
  addMx,
  applyStep,
  bypass,
  copyOf,
  GOAL,
  GOOGLE,
  handBack,
  journalOf,
  laterGoal,
  type ModelZone,
  mxOf,
  mxTexts,
  recordsOf,
  run,
  runSteps,
  takeover,
  withoutMx,
  worldOf,
  zoneWith,
} from "./testdata/model-zone.ts";

/** The MX after each step, as zone files have them. */
function history(zone: ModelZone, steps: readonly MxStep[]): string[][] {
  let now = zone;
  return steps.map((step) => {
    now = applyStep(now, step);
    return mxTexts(now);
  });
}

const mail = "10 mail.contoso.test.";
const ours = "10 mx1.gateway.test.";
const own = zoneWith("10 mail.contoso.test");
const wildcard = { name: "*.test", mx: [{ ...mxOf("10 mail.contoso.test"), ttl: 600 }] };
const inherits: ModelZone = { ...zoneWith(), wildcard };

test.each<[string, ModelZone, string[][]]>([
  ["one MX", own, [[mail], [mail, ours], [ours]]],
  ["no MX", zoneWith(), [[], [ours], [ours]]],
  ["the null MX, which has no company", zoneWith("0 "), [["0 ."], [ours]]],
  ["a wildcard's MX, which stand beside ours as copies", inherits, [[], [mail, ours], [ours]]],
  [
    "a wildcard's null MX",
    { ...zoneWith(), wildcard: { name: "*.test", mx: [{ ...mxOf("0 "), ttl: 1 }] } },
    [[], [ours], [ours]],
  ],
  [
    "a null MX with company, which no standard allows",
    zoneWith("0 ", "10 mail.contoso.test"),
    [["0 .", mail], ["0 .", mail, ours], [ours]],
  ],
  [
    "one of ours already beside",
    zoneWith("10 mail.contoso.test", "10 mx1.gateway.test"),
    [[mail, ours], [ours]],
  ],
  [
    "ours at another preference",
    zoneWith("10 mail.contoso.test", "5 mx1.gateway.test"),
    [[mail, "5 mx1.gateway.test."], [mail, ours], [ours]],
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
  const [first, second] = runSteps(inherits, takeover(GOAL)).steps;
  expect(first?.journal).toMatchObject({ former: wildcard.mx, inherited: "*.test" });
  expect(second?.add.map(formatMx)).toEqual([mail, ours]);
});

test("the null MX is changed only after another look at the zone", () => {
  const [, swap] = runSteps(zoneWith("0 "), takeover(GOAL)).steps;
  expect(swap).toMatchObject({ after: "served", journal: { phase: "held" } });
});

describe("another goal than before", () => {
  const taken = run(own, takeover(GOAL));
  const change = (wanted: string[]) => laterGoal(taken, { wanted: wanted.map(mxOf) });

  test("other gateway hosts: both stand for the overlap", () => {
    const { steps, zone } = runSteps(taken, takeover(change(["10 in.example.net"])));
    expect(history(taken, steps)).toEqual([["10 in.example.net.", ours], ["10 in.example.net."]]);
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
    expect(mxTexts(run(two, takeover(goal)))).toEqual([ours, "20 mx1.gateway.test."]);
  });

  test("an old gateway host is known by its comment where the state does not know it", () => {
    const long = `10 in.${"long-name.".repeat(12)}example.com`;
    for (const before of ["10 in.example.net", long]) {
      const zone = run(own, takeover({ ...GOAL, wanted: [mxOf(before)] }));
      const renamed = { ...GOAL, claim: { resource: "60303ae2", generation: "1" } };
      const after = run(zone, takeover(renamed));
      expect(mxTexts(after)).toEqual([ours]);
      expect(journalOf(after)?.former.map(formatMx)).toEqual([mail]);
    }
  });
});

describe("bypass", () => {
  const bypassed = run(run(own, takeover(GOAL)), bypass(GOAL));

  test("and back: the MX that stand now are what a hand-back restores", () => {
    const edited = addMx(withoutMx(bypassed, "10 mail.contoso.test"), [
      { ...mxOf("10 new.contoso.test"), ttl: 60 },
    ]);
    const again = run(edited, takeover(laterGoal(bypassed, { server: "fcde2b2e" })));
    expect(mxTexts(again)).toEqual([ours]);
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
  const taken = run(own, takeover(GOAL));

  test("a create that was killed and comes again replaces its claim", () => {
    for (const steps of [1, 2, 3]) {
      const killed = runSteps(own, takeover(GOAL), steps).zone;
      const claim = { ...GOAL.claim, generation: "b5d4045c" };
      const zone = run(killed, takeover({ ...GOAL, claim }));
      expect(claimsIn(zone)).toEqual(["9f86d081.b5d4045c"]);
      expect(mxTexts(zone)).toEqual([ours]);
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
    const goal: MxGoal = { ...GOAL, holder: "fabrikam", handBackTo: [mxOf("10 x.example.com")] };
    expect(() => nextTakeoverStep(worldOf(taken), goal)).toThrow(
      expect.objectContaining({ code: "other-holder", value: "contoso" }),
    );
  });
});

describe("the journal and the state's copy", () => {
  const taken = run(own, takeover(GOAL));
  const copy = { former: GOOGLE, revision: 1, server: GOAL.server };

  test.each([
    ["other MX at the same revision", copy],
    ["a copy newer than the journal", { ...copyOf(journalOrFail(taken)), revision: 2 }],
  ])("contradict one another: %s", (_, contradicting) => {
    const goal = laterGoal(taken, { copy: contradicting });
    expect(() => nextTakeoverStep(worldOf(taken), goal)).toThrow(
      expect.objectContaining({
        code: "journal-contradicts-state",
        problem: expect.stringContaining(mail),
      }),
    );
    const given = { ...goal, handBackTo: [mxOf("10 new.contoso.test")] };
    expect(nextTakeoverStep(worldOf(taken), given)).toBeUndefined();
  });

  test("an older copy is no contradiction", () => {
    const edited = run(run(own, takeover(GOAL)), bypass(GOAL));
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

describe("a person deleted the journal", () => {
  const taken = run(inherits, takeover(GOAL));
  const goal = laterGoal(taken, { server: "fcde2b2e" });
  const { phase: _, ...journal } = journalOrFail(taken);

  test("after the takeover: the state's copy is written, newer than itself, with its Server", () => {
    const zone = run({ ...taken, texts: [] }, takeover(goal));
    expect(journalOf(zone)).toEqual({ ...journal, phase: "held", revision: 2 });
  });

  test("after the takeover, and someone's MX stands beside ours: that one is not former", () => {
    const extra = addMx({ ...taken, texts: [] }, [{ ...mxOf("20 backup.example.com"), ttl: 1 }]);
    const zone = run(extra, takeover(goal));
    expect(journalOf(zone)).toEqual({ ...journal, phase: "held", revision: 2 });
    expect(mxTexts(zone)).toEqual([ours, "20 backup.example.com."]);
  });

  test("half-way, while the former MX stood: it goes on from there", () => {
    const half = runSteps(own, takeover(GOAL), 2).zone;
    const later = laterGoal(half);
    for (const { copy } of [later, { copy: undefined }]) {
      const zone = run({ ...half, texts: [] }, takeover({ ...later, copy }));
      expect(mxTexts(zone)).toEqual([ours]);
      expect(journalOf(zone)?.former.map(formatMx)).toEqual([mail]);
    }
  });
});

describe("a person's edits", () => {
  const added = { ...mxOf("20 backup.example.com"), ttl: 60, comment: "mine" };

  test("between the journal and the removal are journalled, too", () => {
    for (const steps of [1, 2]) {
      const half = addMx(runSteps(own, takeover(GOAL), steps).zone, [added]);
      const zone = run(half, takeover(GOAL));
      expect(mxTexts(zone)).toEqual([ours]);
      expect(journalOf(zone)?.former).toEqual(
        [...zoneWith("10 mail.contoso.test").mx, added].map(
          ({ preference, exchange, ttl, ...rest }) => ({
            preference,
            exchange,
            ttl,
            ...("comment" in rest && { comment: rest.comment }),
          }),
        ),
      );
      expect(journalOf(zone)?.revision).toBe(2);
    }
  });

  test("of a TTL in that time as well", () => {
    const half = runSteps(own, takeover(GOAL), 2).zone;
    const slower = { ...half, mx: half.mx.map((mx) => ({ ...mx, ttl: 7_200 })) };
    expect(journalOf(run(slower, takeover(GOAL)))?.former).toMatchObject([{ ttl: 7_200 }]);
  });

  test("of the wildcard between the journal and the copies", () => {
    const half = runSteps(inherits, takeover(GOAL), 1).zone;
    const other = { name: "*.test", mx: [{ ...mxOf("10 new.contoso.test"), ttl: 60 }] };
    const zone = run({ ...half, wildcard: other }, takeover(GOAL));
    expect(journalOf(zone)).toMatchObject({ former: other.mx, inherited: "*.test" });
  });

  test("an MX beside ours is left alone, and named", () => {
    const taken = addMx(run(own, takeover(GOAL)), [added]);
    expect(nextTakeoverStep(worldOf(taken), GOAL)).toBeUndefined();
    expect(findExtraMx(worldOf(taken), GOAL)).toMatchObject([added]);
    const half = runSteps(own, takeover(GOAL), 2).zone;
    expect(findExtraMx(worldOf(half), GOAL)).toEqual([]);
  });

  test("one of ours removed: it comes back", () => {
    const goal = { ...GOAL, wanted: [...GOAL.wanted, mxOf("20 mx2.gateway.test")] };
    const taken = run(own, takeover(goal));
    for (const gone of [["10 mx1.gateway.test"], ["10 mx1.gateway.test", "20 mx2.gateway.test"]]) {
      const zone = run(withoutMx(taken, ...gone), takeover(goal));
      expect(mxTexts(zone)).toEqual([ours, "20 mx2.gateway.test."]);
      expect(journalOf(zone)).toEqual(journalOf(taken));
    }
  });

  test("the domain pointed elsewhere: that is what a hand-back restores", () => {
    const moved = addMx(withoutMx(run(own, takeover(GOAL)), "10 mx1.gateway.test"), [added]);
    const { zone, steps } = runSteps(moved, takeover(GOAL));
    expect(history(moved, steps)).toEqual([
      ["20 backup.example.com."],
      [ours, "20 backup.example.com."],
      [ours],
    ]);
    expect(journalOf(zone)).toMatchObject({ former: [added], revision: 2 });
  });

  test("all MX removed while the former ones stood: they are still what to put back", () => {
    const half = runSteps(own, takeover(GOAL), 1).zone;
    const zone = run(withoutMx(half, "10 mail.contoso.test"), takeover(GOAL));
    expect(journalOf(zone)?.former.map(formatMx)).toEqual([mail]);
  });
});

test("a takeover goes on where a hand-back was killed, and the other way round", () => {
  const taken = run(own, takeover(GOAL));
  for (const steps of [1, 2, 3]) {
    const half = runSteps(taken, handBack(GOAL), steps).zone;
    const zone = run(half, takeover(GOAL));
    expect(mxTexts(zone)).toEqual([ours]);
    expect(recordsOf(run(zone, handBack(GOAL)))).toEqual(recordsOf(own));
  }
});
