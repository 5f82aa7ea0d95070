import { expect, test } from "vitest";
import type { SpfClaim } from "./journal.ts";
import {
  decideSpf,
  decideSpfRemoval,
  hasAny,
  type SpfGoal,
  type SpfText,
  type SpfWorld,
} from "./spf-claims.ts";

const OURS = "include:_spf.gateway.test";
const OTHER = "include:_spf.other-gateway.test";

const claimOf = (resource: string, terms = [OURS], generation = "1"): SpfClaim => ({
  holder: "contoso",
  claim: { resource, generation },
  terms,
});

const goalOf = (resource: string, goal: Partial<SpfGoal> = {}): SpfGoal => ({
  holder: "contoso",
  claim: { resource, generation: "1" },
  mayClaim: false,
  terms: [OURS],
  replacements: [],
  known: [],
  ...goal,
});

const textsOf = (...texts: string[]): SpfText[] =>
  texts.map((text, index) => ({ id: `t${index + 1}`, text }));

const worldOf = (texts: readonly SpfText[], ...claims: SpfClaim[]): SpfWorld => ({
  domain: "contoso.test",
  texts,
  claims,
});

const create = { mayClaim: true };
const unclaimed = worldOf(textsOf("other=1", "v=spf1 mx -all"));

test("the first claim patches the one SPF record and touches no other TXT record", () => {
  expect(decideSpf(unclaimed, goalOf("a", create))).toMatchObject({
    patch: [{ id: "t2", text: `v=spf1 mx ${OURS} -all` }],
    add: [],
    remove: [],
    claims: [claimOf("a")],
  });
});

test("nothing is to be done where the claim and its terms stand", () => {
  const world = worldOf(textsOf(`v=spf1 ${OURS.toUpperCase()}. -all`), claimOf("a"));
  expect(decideSpf(world, goalOf("a"))).toBeUndefined();
});

test("a second claim of the same term leaves the record as it is", () => {
  const world = worldOf(textsOf(`v=spf1 ${OURS} -all`), claimOf("a"));
  expect(decideSpf(world, goalOf("b", create))).toMatchObject({
    patch: [],
    add: [],
    remove: [],
    claims: [claimOf("a"), claimOf("b")],
  });
});

test("a create that is run again replaces its own claim, and drops terms that it needs no longer", () => {
  const world = worldOf(textsOf(`v=spf1 ${OURS} -all`), claimOf("a", [OURS], "0"));
  const goal = goalOf("a", { ...create, terms: [OTHER] });
  expect(decideSpf(world, goal)).toMatchObject({
    patch: [{ id: "t1", text: `v=spf1 ${OTHER} -all` }],
    claims: [claimOf("a", [OTHER])],
  });
});

test("an update whose journal somebody has deleted goes by what the state knows", () => {
  const world = worldOf(textsOf(`v=spf1 ${OURS} -all`));
  expect(decideSpf(world, goalOf("a", { terms: [OTHER], known: [OURS] }))).toMatchObject({
    patch: [{ id: "t1", text: `v=spf1 ${OTHER} -all` }],
    claims: [claimOf("a", [OTHER])],
  });
  expect(decideSpfRemoval(world, goalOf("a", { known: [OURS] }))).toMatchObject({
    patch: [{ id: "t1", text: "v=spf1 -all" }],
    claims: [],
  });
});

test.each([
  ["the record", `v=spf1 ?${OURS} -all`],
  ["another claim", `v=spf1 ${OURS} -all`],
])("one term in two spellings is one term: %s", (_where, record) => {
  const written = `+${OURS.toUpperCase()}.`;
  const world = worldOf(textsOf(record), claimOf("a"), claimOf("b", [written]));
  expect(decideSpf(world, goalOf("b", { terms: [written] }))).toBeUndefined();
  expect(decideSpf(world, goalOf("a", { terms: [OTHER] }))?.patch[0]?.text).toContain(
    record.slice(0, -5),
  );
  expect(decideSpfRemoval(world, goalOf("a"))).toMatchObject({ patch: [], remove: [] });
});

test("the term goes with the last claim", () => {
  const both = worldOf(textsOf(`v=spf1 ${OURS} -all`), claimOf("a"), claimOf("b"));
  expect(decideSpfRemoval(both, goalOf("a"))).toMatchObject({ patch: [], claims: [claimOf("b")] });
  const last = worldOf(both.texts, claimOf("b"));
  expect(decideSpfRemoval(last, goalOf("b"))).toMatchObject({
    patch: [{ id: "t1", text: "v=spf1 -all" }],
    claims: [],
  });
});

test("a release takes the gateway's term out although it stood there before the first claim", () => {
  const world = worldOf(textsOf(`v=spf1 ${OURS} -all`));
  const step = decideSpf(world, goalOf("a", create));
  expect(step).toMatchObject({ patch: [], add: [] });
  const claimed = worldOf(world.texts, ...(step?.claims ?? []));
  expect(decideSpfRemoval(claimed, goalOf("a"))?.patch).toEqual([
    { id: "t1", text: "v=spf1 -all" },
  ]);
});

const SENDER = "a:mail.contoso.test";

test("a term of the domain's own senders that stood there before stays; what was put in goes", () => {
  const sender = { terms: [OURS], replacements: [SENDER, "ip4:192.0.2.1"] };
  const world = worldOf(textsOf(`v=spf1 +${SENDER} -all`));
  const step = decideSpf(world, goalOf("a", { ...create, ...sender }));
  expect(step).toMatchObject({
    patch: [{ id: "t1", text: `v=spf1 +${SENDER} ${OURS} ip4:192.0.2.1 -all` }],
    claims: [claimOf("a", [OURS, "ip4:192.0.2.1"])],
  });
  const claimed = worldOf(step?.patch ?? [], ...(step?.claims ?? []));
  expect(decideSpf(claimed, goalOf("a", { ...sender, known: [OURS, SENDER] }))).toBeUndefined();
  expect(decideSpf(claimed, goalOf("b", { ...create, ...sender }))?.claims[1]).toEqual(
    claimOf("b", [OURS, "ip4:192.0.2.1"]),
  );
  expect(decideSpfRemoval(claimed, goalOf("a", { known: [OURS, SENDER] }))).toMatchObject({
    patch: [{ id: "t1", text: `v=spf1 +${SENDER} -all` }],
  });
});

test("a release is idempotent", () => {
  expect(decideSpfRemoval(unclaimed, goalOf("a", { known: [OURS] }))).toBeUndefined();
});

test("a release takes its term out of every record where a person has made several", () => {
  const texts = textsOf(
    `v=spf1 ${OURS} -all`,
    `v=spf1 a ${OURS} ~all`,
    "v=spf1 ip4:192.0.2.1 -all",
  );
  expect(decideSpfRemoval(worldOf(texts, claimOf("a")), goalOf("a"))?.patch).toEqual([
    { id: "t1", text: "v=spf1 -all" },
    { id: "t2", text: "v=spf1 a ~all" },
  ]);
});

test("a release lets go of a record that a person has made unreadable", () => {
  const texts = textsOf(`v=spf1 ${OURS} include: -all`);
  expect(hasAny(`v=spf1 ${OURS} include: -all`, [OURS])).toBe(false);
  expect(decideSpfRemoval(worldOf(texts, claimOf("a")), goalOf("a"))).toMatchObject({
    patch: [],
    remove: [],
    claims: [],
  });
});

const based = (base: string, goal: Partial<SpfGoal> = {}) => goalOf("a", { base, ...goal });

test.each([
  ["no TXT record at all", []],
  ["other TXT records, an empty one among them", ["", "other=1"]],
])("a record is created from the base where there is none: %s", (_what, texts) => {
  const step = decideSpf(worldOf(textsOf(...texts)), based("v=spf1 mx -all", create));
  expect(step).toMatchObject({
    patch: [],
    add: [`v=spf1 mx ${OURS} -all`],
    remove: [],
    claims: [{ ...claimOf("a"), base: "v=spf1 mx -all" }],
  });
});

test.each([
  ["as it was", "v=spf1 mx -all", "v=spf1 mx -all"],
  ["although the configuration has another base by now", "v=spf1 mx -all", "v=spf1 a -all"],
  ["although the base names the gateway itself", `v=spf1 ${OURS} -all`, `v=spf1 ${OURS} -all`],
])("the last release removes a record that was created: %s", (_what, base, baseNow) => {
  const step = decideSpf(worldOf([]), based(base, create));
  const world = worldOf(textsOf(...(step?.add ?? [])), ...(step?.claims ?? []));
  expect(decideSpfRemoval(world, based(baseNow))).toMatchObject({
    patch: [],
    remove: ["t1"],
    claims: [],
  });
});

test("the last release removes the created record also where another resource created it", () => {
  const step = decideSpf(worldOf([]), based("v=spf1 mx -all", create));
  const first = worldOf(textsOf(...(step?.add ?? [])), ...(step?.claims ?? []));
  const second = worldOf(first.texts, ...(decideSpf(first, goalOf("b", create))?.claims ?? []));
  const handedOver = decideSpfRemoval(second, based("v=spf1 mx -all"));
  expect(handedOver).toMatchObject({ patch: [], remove: [] });
  const last = worldOf(first.texts, ...(handedOver?.claims ?? []));
  expect(decideSpfRemoval(last, goalOf("b"))).toMatchObject({ remove: ["t1"], claims: [] });
});

test("a record that stood there before is never removed, even if it equals the base", () => {
  const base = "v=spf1 mx -all";
  const step = decideSpf(unclaimed, based(base, create));
  const world = worldOf(step?.patch ?? [], ...(step?.claims ?? []));
  expect(decideSpfRemoval(world, based(base))).toMatchObject({
    patch: [{ id: "t2", text: base }],
    remove: [],
  });
});

test("a created record that a person has changed since stays", () => {
  const claim = { ...claimOf("a"), base: "v=spf1 mx -all" };
  const world = worldOf(textsOf(`v=spf1 mx a ${OURS} -all`), claim);
  expect(decideSpfRemoval(world, based("v=spf1 mx -all"))).toMatchObject({
    patch: [{ id: "t1", text: "v=spf1 mx a -all" }],
    remove: [],
  });
});

test("no record and no base is refused, with what to write", () => {
  const world = worldOf(textsOf("other=1"));
  expect(() => decideSpf(world, goalOf("a", create))).toThrow(
    expect.objectContaining({ code: "spf-missing", where: "SPF of contoso.test" }),
  );
});

test("several records are refused, with their texts", () => {
  const world = worldOf(textsOf("v=spf1 mx -all", "v=spf1 a -all"));
  const refusal = expect.objectContaining({
    code: "spf-several",
    value: "v=spf1 mx -all | v=spf1 a -all",
  });
  expect(() => decideSpf(world, goalOf("a", create))).toThrow(refusal);
});

test("a record or a base that can't be parsed is refused", () => {
  const faulty = expect.objectContaining({ code: "spf-syntax" });
  const world = worldOf(textsOf("v=spf1 include: -all"));
  expect(() => decideSpf(world, goalOf("a", create))).toThrow(faulty);
  expect(() => decideSpf(worldOf([]), based("mx -all", create))).toThrow(faulty);
});

test("what another organisation holds is refused, and neither changed nor released", () => {
  const world = worldOf(textsOf(`v=spf1 ${OURS} -all`), { ...claimOf("b"), holder: "fabrikam" });
  const refusal = expect.objectContaining({ code: "other-holder", value: "fabrikam" });
  expect(() => decideSpf(world, goalOf("a", create))).toThrow(refusal);
  expect(() => decideSpfRemoval(world, goalOf("a", { known: [OURS] }))).toThrow(refusal);
});

test("a later create of the same resource takes the claim away from update and delete", () => {
  const world = worldOf(textsOf(`v=spf1 ${OURS} -all`), claimOf("a", [OURS], "2"));
  const refusal = expect.objectContaining({ code: "claim-lost", value: "a.2" });
  expect(() => decideSpf(world, goalOf("a"))).toThrow(refusal);
  expect(() => decideSpfRemoval(world, goalOf("a", { known: [OURS] }))).toThrow(refusal);
});

test("a release without a claim changes nothing while others have claims", () => {
  const world = worldOf(textsOf(`v=spf1 ${OURS} -all`), claimOf("b"));
  expect(() => decideSpfRemoval(world, goalOf("a", { known: [OURS] }))).toThrow(
    expect.objectContaining({ code: "claim-lost", value: "b.1" }),
  );
});
