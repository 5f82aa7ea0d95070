import * as fc from "fast-check";
import { expect, test } from "vitest";
import { type KnownMail, type PassedMessage, withMessage } from "./mail-spell.ts";
import { type OutboundWorld, outboundState, QUIET_SECONDS } from "./outbound-quiet.ts";
import type { LastMail, SlotReport } from "./route.ts";

const NOW = Date.parse("2026-11-26T12:00:00Z");
const now = new Date(NOW);
const HOUR = 3_600;
/** So many seconds before now. */
const ago = (seconds: number) => new Date(NOW - seconds * 1000).toISOString();

/** A slot as it is: what passed it, and what is known of that. */
interface Slot {
  readonly name: string;
  /** When each message passed, in seconds before now, and from whom. The latest last. */
  readonly passed: readonly { readonly before: number; readonly from: string }[];
  /** Until when it has told, in seconds before now; undefined: it never reported. */
  readonly toldBefore: number | undefined;
  readonly isOfFleet: boolean;
  readonly isOldRelease: boolean;
}

const passed = fc
  .array(
    fc.record({
      before: fc.integer({ min: 0, max: 3 * QUIET_SECONDS }),
      from: fc.integer({ min: 1, max: 8 }).map((host) => `192.0.2.${host}`),
    }),
    { maxLength: 12 },
  )
  .map((messages) => messages.toSorted((a, b) => b.before - a.before));

const slots: fc.Arbitrary<readonly Slot[]> = fc
  .array(
    fc.record({
      passed,
      toldBefore: fc.option(
        fc.oneof(fc.integer({ min: 0, max: 90 }), fc.integer({ min: 200, max: 99_999 })),
        {
          nil: undefined,
        },
      ),
      isOfFleet: fc.boolean(),
      isOldRelease: fc.boolean(),
    }),
    { minLength: 1, maxLength: 4 },
  )
  .map((all) => all.map((slot, index) => ({ ...slot, name: "abcd"[index] ?? "" })));

test("of mail that a mail system hands over, a slot may tell a minute late, and the queue does not matter", () => {
  const health = { bundle: "", healthy: true, faults: [] };
  const report = { slot: "a", ...health, heartbeat: ago(1), toldUntil: ago(1) };
  const lastOutbound = { at: ago(5), from: "192.0.2.1" };
  const answer = {
    domain: "a.test",
    slot: "a",
    lastOutbound,
    queuedOutbound: { at: ago(1), messages: 1, since: ago(5) },
  };
  const state = (before: number, quietSeconds: number) =>
    outboundState(
      {
        slots: ["a"],
        reports: [report],
        answers: [{ ...answer, lastInbound: { at: ago(before), from: "192.0.2.9" } }],
      },
      { quietSeconds, direction: "inbound" },
      now,
    );
  expect(state(HOUR, QUIET_SECONDS)).toMatchObject({
    kind: "sending",
    traffic: { last: ago(HOUR), clients: ["192.0.2.9"] },
  });
  expect(state(QUIET_SECONDS + 62, QUIET_SECONDS)).toMatchObject({ kind: "quiet" });
  // The silence of a minute may be one between two messages of which the second is not told yet.
  expect(state(100, 1)).toMatchObject({ kind: "sending" });
});

/** What the store has of the slots: they told of all that passed up to their last word. */
function worldOf(all: readonly Slot[]): OutboundWorld {
  return {
    slots: all.filter(({ isOfFleet }) => isOfFleet).map(({ name }) => name),
    reports: all.flatMap(reportOf),
    answers: all.flatMap((slot) => {
      const lastOutbound = lastTold(slot);
      return lastOutbound === undefined
        ? []
        : [{ domain: "a.test", slot: slot.name, lastOutbound }];
    }),
  };
}

function reportOf({ name, toldBefore, isOldRelease }: Slot): SlotReport[] {
  if (toldBefore === undefined) return [];
  const same = { slot: name, bundle: "", healthy: true, faults: [] };
  // It tells once a minute, so that its heartbeat is up to a minute ahead of what it told.
  return isOldRelease
    ? [{ ...same, heartbeat: ago(toldBefore - 60) }]
    : [{ ...same, heartbeat: ago(toldBefore), toldUntil: ago(toldBefore) }];
}

function toldMessages({ passed: all, toldBefore }: Slot): PassedMessage[] {
  return all
    .filter(({ before }) => before >= (toldBefore ?? 0))
    .map(({ before, from }) => ({ at: ago(before), from }));
}

function lastTold(slot: Slot): LastMail | undefined {
  let known: KnownMail | undefined;
  for (const message of toldMessages(slot))
    known = withMessage(known, message, ago(9 * QUIET_SECONDS));
  if (known === undefined || !slot.isOldRelease) return known;
  return { at: known.at, from: known.from };
}

const quietSeconds = fc.constantFrom(1, 600, HOUR, QUIET_SECONDS);
const meant = fc.constantFrom(undefined, (client: string) => client <= "192.0.2.3");

test("it is quiet only where every slot of the fleet vouches for it, and nothing passed for so long", () => {
  fc.assert(
    fc.property(slots, quietSeconds, meant, (all, seconds, isMeant) => {
      const goal = { quietSeconds: seconds, ...(isMeant && { isMeant }) };
      fc.pre(outboundState(worldOf(all), goal, now).kind === "quiet");
      // Nobody who vouches is more than three minutes behind, or has told of a message within the time.
      for (const slot of all.filter(({ isOfFleet }) => isOfFleet)) {
        const { toldBefore = Infinity } = slot;
        expect(toldBefore).toBeLessThanOrEqual(180);
        const counted = toldMessages(slot).filter(({ from }) => isMeant?.(from) ?? true);
        const late = counted.filter(
          ({ at }) => NOW - Date.parse(at) < (toldBefore + seconds) * 1000,
        );
        expect(late).toEqual([]);
      }
    }),
    { numRuns: 2_000 },
  );
});

function later(instant: string, seconds: number): string {
  return new Date(Date.parse(instant) + seconds * 1000).toISOString();
}

test("what is said to be the rest is the rest: that time later, without more mail, nobody sends", () => {
  let sending = 0;
  fc.assert(
    fc.property(slots, quietSeconds, meant, (all, seconds, isMeant) => {
      const goal = { quietSeconds: seconds, ...(isMeant && { isMeant }) };
      const world = worldOf(all);
      const state = outboundState(world, goal, now);
      if (state.kind !== "sending") return;
      sending += 1;
      const reportedAgain = (by: number) =>
        world.reports.map((report) => ({
          ...report,
          heartbeat: later(report.heartbeat, by),
          ...(report.toldUntil && { toldUntil: later(report.toldUntil, by) }),
        }));
      const at = (by: number) =>
        outboundState({ ...world, reports: reportedAgain(by) }, goal, new Date(NOW + by * 1000));
      expect(at(state.seconds).kind).not.toBe("sending");
      expect(at(state.seconds - 1).kind).toBe("sending");
      expect(state.until).toBe(new Date(NOW + state.seconds * 1000).toISOString());
    }),
    { numRuns: 2_000 },
  );
  expect(sending).toBeGreaterThan(100);
});

test("a slot that does not report is named, unless someone is known to send", () => {
  fc.assert(
    fc.property(slots, quietSeconds, (all, seconds) => {
      const silent = all.filter((slot) => slot.isOfFleet && (slot.toldBefore ?? Infinity) > 180);
      const state = outboundState(worldOf(all), { quietSeconds: seconds }, now);
      if (state.kind === "sending") return;
      expect(state.kind === "unknown" ? state.silent.map(({ slot }) => slot) : []).toEqual(
        silent.map(({ name }) => name),
      );
    }),
  );
});

test("who never sent is quiet at once, and the traffic is told as one", () => {
  const report = (slot: string) => ({
    slot,
    heartbeat: ago(1),
    toldUntil: ago(2),
    bundle: "",
    healthy: true,
    faults: [],
  });
  const world = { slots: ["a", "b"], reports: [report("a"), report("b")], answers: [] };
  expect(outboundState(world, { quietSeconds: QUIET_SECONDS }, now)).toEqual({ kind: "quiet" });
  const mail = (before: number, messages: number, from: string) => ({
    at: ago(before),
    from,
    spell: { since: ago(before + 600), messages },
    clients: { knownSince: ago(99_999), latest: [{ at: ago(before), from }] },
  });
  const answers = [
    { domain: "a.test", slot: "a", lastOutbound: mail(7_202, 20, "192.0.2.7") },
    { domain: "a.test", slot: "b", lastOutbound: mail(3_602, 5, "192.0.2.8") },
  ];
  expect(outboundState({ ...world, answers }, { quietSeconds: QUIET_SECONDS }, now)).toEqual({
    kind: "sending",
    traffic: {
      last: ago(3_602),
      since: ago(7_802),
      messages: 25,
      clients: ["192.0.2.8", "192.0.2.7"],
    },
    seconds: QUIET_SECONDS - HOUR,
    until: ago(HOUR - QUIET_SECONDS),
  });
});

test("short of two minutes it is not quiet as long as some message waits to be told", () => {
  const report = { slot: "a", heartbeat: ago(1), bundle: "", healthy: true, faults: [] };
  const state = (toldUntil: string, seconds: number) => {
    const lastOutbound = { at: ago(60), from: "192.0.2.1" };
    const answers = [{ domain: "a.test", slot: "a", lastOutbound }];
    const world = { slots: ["a"], answers, reports: [{ ...report, toldUntil }] };
    return outboundState(world, { quietSeconds: seconds }, now);
  };
  // The message of 30 s ago that waits may be the domain's.
  expect(state(ago(30), 10)).toMatchObject({ kind: "sending", seconds: 90 });
  expect(state(ago(2), 10)).toEqual({ kind: "quiet", last: ago(60) });
  expect(state(ago(2), 70)).toMatchObject({ kind: "sending", seconds: 12 });
});

test("quiet or not, mail that waits in a slot's queue is waited for, as long as the slot tells of it", () => {
  const report = { heartbeat: ago(1), toldUntil: ago(1), bundle: "", healthy: true, faults: [] };
  const state = (
    told: { at: number; messages: number },
    ofFleet = ["a", "b"],
    seconds = QUIET_SECONDS,
  ) => {
    const queuedOutbound = { at: ago(told.at), messages: told.messages, since: ago(9_000) };
    const answers = [{ domain: "a.test", slot: "b", queuedOutbound }];
    const reports = ["a", "b"].map((slot) => ({ slot, ...report }));
    return outboundState({ slots: ofFleet, answers, reports }, { quietSeconds: seconds }, now);
  };
  const queue = { messages: 3, since: ago(9_000), slots: ["b"] };
  expect(state({ at: 50, messages: 3 })).toEqual({ kind: "queued", queue });
  expect(state({ at: 50, messages: 3 }, ["a", "b"], 1)).toEqual({ kind: "queued", queue });
  expect(state({ at: 50, messages: 0 })).toEqual({ kind: "quiet" });
  // The slot reports, and tells of it no more.
  expect(state({ at: 300, messages: 3 })).toEqual({ kind: "quiet" });
  // The queue of a slot was emptied before it left the fleet.
  expect(state({ at: 50, messages: 3 }, ["a"])).toEqual({ kind: "quiet" });
});
