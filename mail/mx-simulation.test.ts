import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { MxRecord } from "./dns.ts";
import type { FormerMx } from "./journal.ts";
import { formatMx, gatewayComment, includesMx, isNullMx, sameMx } from "./mx.ts";
import { answeringMx, isNotHeld, type JournalCopy, type MxGoal, type MxStep } from "./mx-goal.ts";
import {
  addMx,
  applyStep,
  bypass,
  copyOf,
  handBack,
  journalOf,
  type ModelZone,
  mxOf,
  mxTexts,
  recordsOf,
  runSteps,
  takeover,
  worldOf,
} from "./testdata/model-zone.ts";

const GATEWAYS = [
  ["10 mx1.gateway.test", "20 mx2.gateway.test"],
  ["5 mx1.gateway.test", "15 mx2.gateway.test"],
  ["10 mx1.gateway.test", "30 mx1.gateway.test"],
  [`10 in.${"long-name.".repeat(12)}example.com`],
].map((texts) => texts.map(mxOf));
const gatewayHosts = new Set(GATEWAYS.flat().map(({ exchange }) => exchange));

const theirMx: fc.Arbitrary<FormerMx> = fc.record(
  {
    preference: fc.constantFrom(0, 1, 10, 20),
    exchange: fc.constantFrom("mail.contoso.test", "smtp.google.com", "backup.example.com"),
    ttl: fc.constantFrom(1, 300, 3_600),
    comment: fc.constantFrom("first floor", 'said "so"', "mxhero gateway: mx9.gateway.test"),
    tags: fc.constant(["owner:it", "site:1"]),
  },
  { requiredKeys: ["preference", "exchange", "ttl"] },
);
const nullMx: FormerMx = { preference: 0, exchange: "", ttl: 300, comment: "no mail" };
const rrset = fc.uniqueArray(theirMx, { maxLength: 5, comparator: sameMx });
const wildcard = fc.oneof(rrset, fc.constant([nullMx])).map((mx) => ({ name: "*.test", mx }));

const startZone: fc.Arbitrary<ModelZone> = fc.oneof(
  rrset.map((mx) => addMx({ mx: [], texts: [] }, mx)),
  fc.constant(addMx({ mx: [], texts: [] }, [nullMx])),
  wildcard.map(({ name, mx }) => ({
    mx: [],
    texts: [],
    wildcard: mx.length === 0 ? undefined : { name, mx },
  })),
);

/** One call of the provider: what for, after how many steps it is killed, and whether that is recorded. */
interface Call {
  readonly kind: "call";
  readonly want: "takeover" | "bypass" | "hand-back";
  readonly gateway: number;
  readonly steps: number;
  readonly recorded: boolean;
  /** That the inputs say otherwise than at first. */
  readonly server?: string;
  readonly handBackTo?: readonly MxRecord[];
}

const call: fc.Arbitrary<Call> = fc.record({
  kind: fc.constant("call" as const),
  want: fc.constantFrom("takeover", "takeover", "bypass", "hand-back"),
  gateway: fc.nat(GATEWAYS.length - 1),
  steps: fc.oneof(fc.nat(5), fc.constant(20)),
  recorded: fc.boolean(),
});

const callWithInputs: fc.Arbitrary<Call> = fc
  .tuple(
    call,
    fc.record(
      {
        server: fc.constant("60303ae2"),
        handBackTo: fc.constantFrom([mxOf("10 new.contoso.test")], [mxOf("10 mail.contoso.test")]),
      },
      { requiredKeys: [] },
    ),
  )
  .map(([plain, inputs]) => ({ ...plain, ...inputs }));

/** What the engine's state remembers of the resource. */
interface State {
  readonly generation: number;
  readonly created?: { readonly gateway: number; readonly copy?: JournalCopy };
}

interface Scene {
  readonly zone: ModelZone;
  readonly state: State;
}

type Inputs = Pick<Call, "gateway" | "server" | "handBackTo">;

function goalOf({ generation, created }: State, { gateway, server, handBackTo }: Inputs): MxGoal {
  return {
    holder: "contoso",
    claim: { resource: "9f86d081", generation: String(generation) },
    mayClaim: created === undefined,
    wanted: GATEWAYS[gateway] ?? [],
    known: GATEWAYS[created?.gateway ?? gateway] ?? [],
    server: server ?? "2c26b46b",
    handBackTo,
    copy: created?.copy,
  };
}

function nextOf(want: Call["want"], goal: MxGoal) {
  if (want === "hand-back") return handBack(goal);
  return want === "bypass" ? bypass(goal) : takeover(goal);
}

/**
 * Every create has a generation of its own; a delete works with the gateway that the state knows.
 *
 * @param refusals the codes of the refusals that may come up
 */
function makeCall(scene: Scene, made: Call, refusals: readonly string[] = []): Scene {
  const { want, steps, recorded } = made;
  const { created } = scene.state;
  if (want === "hand-back" && created === undefined) return scene;
  const generation = scene.state.generation + (created === undefined ? 1 : 0);
  const state: State = { ...scene.state, generation };
  const gateway = want === "hand-back" && created ? created.gateway : made.gateway;
  const next = nextOf(want, goalOf(state, { ...made, gateway }));
  const { zone, steps: done, finished, refusal } = runSteps(scene.zone, next, steps);
  expect([undefined, ...refusals]).toContain(refusal?.code);
  expectSound(scene.zone, done);
  if (!recorded) return { zone, state };
  if (want === "hand-back") return { zone, state: finished ? { generation } : state };
  if (!finished && done.length === 0) return { zone, state };
  const journal = journalOf(zone);
  const copy = journal === undefined ? created?.copy : copyOf(journal);
  return { zone, state: { generation, created: { gateway, ...(copy && { copy }) } } };
}

const isTheirs = ({ exchange, comment }: FormerMx) =>
  !gatewayHosts.has(exchange) && comment !== gatewayComment(exchange);
const hasMixedNull = ({ mx }: ModelZone) => mx.length > 1 && mx.some(isNullMx);

/** What must never be true of a step, whatever happened before. */
function faultsOf(before: ModelZone, step: MxStep, after: ModelZone): string[] {
  const listed = [before, after].flatMap((zone) => journalOf(zone)?.former ?? []);
  const gone = before.mx.filter(
    (mx) => isTheirs(mx) && !after.mx.some((other) => other.id === mx.id && sameMx(other, mx)),
  );
  const [answered, answers] = [before, after].map((zone) => answeringMx(worldOf(zone)));
  const noMore = (answered ?? []).filter((mx) => !isNullMx(mx) && !includesMx(answers ?? [], mx));
  const restoresMixedNull = listed.some(isNullMx) && !listed.every(isNullMx);
  const former = journalOf(after)?.former ?? [];
  const atOnce = step.after === "at-once";
  const faults = {
    "removes what the journal does not list": gone.some((mx) => !includesMx(listed, mx)),
    "leaves no MX": answered?.length !== 0 && answers?.length === 0 && listed.length > 0,
    "gives a null MX company": !hasMixedNull(before) && hasMixedNull(after) && !restoresMixedNull,
    "journals the gateway's MX": former.some(({ exchange }) => gatewayHosts.has(exchange)),
    "changes on an old view": atOnce && step.remove.length + step.patch.length > 0,
    "moves mail at once": atOnce && noMore.length > 0 && journalOf(before)?.phase !== "held",
  };
  return Object.entries(faults).flatMap(([fault, found]) =>
    found ? [`${step.what}: ${fault}`] : [],
  );
}

function expectSound(start: ModelZone, steps: readonly MxStep[]): void {
  let before = start;
  const faults = steps.flatMap((step) => {
    const after = applyStep(before, step);
    const found = faultsOf(before, step, after);
    before = after;
    return found;
  });
  expect(faults).toEqual([]);
}

test("killed anywhere and as often as you like, it ends where an undisturbed run ends", () => {
  fc.assert(
    fc.property(startZone, fc.array(call, { maxLength: 8 }), fc.nat(3), (start, calls, gateway) => {
      const begun: Scene = { zone: start, state: { generation: 1 } };
      const scene = calls.reduce((now, event) => makeCall(now, event), begun);
      const last = { kind: "call", gateway, steps: 20, recorded: true } as const;

      const taken = makeCall(scene, { ...last, want: "takeover" });
      expect(mxTexts(taken.zone)).toEqual((GATEWAYS[gateway] ?? []).map(formatMx).toSorted());
      const again = runSteps(taken.zone, takeover(goalOf(taken.state, { gateway })));
      expect(again.steps).toEqual([]);

      const returned = makeCall(taken, { ...last, want: "hand-back" });
      expect(recordsOf(returned.zone)).toEqual(recordsOf(start));
      expect(returned.zone.texts).toEqual([]);
      const twice = runSteps(returned.zone, handBack(goalOf(taken.state, { gateway })));
      expect(twice.steps).toEqual([]);
    }),
    { numRuns: 500 },
  );
});

/** A person's edit of the zone at any moment. */
interface Edit {
  readonly kind: "edit";
  readonly edit:
    | "add"
    | "remove"
    | "point-elsewhere"
    | "change-ttl"
    | "empty"
    | "delete-journal"
    | "wildcard";
  readonly which: number;
  readonly mx: FormerMx;
}

const edit: fc.Arbitrary<Edit> = fc.record({
  kind: fc.constant("edit" as const),
  edit: fc.constantFrom(
    "add",
    "remove",
    "point-elsewhere",
    "change-ttl",
    "empty",
    "delete-journal",
    "wildcard",
  ),
  which: fc.nat(6),
  mx: fc.oneof({ weight: 6, arbitrary: theirMx }, { weight: 1, arbitrary: fc.constant(nullMx) }),
});

function makeEdit(zone: ModelZone, { edit: kind, which, mx }: Edit): ModelZone {
  const chosen = zone.mx[which % Math.max(1, zone.mx.length)];
  const rest = zone.mx.filter((other) => other !== chosen);
  const replaced = (record: FormerMx) =>
    chosen === undefined || includesMx(rest, record)
      ? zone
      : { ...zone, mx: [...rest, { ...record, id: chosen.id }] };
  if (kind === "add") return includesMx(zone.mx, mx) ? zone : addMx(zone, [mx]);
  if (kind === "remove") return { ...zone, mx: rest };
  if (kind === "point-elsewhere") return replaced({ ...chosen, ...mx });
  if (kind === "change-ttl")
    return chosen === undefined ? zone : replaced({ ...chosen, ttl: 7_200 });
  if (kind === "empty") return { ...zone, mx: [] };
  if (kind === "delete-journal") return { ...zone, texts: [] };
  return { ...zone, wildcard: which > 3 ? undefined : { name: "*.test", mx: [mx] } };
}

const REFUSALS = ["former-mx-unknown", "server-changed"];

function expectEnded({ zone }: Scene, want: Call["want"], gateway: number): void {
  const hosts = zone.mx.filter((mx) => !isTheirs(mx)).map(formatMx);
  const wanted = want === "takeover" ? (GATEWAYS[gateway] ?? []).map(formatMx) : [];
  expect(hosts.toSorted()).toEqual(wanted.toSorted());
  const bypassed = zone.texts.length > 0 ? "bypassed" : undefined;
  const phases = { takeover: "held", bypass: bypassed, "hand-back": undefined };
  expect(journalOf(zone)?.phase).toBe(phases[want]);
}

test("with a person's edits in between, every step is sound and every run ends", () => {
  fc.assert(
    fc.property(
      startZone,
      fc.array(fc.oneof({ weight: 3, arbitrary: callWithInputs }, { weight: 2, arbitrary: edit }), {
        maxLength: 12,
      }),
      callWithInputs,
      (start, events, lastInputs) => {
        const begun: Scene = { zone: start, state: { generation: 1 } };
        const scene = events.reduce(
          (now, event) =>
            event.kind === "edit"
              ? { ...now, zone: makeEdit(now.zone, event) }
              : makeCall(now, event, REFUSALS),
          begun,
        );
        const last = { ...lastInputs, steps: 20, recorded: true };
        const ended = makeCall(scene, last, REFUSALS);
        const { state } = last.want === "hand-back" ? scene : ended;
        if (state.created === undefined) return;
        const { gateway } = last.want === "hand-back" ? state.created : last;
        const next = nextOf(last.want, goalOf(state, { ...last, gateway }));
        const again = runSteps(ended.zone, next);
        expect(again.steps).toEqual([]);
        if (again.finished) expectEnded(ended, last.want, gateway);
      },
    ),
    { numRuns: 1_000 },
  );
});

test("a hand-back without the claim changes nothing", () => {
  fc.assert(
    fc.property(startZone, call, call, (start, first, second) => {
      const begun: Scene = { zone: start, state: { generation: 1 } };
      const { zone, state } = [first, second].reduce((now, event) => makeCall(now, event), begun);
      const claim = { resource: "60303ae2", generation: "1" };
      const goal = { ...goalOf(state, { gateway: 0 }), claim, mayClaim: false };
      const { steps, refusal } = runSteps(zone, handBack(goal));
      expect(steps).toEqual([]);
      expect(refusal === undefined || isNotHeld(refusal)).toBe(true);
    }),
  );
});
