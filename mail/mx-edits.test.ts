/** What a person edits in the zone while a domain is taken over, held or handed back. */
import { describe, expect, test } from "vitest";
import type { FormerMx } from "./journal.ts";
import { formatMx, gatewayComment } from "./mx.ts";
import { findExtraMx, nextTakeoverStep } from "./takeover.ts";
import {
  addMx,
  GOAL,
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

const taken = run(OWN, takeover(GOAL));
const extra = { ...mxOf("20 backup.example.com"), ttl: 60, comment: "mine" };

describe("a takeover whose journal was deleted", () => {
  const copied = run(INHERITS, takeover(GOAL));
  const goal = laterGoal(copied, { server: "fcde2b2e" });
  const renewed = { ...journalOf(copied), revision: 2 };

  test("after the takeover: the state's copy is written, newer than itself, with its Server", () => {
    const zone = run({ ...copied, texts: [] }, takeover(goal));
    expect(journalOf(zone)).toEqual(renewed);
  });

  test("after the takeover, and someone's MX stands beside ours: that one is not former", () => {
    const beside = addMx({ ...copied, texts: [] }, [extra]);
    const zone = run(beside, takeover(goal));
    expect(journalOf(zone)).toEqual(renewed);
    expect(mxTexts(zone)).toEqual([OURS, "20 backup.example.com."]);
  });

  test("half-way, while the former MX stood: it goes on from there", () => {
    const half = runSteps(OWN, takeover(GOAL), 2).zone;
    const later = laterGoal(half);
    for (const { copy } of [later, { copy: undefined }]) {
      const zone = run({ ...half, texts: [] }, takeover({ ...later, copy }));
      expect(mxTexts(zone)).toEqual([OURS]);
      expect(journalOf(zone)?.former.map(formatMx)).toEqual([MAIL]);
    }
  });
});

describe("a takeover, and edits", () => {
  test("between the journal and the removal are journalled, too", () => {
    for (const steps of [1, 2]) {
      const half = addMx(runSteps(OWN, takeover(GOAL), steps).zone, [extra]);
      const zone = run(half, takeover(GOAL));
      expect(mxTexts(zone)).toEqual([OURS]);
      expect(journalOf(zone)?.former).toEqual(
        [...zoneWith("10 mail.contoso.test").mx, extra].map(
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
    const half = runSteps(OWN, takeover(GOAL), 2).zone;
    const slower = { ...half, mx: half.mx.map((mx) => ({ ...mx, ttl: 7_200 })) };
    expect(journalOf(run(slower, takeover(GOAL)))?.former).toMatchObject([{ ttl: 7_200 }]);
  });

  test("of the wildcard between the journal and the copies", () => {
    const half = runSteps(INHERITS, takeover(GOAL), 1).zone;
    const other = { name: "*.test", mx: [{ ...mxOf("10 new.contoso.test"), ttl: 60 }] };
    const zone = run({ ...half, wildcard: other }, takeover(GOAL));
    expect(journalOf(zone)).toMatchObject({ former: other.mx, inherited: "*.test" });
  });

  test("an MX beside ours is left alone, and named", () => {
    const more = addMx(taken, [extra]);
    expect(nextTakeoverStep(worldOf(more), GOAL)).toBeUndefined();
    expect(findExtraMx(worldOf(more), GOAL)).toMatchObject([extra]);
    const half = runSteps(OWN, takeover(GOAL), 2).zone;
    expect(findExtraMx(worldOf(half), GOAL)).toEqual([]);
  });

  test("one of ours removed: it comes back", () => {
    const goal = { ...GOAL, wanted: [...GOAL.wanted, mxOf("20 mx2.gateway.test")] };
    const two = run(OWN, takeover(goal));
    for (const gone of [["10 mx1.gateway.test"], ["10 mx1.gateway.test", "20 mx2.gateway.test"]]) {
      const zone = run(withoutMx(two, ...gone), takeover(goal));
      expect(mxTexts(zone)).toEqual([OURS, "20 mx2.gateway.test."]);
      expect(journalOf(zone)).toEqual(journalOf(two));
    }
  });

  test("the domain pointed elsewhere: that is what a hand-back restores", () => {
    const moved = addMx(withoutMx(run(OWN, takeover(GOAL)), "10 mx1.gateway.test"), [extra]);
    const { zone, steps } = runSteps(moved, takeover(GOAL));
    expect(history(moved, steps)).toEqual([
      ["20 backup.example.com."],
      [OURS, "20 backup.example.com."],
      [OURS],
    ]);
    expect(journalOf(zone)).toMatchObject({ former: [extra], revision: 2 });
  });

  test("all MX removed while the former ones stood: they are still what to put back", () => {
    const half = runSteps(OWN, takeover(GOAL), 1).zone;
    const zone = run(withoutMx(half, "10 mail.contoso.test"), takeover(GOAL));
    expect(journalOf(zone)?.former.map(formatMx)).toEqual([MAIL]);
  });
});

describe("a hand-back whose journal was deleted", () => {
  test("the state's copy is put back", () => {
    const back = run({ ...taken, texts: [] }, handBack(laterGoal(taken)));
    expect(recordsOf(back)).toEqual(recordsOf(OWN));
    expect(back.texts).toEqual([]);
  });

  test("the copy's Server counts, not the one of now", () => {
    const goal = laterGoal(taken, { server: "fcde2b2e" });
    const { refusal } = runSteps({ ...taken, texts: [] }, handBack(goal));
    expect(refusal?.code).toBe("server-changed");
  });

  test("without a copy nothing is changed", () => {
    const goal = laterGoal(taken, { copy: undefined });
    const { steps, refusal } = runSteps({ ...taken, texts: [] }, handBack(goal));
    expect(steps).toEqual([]);
    expect(refusal?.code).toBe("former-mx-unknown");
  });
});

describe("a hand-back, and edits", () => {
  test("an MX beside ours stays beside the former ones", () => {
    const back = run(addMx(taken, [extra]), handBack(GOAL));
    expect(mxTexts(back)).toEqual([MAIL, "20 backup.example.com."]);
  });

  test("an MX beside ours stays instead of the former null MX", () => {
    const nothing = run(zoneWith("0 "), takeover(GOAL));
    expect(recordsOf(run(addMx(nothing, [extra]), handBack(GOAL)))).toEqual([extra]);
  });

  test.each<[string, readonly string[], FormerMx]>([
    ["all of ours", ["10 mx1.gateway.test", "20 mx2.gateway.test"], extra],
    [
      "one of ours, by its comment",
      ["10 mx1.gateway.test"],
      { ...extra, comment: gatewayComment("mx1.gateway.test") },
    ],
  ])("an MX in the place of %s: nothing is put back", (_, replaced, by) => {
    const goal = { ...GOAL, wanted: [...GOAL.wanted, mxOf("20 mx2.gateway.test")] };
    const moved = addMx(withoutMx(run(OWN, takeover(goal)), ...replaced), [by]);
    const back = run(moved, handBack(goal));
    expect(recordsOf(back)).toEqual([by]);
    expect(back.texts).toEqual([]);
  });

  test("a killed update of the gateway is no such edit", () => {
    const change = { ...laterGoal(taken), wanted: [mxOf("10 in.example.net")] };
    const killed = addMx(run(taken, takeover(change)), [extra]);
    const back = run(killed, handBack(laterGoal(taken)));
    expect(mxTexts(back)).toEqual([MAIL, "20 backup.example.com."]);
  });

  test.each<[string, ModelZone]>([
    ["in the takeover", runSteps(OWN, takeover(GOAL), 2).zone],
    ["in the hand-back", runSteps(taken, handBack(GOAL), 1).zone],
  ])("the former MX replaced while they stood beside OURS, %s: not put back", (_, half) => {
    const edited = addMx(withoutMx(half, "10 mail.contoso.test"), [extra]);
    expect(recordsOf(run(edited, handBack(GOAL)))).toEqual([extra]);
  });

  test("the former MX removed while they stood beside ours: put back rather than leave no MX", () => {
    for (const half of [runSteps(OWN, takeover(GOAL), 2), runSteps(taken, handBack(GOAL), 1)]) {
      const edited = withoutMx(half.zone, "10 mail.contoso.test");
      expect(mxTexts(run(edited, handBack(GOAL)))).toEqual([MAIL]);
    }
  });

  test("all MX removed after the takeover: the former ones are put back, or a wildcard answers", () => {
    for (const zone of [OWN, INHERITS]) {
      const emptied = withoutMx(run(zone, takeover(GOAL)), "10 mx1.gateway.test");
      const { zone: back, steps } = runSteps(emptied, handBack(GOAL));
      expect(recordsOf(back)).toEqual(recordsOf(zone));
      expect(steps).toHaveLength(zone === OWN ? 2 : 1);
    }
  });
});
