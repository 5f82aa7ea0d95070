import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ROUTE_STAGES, type RouteRecord } from "./route.ts";
import {
  activateRoute,
  deactivateRoute,
  giveUpRoute,
  proposeRoute,
  withdrawProposal,
} from "./route-changes.ts";
import {
  endRefusal,
  inactiveTimes,
  LEAVING,
  leavingTimes,
  lifeStage,
  nextStageChange,
  routeInForce,
  routeStage,
  stageRefusal,
} from "./route-life.ts";
import { NOW, recordOf, routeOf } from "./testdata/routes.ts";

const route = routeOf("contoso.test");
const active = recordOf(route);
const leaving: RouteRecord = { ...active, leaving: leavingTimes(NOW) };
const holder = active.holder;

const inDays = (days: number) => new Date(NOW.getTime() + days * 86_400_000);

test("leaving: 7 days of delivery, 2 of 4xx, 30 of 5xx, then unknown", () => {
  expect(leaving.leaving).toEqual({
    since: "2026-11-26T12:00:00.000Z",
    deferFrom: "2026-12-03T12:00:00.000Z",
    refuseFrom: "2026-12-05T12:00:00.000Z",
    expires: "2027-01-04T12:00:00.000Z",
  });
  const stages = [0, 6.99, 7, 8.99, 9, 38.99, 39, 4000].map((days) =>
    routeStage(leaving, inDays(days)),
  );
  expect(stages).toEqual([
    "leaving",
    "leaving",
    "deferring",
    "deferring",
    "refusing",
    "refusing",
    "expired",
    "expired",
  ]);
});

test("a proposal that never served has nothing to wind down", () => {
  const proposed = { ...proposeRoute(undefined, route, holder, NOW), revision: 1 };
  expect(routeStage(proposed, NOW)).toBe("proposed");
  const givenUp = { ...giveUpRoute(proposed, NOW), revision: 2 };
  expect(routeStage(givenUp, NOW)).toBe("expired");
  expect(nextStageChange(givenUp, NOW)).toBeUndefined();
});

test("the stages follow one another, each change is foretold, and none is left out", () => {
  const lengths = fc.record({
    delivers: fc.integer({ min: 1, max: 1e6 }),
    defers: fc.integer({ min: 1, max: 1e6 }),
    refuses: fc.integer({ min: 1, max: 1e6 }),
  });
  fc.assert(
    fc.property(lengths, (given) => {
      const record = { ...active, leaving: leavingTimes(NOW, given) };
      const seen = [routeStage(record, NOW)];
      for (let next = nextStageChange(record, NOW); next; next = nextStageChange(record, next)) {
        const before = new Date(next.getTime() - 1);
        expect(routeStage(record, before)).toBe(seen.at(-1));
        seen.push(routeStage(record, next));
      }
      expect(seen).toEqual(ROUTE_STAGES.slice(2));
    }),
  );
});

describe("replies", () => {
  test.each([
    [0, undefined, undefined],
    [7, "4.7.1", "defer"],
    [9, "5.7.1", "refuse"],
    [39, undefined, undefined],
  ] as const)("after %i days", (days, status, action) => {
    const said = /^contoso\.test no longer .* see https:\/\/gateway\.example\/help$/;
    for (const direction of ["inbound", "outbound"] as const) {
      const refusal = stageRefusal(leaving, direction, inDays(days));
      expect([refusal?.status, refusal?.action]).toEqual([status, action]);
      expect(refusal === undefined || said.test(refusal.text)).toBe(true);
    }
  });

  test("an active or proposed route is not refused", () => {
    const proposed = { ...proposeRoute(undefined, route, holder, NOW), revision: 1 };
    expect(stageRefusal(active, "inbound", NOW)).toBeUndefined();
    expect(stageRefusal(proposed, "outbound", NOW)).toBeUndefined();
  });

  test("fit a line of SMTP (512 octets, RFC 5321 section 4.5.3.1.5) with the longest domain", () => {
    const domain = `${"a".repeat(63)}.${"b".repeat(63)}.${"c".repeat(63)}.${"d".repeat(56)}.test`;
    const record = { ...recordOf(routeOf(domain)), leaving: leavingTimes(NOW) };
    const { text = "" } = stageRefusal(record, "inbound", inDays(8)) ?? {};
    expect(`450 4.7.1 <x@${domain}>: `.length + text.length).toBeGreaterThan(400);
    expect(text.length).toBeLessThan(512 - "450 4.7.1 \r\n".length);
  });
});

describe("inactive", () => {
  const inactive: RouteRecord = { ...active, inactive: inactiveTimes(NOW) };

  test("2 days of 4xx, then 5xx without an end, in both directions, with the way on", () => {
    expect(inactive.inactive).toEqual({
      since: "2026-11-26T12:00:00.000Z",
      refuseFrom: "2026-11-28T12:00:00.000Z",
    });
    const said =
      /^contoso\.test is inactive at this gateway, .* see https:\/\/gateway\.example\/help$/;
    for (const direction of ["inbound", "outbound"] as const) {
      const statuses = [0, 1.99, 2, 4000].map((days) => {
        const refusal = stageRefusal(inactive, direction, inDays(days));
        expect(refusal?.text).toMatch(said);
        expect(endRefusal(inactive, direction, inDays(days))).toBeUndefined();
        return refusal?.status;
      });
      expect(statuses).toEqual(["4.7.1", "4.7.1", "5.7.1", "5.7.1"]);
    }
    expect(nextStageChange(inactive, NOW)).toEqual(inDays(2));
    expect(nextStageChange(inactive, inDays(2))).toBeUndefined();
  });

  test("the domain stays the organisation's, and its life goes on", () => {
    expect(lifeStage(inactive, inDays(4000))).toBe("active");
    expect(routeInForce(inactive, inDays(4000))).toEqual(active.active);
    const givenUp = { ...giveUpRoute(inactive, NOW), revision: 2 };
    expect(givenUp.inactive).toEqual(inactive.inactive);
    expect(routeStage(givenUp, inDays(39))).toBe("expired");
  });

  test("with leaving it is the stricter of both at every moment, and each change is foretold", () => {
    const order = ["active", "leaving", "deferring", "refusing", "expired"];
    const days = fc.double({ min: 0, max: 50, noNaN: true });
    fc.assert(
      fc.property(days, days, days, (left, paused, at) => {
        const now = inDays(at);
        const leaves = left > 45 ? {} : { leaving: leavingTimes(inDays(left - 10)) };
        const pauses = { inactive: inactiveTimes(inDays(Math.min(paused, at))) };
        const record = { ...active, ...leaves, ...pauses };
        const life = routeStage({ ...active, ...leaves }, now);
        const pause = routeStage({ ...active, ...pauses }, now);
        const stricter = order.indexOf(life) > order.indexOf(pause) ? life : pause;
        expect(routeStage(record, now)).toBe(stricter);
        const refusal = stageRefusal(record, "inbound", now);
        const actions = new Map([
          ["deferring", "defer"],
          ["refusing", "refuse"],
        ]);
        expect(refusal?.action).toBe(actions.get(stricter));
        const next = nextStageChange(record, now);
        const just = next && new Date(next.getTime() - 1);
        expect(just && just > now ? routeStage(record, just) : stricter).toBe(stricter);
        expect(next && routeStage(record, next)).not.toBe(stricter);
      }),
    );
  });

  test("a new version beside it is as inactive until it is activated", () => {
    const back = routeOf("contoso.test", { server: "new.contoso.test" });
    const proposed = { ...proposeRoute(inactive, back, holder, NOW), revision: 2 };
    expect(routeStage(proposed, NOW)).toBe("deferring");
    const again = { ...activateRoute(proposed, { version: 2, route: back }, NOW), revision: 3 };
    expect(routeStage(again, NOW)).toBe("active");
    const late = {
      ...deactivateRoute({ ...again, leaving: leavingTimes(NOW) }, holder, inDays(1)),
    };
    expect(late).toEqual({ ...again, revision: undefined, inactive: inactiveTimes(inDays(1)) });
  });
});

describe.each([0, 7, 9, 39, 400])("back after %i days", (days) => {
  const now = inDays(days);
  const stage = routeStage(leaving, now);
  const back = routeOf("contoso.test", { server: "new.contoso.test" });
  const proposed = { ...proposeRoute(leaving, back, holder, now), revision: 2 };

  test("the proposal changes nothing of what serves, and holds the domain", () => {
    expect(proposed.proposed).toEqual({ version: 2, route: back });
    expect(routeStage(proposed, now)).toBe(stage === "expired" ? "proposed" : stage);
    expect(routeStage(proposed, inDays(4000))).toBe("proposed");
    expect(routeInForce(proposed, now)).toEqual(routeInForce(leaving, now));
  });

  test("once activated it serves, and nothing of the leaving is left", () => {
    const again = { ...activateRoute(proposed, { version: 2, route: back }, now), revision: 3 };
    expect(again.leaving).toBeUndefined();
    expect(routeStage(again, inDays(4000))).toBe("active");
    expect(routeInForce(again, now)?.route).toEqual(back);
  });

  test("withdrawn, or given up again, it goes on as before", () => {
    const withdrawn = { ...withdrawProposal(proposed), revision: 3 };
    const givenUp = { ...giveUpRoute(proposed, now, LEAVING), revision: 3 };
    expect(routeStage(withdrawn, now)).toBe(stage);
    expect(routeStage(givenUp, now)).toBe(stage);
    expect(givenUp.proposed).toBeUndefined();
    expect(givenUp.leaving).toEqual(stage === "expired" ? leavingTimes(now) : leaving.leaving);
  });
});

test("a version's number is never used again", () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom("propose", "activate", "withdraw", "give up")),
      (steps) => {
        let record: RouteRecord = { ...proposeRoute(undefined, route, holder, NOW), revision: 1 };
        const numbers = [1];
        for (const step of steps) {
          const { proposed, revision } = record;
          const next =
            step === "propose"
              ? proposeRoute(record, route, holder, NOW)
              : step === "activate" && proposed
                ? activateRoute(record, proposed, NOW)
                : step === "give up"
                  ? giveUpRoute(record, NOW)
                  : withdrawProposal(record);
          record = { ...next, revision: revision + 1 };
          if (step === "propose") numbers.push(record.proposed?.version ?? 0);
        }
        expect(numbers).toEqual([...new Set(numbers)].toSorted((a, b) => a - b));
      },
    ),
  );
});
