/** A person who carries out what is asked, all of it or a part, in any order, and a run that looks again. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { MxRecord } from "./dns.ts";
import type { MxJournal } from "./journal.ts";
import { asZoneMx, manualHandBack, manualTakeover, mxChange, nextManualMx } from "./manual-mx.ts";
import { formatMx, isNullMx, sameMx, sameMxSet } from "./mx.ts";
import type { MxGoal } from "./mx-goal.ts";
import { copyOf, DOMAIN, GOAL, mxOf } from "./testdata/model-zone.ts";
import { mxLine } from "./zone-file.ts";

const GATEWAYS = [
  ["10 mx1.gateway.test"],
  ["10 mx1.gateway.test", "20 mx2.gateway.test"],
  ["5 mx1.gateway.test", "20 mx3.gateway.test"],
].map((texts) => texts.map(mxOf));

const theirMx: fc.Arbitrary<MxRecord> = fc.record({
  preference: fc.constantFrom(0, 1, 10, 20),
  exchange: fc.constantFrom("mail.contoso.test", "smtp.google.com", "backup.example.com"),
});
const start = fc.oneof(
  fc.uniqueArray(theirMx, { maxLength: 5, comparator: sameMx }),
  fc.constant([mxOf("0 ")]),
);

/** How much of what is asked a person does before the next run. What was shown is in the state, too. */
interface Effort {
  /** Of the lines, each one, in turn. */
  readonly done: readonly boolean[];
  /** Whether what may go with it is removed in the same change. */
  readonly atOnce: boolean;
}
const anyEffort: fc.Arbitrary<Effort> = fc.record({
  done: fc.array(fc.boolean(), { minLength: 8, maxLength: 8 }),
  atOnce: fc.boolean(),
});
const anyEfforts = fc.array(anyEffort, { maxLength: 6 });
const whole: Effort = { done: [], atOnce: false };

interface Scene {
  readonly served: readonly MxRecord[];
  readonly journal: MxJournal | undefined;
  /** Every set that was served on the way. */
  readonly seen: readonly (readonly MxRecord[])[];
  readonly runs: number;
}

type Want = "takeover" | "bypass" | "hand-back";

function goalOf({ journal }: Scene, gateway: number, former = gateway): MxGoal {
  const copy = journal && copyOf(journal);
  const [wanted = [], known = []] = [GATEWAYS[gateway], GATEWAYS[former]];
  return { ...GOAL, wanted, known, copy };
}

function look(scene: Scene, want: Want, goal: MxGoal) {
  const { served, journal } = scene;
  const world = { domain: DOMAIN, present: asZoneMx(served), journal };
  const next = want === "takeover" ? manualTakeover(goal) : manualHandBack(goal, want === "bypass");
  const manual = nextManualMx(world, next);
  return { journal: manual.world.journal, change: mxChange(manual, next, 60) };
}

/** A line, as the person's DNS host reads it. */
function readLine(line: string): MxRecord {
  const [, , , preference, exchange = ""] = line.replace(" 300 ", " ").split(" ");
  return { preference: Number(preference), exchange: exchange.replace(/\.$/, "") };
}

function without(set: readonly MxRecord[], mx: MxRecord): readonly MxRecord[] {
  return set.filter((one) => !sameMx(one, mx));
}

function act({ served }: Scene, change: NonNullable<ReturnType<typeof look>["change"]>, e: Effort) {
  const add = change.add.map(readLine);
  const gone = [...change.remove, ...(e.atOnce ? change.mayGo : [])].map(readLine);
  const all = [...served.filter((mx) => !gone.some((one) => sameMx(one, mx))), ...add];
  if (add.length > 0 && gone.length > 0) return [all];
  const seen: (readonly MxRecord[])[] = [];
  let now = served;
  const edits = [
    ...add.map((mx) => () => [...without(now, mx), mx]),
    ...gone.map((mx) => () => without(now, mx)),
  ];
  for (const [index, edit] of edits.entries()) {
    if (e.done[index] === false) continue;
    now = edit();
    seen.push(now);
  }
  return seen;
}

/** Runs, and a person who does a part of what is asked between them; in the end all of it. */
function live(scene: Scene, want: Want, goal: MxGoal, efforts: readonly Effort[]): Scene {
  let now = scene;
  for (let run = 0; run < efforts.length + 6; run++) {
    const effort = efforts[run] ?? whole;
    const { journal, change } = look(now, want, goal);
    if (change === undefined) return { ...now, journal, runs: now.runs + 1 };
    const seen = act(now, change, effort);
    now = {
      served: seen.at(-1) ?? now.served,
      journal,
      seen: [...now.seen, ...seen],
      runs: now.runs + 1,
    };
  }
  throw new Error(`it never ends: ${now.served.map(formatMx).join(", ")}`);
}

const begin = (served: readonly MxRecord[]): Scene => ({
  served,
  journal: undefined,
  seen: [],
  runs: 0,
});

/** Senders always find a server, where they found one before, and a null MX stands alone (RFC 7505). */
function expectSafe({ seen }: Scene, former: readonly MxRecord[]): void {
  for (const set of seen) {
    expect(set.length > 0 || former.length === 0).toBe(true);
    expect(set.length === 1 || !set.some(isNullMx)).toBe(true);
  }
}

const gateway = fc.nat(GATEWAYS.length - 1);

test("whatever part a person does, the domain ends on the gateway, and off it as it was", () => {
  fc.assert(
    fc.property(start, gateway, anyEfforts, anyEfforts, (former, index, there, back) => {
      const goal = goalOf(begin(former), index);
      const onto = live(begin(former), "takeover", goal, there);
      expect(sameMxSet(onto.served, goal.wanted)).toBe(true);
      expect(sameMxSet(onto.journal?.former ?? [], former)).toBe(true);
      const off = live(onto, "hand-back", goalOf(onto, index), back);
      expect(sameMxSet(off.served, former)).toBe(true);
      expectSafe(off, former);
    }),
    { numRuns: 2_000 },
  );
});

test("a takeover that was left half-way is taken back, with all that stood before", () => {
  fc.assert(
    fc.property(start, gateway, fc.array(anyEffort, { maxLength: 4 }), (former, index, parts) => {
      let half = begin(former);
      const goal = goalOf(half, index);
      for (const part of parts) {
        const { journal, change } = look(half, "takeover", goalOf(half, index));
        if (change === undefined) break;
        const seen = act(half, change, part);
        half = { served: seen.at(-1) ?? half.served, journal, seen: [], runs: 0 };
      }
      const off = live(half, "hand-back", { ...goal, ...goalOf(half, index) }, []);
      expect(sameMxSet(off.served, former)).toBe(true);
      expectSafe(off, former);
    }),
    { numRuns: 2_000 },
  );
});

test("another gateway, a bypass and the way back forget nothing", () => {
  fc.assert(
    fc.property(start, gateway, gateway, anyEfforts, (former, first, second, parts) => {
      const onto = live(begin(former), "takeover", goalOf(begin(former), first), []);
      const moved = live(onto, "takeover", goalOf(onto, second, first), parts);
      expect(sameMxSet(moved.served, GATEWAYS[second] ?? [])).toBe(true);
      const bypassed = live(moved, "bypass", goalOf(moved, second), parts);
      expect(sameMxSet(bypassed.served, former)).toBe(true);
      const again = live(bypassed, "takeover", goalOf(bypassed, second), parts);
      expect(sameMxSet(again.served, GATEWAYS[second] ?? [])).toBe(true);
      const off = live(again, "hand-back", goalOf(again, second), parts);
      expect(sameMxSet(off.served, former)).toBe(true);
      expectSafe(off, former);
    }),
    { numRuns: 1_000 },
  );
});

test("who does all that is asked is asked twice each way, or once where both go at once", () => {
  const former = ["10 mail.contoso.test", "20 backup.example.com"].map(mxOf);
  const goal = goalOf(begin(former), 1);
  const onto = live(begin(former), "takeover", goal, []);
  const off = live({ ...onto, runs: 0 }, "hand-back", goalOf(onto, 1), []);
  const quick = live(begin(former), "takeover", goal, [{ ...whole, atOnce: true }]);
  expect([onto.runs, off.runs, quick.runs]).toEqual([3, 3, 2]);
});

test("the first change adds, and says what may go with it; the second removes, after the overlap", () => {
  const former = ["0 contoso-test.mail.protection.outlook.test"].map(mxOf);
  const goal = goalOf(begin(former), 0);
  const { change: first, journal } = look(begin(former), "takeover", goal);
  const old = "contoso.test. IN MX 0 contoso-test.mail.protection.outlook.test.";
  expect(first).toEqual({
    domain: "contoso.test",
    what: "MX",
    add: ["contoso.test. 300 IN MX 10 mx1.gateway.test."],
    remove: [],
    mayGo: [old],
    overlapSeconds: 0,
  });
  const both = { ...begin([...former, ...goal.wanted]), journal };
  expect(look(both, "takeover", goal).change).toEqual({
    domain: "contoso.test",
    what: "MX",
    add: [],
    remove: [old],
    mayGo: [],
    overlapSeconds: 60,
  });
});

test("a null MX and the gateway's change places in one change", () => {
  const scene = begin([mxOf("0 ")]);
  expect(look(scene, "takeover", goalOf(scene, 1)).change).toMatchObject({
    add: [
      mxLine(DOMAIN, mxOf("10 mx1.gateway.test"), 300),
      mxLine(DOMAIN, mxOf("20 mx2.gateway.test"), 300),
    ],
    remove: ["contoso.test. IN MX 0 ."],
  });
});

test("MX that someone has chosen since the takeover stay, and nothing is put back", () => {
  const former = [mxOf("10 mail.contoso.test")];
  const onto = live(begin(former), "takeover", goalOf(begin(former), 0), []);
  const chosen = { ...onto, served: [mxOf("10 elsewhere.example.com")] };
  expect(look(chosen, "hand-back", goalOf(chosen, 0)).change).toBeUndefined();
});

test("where the MX are the gateway's already and nobody remembers others, it is refused", () => {
  const scene = begin(GATEWAYS[0] ?? []);
  expect(() => look(scene, "takeover", goalOf(scene, 0))).toThrow(
    expect.objectContaining({ code: "former-mx-unknown" }),
  );
});

test("MX that a wildcard gives are copied beside the gateway's, which would hide it", () => {
  const goal = goalOf(begin([]), 0);
  const inherited = { name: "*.test", mx: asZoneMx([mxOf("10 mail.contoso.test")]) };
  const next = manualTakeover(goal);
  const manual = nextManualMx({ domain: DOMAIN, present: [], inherited }, next);
  expect(mxChange(manual, next, 60)).toMatchObject({
    add: [
      "contoso.test. 300 IN MX 10 mail.contoso.test.",
      "contoso.test. 300 IN MX 10 mx1.gateway.test.",
    ],
    remove: [],
    mayGo: [],
  });
});
