/** Resources that claim and release SPF terms in any order, with crashes and a person's edits. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { MailRuleError } from "./errors.ts";
import { formatSpfClaim, parseJournal, type SpfClaim } from "./journal.ts";
import { findTerm, parseRecord, removeTerms } from "./spf/index.ts";
import { spfRecord } from "./spf/testdata/generated.ts";
import { publishedRecords } from "./spf/testdata/records.ts";
import { decideSpf, decideSpfRemoval, type SpfGoal, type SpfStep } from "./spf-claims.ts";

/** What the resources may need. Every spelling of a term is the same term. */
const TERMS = [
  ["include:_spf.gateway.test"],
  ["include:_SPF.Gateway.test.", "ip4:192.0.2.25"],
  ["include:_spf.second-gateway.test", "a:mail.contoso.test"],
];
const OURS = TERMS.flat();
const BASE = "v=spf1 mx:contoso.test -all";
const RESOURCES = 3;
const OTHER_TEXT = "other=1";

/** One resource as the engine knows it. Without `known` there is no state of it. */
interface Resource {
  readonly generation: number;
  readonly known?: readonly string[];
}

interface Scene {
  /** The SPF record; undefined where there is none. */
  readonly record: string | undefined;
  readonly claims: readonly SpfClaim[];
  readonly resources: readonly Resource[];
}

/** `recorded`: the engine was not killed between the write and its own state. */
interface Call {
  readonly kind: "up" | "destroy";
  readonly resource: number;
  readonly terms: readonly string[];
  readonly recorded: boolean;
}

interface Edit {
  readonly kind: "edit";
  readonly which: number;
  readonly replacement: string;
}

const call: fc.Arbitrary<Call> = fc.record({
  kind: fc.constantFrom("up", "up", "destroy"),
  resource: fc.nat(RESOURCES - 1),
  terms: fc.constantFrom(...TERMS),
  recorded: fc.boolean(),
});

const edit: fc.Arbitrary<Edit> = fc.record({
  kind: fc.constant("edit"),
  which: fc.nat(7),
  replacement: fc.constantFrom("ip4:203.0.113.7", "include:spf.example.com  ~a", "?MX", "x-note=1"),
});

const hasTerm = (record: string, term: string) => findTerm(record, term) !== undefined;
const hasOurs = (record: string) => OURS.some((term) => hasTerm(record, term));
const record = fc
  .oneof(spfRecord, fc.constantFrom(...publishedRecords))
  .filter((text) => !hasOurs(text));

const goalOf = (resource: number, generation: number, goal: Partial<SpfGoal>): SpfGoal => ({
  holder: "contoso",
  claim: { resource: `resource${resource}`, generation: `${generation}` },
  mayClaim: false,
  terms: [],
  replacements: [],
  known: [],
  base: BASE,
  ...goal,
});

function applyStep({ record: text, ...scene }: Scene, step: SpfStep | undefined): Scene {
  if (step === undefined) return { record: text, ...scene };
  expect([...step.patch.map(({ id }) => id), ...step.remove]).not.toContain("other");
  expect(step.patch.length + step.add.length + step.remove.length).toBeLessThanOrEqual(1);
  const [written] = [...step.patch.map((patch) => patch.text), ...step.add];
  const kept = step.remove.length > 0 ? undefined : text;
  const journal = step.claims.map((claim, id) => ({ id: `${id}`, ...formatSpfClaim(claim) }));
  return { ...scene, record: written ?? kept, claims: parseJournal(journal).spf };
}

function worldOf({ record: text, claims }: Scene) {
  const spf = text === undefined ? [] : [{ id: "spf", text }];
  return { domain: "contoso.test", texts: [{ id: "other", text: OTHER_TEXT }, ...spf], claims };
}

function makeCall(scene: Scene, { kind, resource: index, terms, recorded }: Call): Scene {
  const resource = scene.resources[index] ?? { generation: 0 };
  const { known } = resource;
  if (kind === "destroy" && known === undefined) return scene;
  const generation = resource.generation + (known === undefined ? 1 : 0);
  const goal = goalOf(index, generation, { terms, known: known ?? [], mayClaim: !known });
  const after = kind === "up" ? claimTerms(scene, goal) : releaseTerms(scene, goal);
  const done = kind === "up" ? { generation, known: terms } : { generation };
  const state = recorded ? done : { ...resource, generation };
  return { ...after, resources: after.resources.with(index, state) };
}

function claimTerms(scene: Scene, goal: SpfGoal): Scene {
  return applyStep(scene, decideSpf(worldOf(scene), goal));
}

/** A release that was killed after its write finds only the claims of others, and says so. */
function releaseTerms(scene: Scene, goal: SpfGoal): Scene {
  const { resource } = goal.claim;
  const isReleased = scene.claims.every(({ claim }) => claim.resource !== resource);
  const release = () => decideSpfRemoval(worldOf(scene), goal);
  if (!isReleased || scene.claims.length === 0) return applyStep(scene, release());
  expect(refusalOf(release)).toBe("claim-lost");
  return scene;
}

/** Replaces one of the terms that nobody has claimed; what it is replaced by may be several. */
function replaceTheirs(text: string, { which, replacement }: Edit): string {
  const theirs = parseRecord(text).filter((term) => !OURS.some((own) => isTerm(term.text, own)));
  const chosen = theirs[which % Math.max(1, theirs.length)];
  if (chosen === undefined) return text;
  const end = chosen.position + chosen.text.length;
  return text.slice(0, chosen.position) + replacement + text.slice(end);
}

function isTerm(text: string, own: string): boolean {
  return hasTerm(`v=spf1 ${text}`, own);
}

function makeEdit(scene: Scene, made: Edit): Scene {
  return scene.record === undefined
    ? scene
    : { ...scene, record: replaceTheirs(scene.record, made) };
}

/** The record without ours is the person's, and each of our terms stands while somebody claims it. */
function expectSound({ record: text, claims }: Scene, theirs: string | undefined): void {
  expect(text === undefined ? undefined : removeTerms(text, OURS)).toBe(theirs);
  const claimed = claims.flatMap(({ terms }) => terms);
  const needed = OURS.filter((own) => claimed.some((term) => isTerm(term, own)));
  expect(OURS.filter((own) => text !== undefined && hasTerm(text, own))).toEqual(needed);
}

/** What the person would have, had nobody but the person touched the record. */
function theirsAfter(theirs: string | undefined, event: Call | Edit, created: boolean, now: Scene) {
  if (event.kind === "edit") return theirs === undefined ? theirs : replaceTheirs(theirs, event);
  if (theirs === undefined && event.kind === "up") return BASE;
  const untouched = created && theirs === BASE && now.claims.length === 0;
  return untouched ? undefined : theirs;
}

function play(start: string | undefined, events: readonly (Call | Edit)[]) {
  const resources = Array.from({ length: RESOURCES }, () => ({ generation: 0 }));
  let scene: Scene = { record: start, claims: [], resources };
  let theirs = start;
  let created = false;
  for (const event of events) {
    scene = event.kind === "edit" ? makeEdit(scene, event) : makeCall(scene, event);
    created ||= theirs === undefined && event.kind === "up";
    theirs = theirsAfter(theirs, event, created, scene);
    created &&= theirs !== undefined && scene.claims.length > 0;
    expectSound(scene, theirs);
  }
  return { scene, theirs };
}

/** Every resource comes to an end, also one whose create was killed: up again, then destroy. */
const releaseAll: readonly Call[] = Array.from({ length: RESOURCES }, (_, resource) => {
  const last = { resource, terms: TERMS[0] ?? [], recorded: true };
  return [
    { kind: "up" as const, ...last },
    { kind: "destroy" as const, ...last },
  ];
}).flat();

const isEdit = ({ kind }: Call | Edit) => kind === "edit";
const events = fc.array(fc.oneof({ weight: 3, arbitrary: call }, edit), { maxLength: 12 });

test("every other term stays byte for byte, and a term stands exactly while somebody claims it", () => {
  fc.assert(
    fc.property(record, events, (start, made) => {
      const { scene, theirs } = play(start, [...made, ...releaseAll]);
      expect(scene).toMatchObject({ record: theirs, claims: [] });
      expect(scene.record === start || made.some(isEdit)).toBe(true);
    }),
    { numRuns: 200 },
  );
});

test("a record made from the base is removed by the last release, unless a person has edited it", () => {
  fc.assert(
    fc.property(events, (made) => {
      const { scene } = play(undefined, [...made, ...releaseAll]);
      expect(scene.claims).toEqual([]);
      expect(scene.record === undefined || made.some(isEdit)).toBe(true);
    }),
    { numRuns: 200 },
  );
});

test("a call that is made again finds nothing to do", () => {
  fc.assert(
    fc.property(record, events, call, (start, made, last) => {
      const done = { ...last, recorded: true } as const;
      const { scene } = play(start, [...made, done]);
      const { record: text, claims } = makeCall(scene, done);
      expect({ record: text, claims }).toEqual({ record: scene.record, claims: scene.claims });
    }),
  );
});

test("a resource of an earlier generation, or of another organisation, changes nothing", () => {
  const code = { earlier: "claim-lost", foreign: "other-holder" };
  fc.assert(
    fc.property(record, events, fc.constantFrom("earlier", "foreign"), (start, made, who) => {
      const last = { kind: "up", resource: 0, terms: TERMS[0] ?? [], recorded: true } as const;
      const { scene } = play(start, [...made, last]);
      const intruder = who === "foreign" ? { holder: "fabrikam", mayClaim: true } : {};
      const goal = goalOf(0, -1, { terms: TERMS[2] ?? [], known: OURS, ...intruder });
      for (const decide of [decideSpf, decideSpfRemoval]) {
        const refused = refusalOf(() => decide(worldOf(scene), goal));
        expect(refused).toBe(code[who]);
      }
    }),
  );
});

function refusalOf(decide: () => unknown): string | undefined {
  try {
    decide();
    return undefined;
  } catch (error) {
    if (error instanceof MailRuleError) return error.code;
    throw error;
  }
}
