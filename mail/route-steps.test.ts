import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { RouteRecord, SlotAnswer } from "./route.ts";
import { inactiveTimes, leavingTimes } from "./route-life.ts";
import { nextRouteStep, type RouteGoal, type RouteStep, type RouteWorld } from "./route-steps.ts";
import { NOW, recordOf, routeOf } from "./testdata/routes.ts";

const ROUTE = routeOf("contoso.test");
const OTHER = routeOf("contoso.test", { server: "b.contoso.test" });
const GOAL: RouteGoal = {
  claimant: {
    organisation: "contoso",
    claim: { resource: "0a1b2c3d", generation: "4e5f6071" },
    mayClaim: true,
  },
  route: ROUTE,
};
const ACTIVE = recordOf(ROUTE);
const SLOTS = ["a", "b"];

function world(record: RouteRecord | undefined, answers: readonly SlotAnswer[] = []): RouteWorld {
  return { record, answers, slots: SLOTS };
}

function proposed(record?: RouteRecord): RouteRecord {
  const { holder } = ACTIVE;
  return {
    domain: "contoso.test",
    holder,
    ...record,
    revision: 5,
    proposed: { version: 5, route: ROUTE },
  };
}

function proof(slot: string, verdict: "proven" | "trying" | "failed", version = 5): SlotAnswer {
  return {
    domain: "contoso.test",
    slot,
    proof: { version, at: NOW.toISOString(), verdict, steps: [] },
  };
}

function acknowledged(slot: string, revision: number): SlotAnswer {
  return { domain: "contoso.test", slot, acknowledged: revision };
}

describe("inactive", () => {
  const goal = { ...GOAL, inactive: true };
  const inactive: RouteRecord = { ...ACTIVE, inactive: inactiveTimes(NOW) };

  test.each<[string, RouteRecord]>([
    ["active", ACTIVE],
    ["leaving", { ...ACTIVE, leaving: leavingTimes(NOW) }],
    ["with a proposal", { ...proposed(ACTIVE), revision: 1 }],
  ])("a route that is %s is set inactive at once, without a proof", (_, record) => {
    expect(nextRouteStep(world(record), goal, NOW)).toEqual({
      kind: "write",
      proposed: false,
      content: {
        domain: "contoso.test",
        holder: ACTIVE.holder,
        active: ACTIVE.active,
        inactive: inactiveTimes(NOW),
      },
    });
  });

  test("every slot takes it over, and its times stay", () => {
    const later = new Date("2027-01-01");
    const answers = [acknowledged("a", 1)];
    expect(nextRouteStep(world(inactive, answers), goal, later)).toMatchObject({
      kind: "acknowledge",
      pending: ["b"],
    });
    const all = [...answers, acknowledged("b", 1)];
    expect(nextRouteStep(world(inactive, all), goal, later)).toBeUndefined();
  });

  test("a change meanwhile is proven, and stays inactive with the same times", () => {
    const changed = { ...goal, route: OTHER };
    const proposal = { ...inactive, revision: 5, proposed: { version: 5, route: OTHER } };
    expect(nextRouteStep(world(inactive), changed, NOW)).toMatchObject({ proposed: true });
    const answers = SLOTS.map((slot) => proof(slot, "proven"));
    expect(nextRouteStep(world(proposal, answers), changed, new Date("2027-01-01"))).toMatchObject({
      content: { active: { version: 5, route: OTHER }, inactive: inactiveTimes(NOW) },
    });
  });

  test("it is proven before it is active again", () => {
    const step = nextRouteStep(world(inactive), GOAL, NOW);
    expect(step).toMatchObject({
      proposed: true,
      content: { inactive: inactiveTimes(NOW), proposed: { version: 2, route: ROUTE } },
    });
    const answers = SLOTS.map((slot) => proof(slot, "proven"));
    const next = nextRouteStep(world(proposed(inactive), answers), GOAL, NOW);
    expect(next?.kind === "write" && next.content).not.toHaveProperty("inactive");
  });

  test.each<[string, RouteRecord | undefined]>([
    ["no route", undefined],
    ["a proposal only", proposed()],
    ["a route that has expired", { ...ACTIVE, leaving: leavingTimes(new Date("2020-01-01")) }],
  ])("%s: refused, as the MX would be moved to a gateway that refuses", (_, record) => {
    expect(() => nextRouteStep(world(record), goal, NOW)).toThrow(
      expect.objectContaining({ code: "inactive-without-route" }),
    );
  });
});

describe("what is next", () => {
  test("a new domain is proposed", () => {
    expect(nextRouteStep(world(undefined), GOAL, NOW)).toMatchObject({
      kind: "write",
      proposed: true,
      content: { proposed: { version: 1, route: ROUTE } },
    });
  });

  test("a change is proposed beside the version that serves", () => {
    expect(nextRouteStep(world(recordOf(OTHER)), GOAL, NOW)).toMatchObject({
      content: { active: { route: OTHER }, proposed: { version: 2, route: ROUTE } },
    });
  });

  test.each<[string, SlotAnswer[], string[], string[]]>([
    ["nobody has proven it", [], [], ["a", "b"]],
    ["one has", [proof("a", "proven")], ["a"], ["b"]],
    ["one tries", [proof("a", "proven"), proof("b", "trying")], ["a"], ["b"]],
    ["a proof is of another version", [proof("a", "proven", 4)], [], ["a", "b"]],
  ])("%s: it is waited for", (_, answers, done, pending) => {
    const step = nextRouteStep(world(proposed(recordOf(OTHER)), answers), GOAL, NOW);
    expect(step).toEqual({ kind: "prove", version: 5, done, pending });
  });

  test("all have proven it: it is activated, and what served before goes", () => {
    const answers = SLOTS.map((slot) => proof(slot, "proven"));
    expect(nextRouteStep(world(proposed(recordOf(OTHER)), answers), GOAL, NOW)).toEqual({
      kind: "write",
      proposed: false,
      content: {
        domain: "contoso.test",
        holder: ACTIVE.holder,
        active: { version: 5, route: ROUTE },
      },
    });
  });

  test("a slot that is not asked changes nothing", () => {
    const answers = [...SLOTS.map((slot) => proof(slot, "proven")), proof("dead", "failed")];
    expect(nextRouteStep(world(proposed(), answers), GOAL, NOW)).toMatchObject({ kind: "write" });
  });

  test("a slot refuses what this run has proposed: that is the end", () => {
    const answers = [proof("a", "failed"), proof("b", "proven")];
    const step = nextRouteStep(world(proposed(), answers), { ...GOAL, ownVersion: 5 }, NOW);
    expect(step?.kind === "refused" && [...step.proofs.keys()]).toEqual(["a"]);
  });

  test("it was refused in an earlier run: it is tried again under a new number", () => {
    expect(nextRouteStep(world(proposed(), [proof("a", "failed")]), GOAL, NOW)).toMatchObject({
      proposed: true,
      content: { proposed: { version: 6 } },
    });
  });

  test.each<[SlotAnswer[], Partial<RouteStep> | undefined]>([
    [[], { kind: "acknowledge", done: [], pending: ["a", "b"] }],
    [[acknowledged("a", 1)], { kind: "acknowledge", done: ["a"], pending: ["b"] }],
    [[acknowledged("a", 1), acknowledged("b", 0)], { kind: "acknowledge", pending: ["b"] }],
    [[acknowledged("a", 1), acknowledged("b", 2)], undefined],
  ])("the active route with the acknowledgements %j", (answers, step) => {
    const next = nextRouteStep(world(ACTIVE, answers), GOAL, NOW);
    expect(next === undefined).toBe(step === undefined);
    expect(next ?? {}).toMatchObject(step ?? {});
  });

  test("a proposal beside what is wanted and serves is withdrawn", () => {
    const record = { ...ACTIVE, proposed: { version: 7, route: OTHER } };
    expect(nextRouteStep(world(record), GOAL, NOW)).toEqual({
      kind: "write",
      proposed: false,
      content: { domain: "contoso.test", holder: ACTIVE.holder, active: ACTIVE.active },
    });
  });

  test("another resource of the organisation: its claim is added, and nothing is proven again", () => {
    const claim = { resource: "ffffffff", generation: "00000001" };
    const goal = { ...GOAL, claimant: { ...GOAL.claimant, claim } };
    expect(nextRouteStep(world(ACTIVE), goal, NOW)).toMatchObject({
      proposed: false,
      content: { holder: { claims: ["0a1b2c3d.4e5f6071", "ffffffff.00000001"] } },
    });
  });

  test("a route that is leaving is proven again, and stays", () => {
    const leaving = { ...ACTIVE, leaving: leavingTimes(NOW) };
    const step = nextRouteStep(world(leaving), GOAL, NOW);
    expect(step).toMatchObject({
      proposed: true,
      content: { active: ACTIVE.active, leaving: leaving.leaving, proposed: { version: 2 } },
    });
  });
});

/** Answers as they may stand there, from now or from before. */
const answers = fc.array(
  fc.oneof(
    fc
      .tuple(
        fc.constantFrom("a", "b", "c"),
        fc.constantFrom("proven" as const, "trying" as const, "failed" as const),
        fc.nat(8),
      )
      .map(([slot, verdict, version]) => proof(slot, verdict, version)),
    fc
      .tuple(fc.constantFrom("a", "b"), fc.nat(8))
      .map(([slot, revision]) => acknowledged(slot, revision)),
  ),
);
const records = fc.constantFrom(
  undefined,
  ACTIVE,
  recordOf(OTHER),
  proposed(),
  proposed(ACTIVE),
  proposed(recordOf(OTHER)),
  { ...recordOf(OTHER), leaving: leavingTimes(NOW) },
  { ...ACTIVE, leaving: leavingTimes(new Date(0)) },
);

test("only what every slot has proven becomes active, whatever stood there before", () => {
  fc.assert(
    fc.property(records, answers, (record, given) => {
      const before = record?.active;
      const step = nextRouteStep(world(record, given), GOAL, NOW);
      const after = step?.kind === "write" ? step.content.active : before;
      const version = record?.proposed?.version;
      const proven = SLOTS.every((slot) =>
        given.some(
          (one) =>
            one.slot === slot && one.proof?.verdict === "proven" && one.proof.version === version,
        ),
      );
      const isSame = after === undefined || after.version === before?.version;
      expect(isSame || proven).toBe(true);
    }),
  );
});

test("with slots that prove and acknowledge, every world comes to serve in a few steps", () => {
  fc.assert(
    fc.property(records, answers, (first, given) => {
      let [record, said]: [RouteRecord | undefined, readonly SlotAnswer[]] = [first, given];
      for (let steps = 0; steps < 8; steps += 1) {
        const step = nextRouteStep(world(record, said), GOAL, NOW);
        if (step === undefined) break;
        if (step.kind === "write") {
          record = { ...step.content, revision: (record?.revision ?? 0) + 1 };
        } else if (record !== undefined) {
          const { revision, proposed: tried } = record;
          said = SLOTS.map((slot) => ({
            ...acknowledged(slot, revision),
            ...proof(slot, "proven", tried?.version),
          }));
        }
      }
      expect(record?.active?.route).toEqual(ROUTE);
      expect(nextRouteStep(world(record, said), GOAL, NOW)).toBeUndefined();
    }),
  );
});
