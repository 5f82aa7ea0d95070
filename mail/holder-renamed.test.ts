/** An organisation that was renamed keeps its domains: the claim proves them, and only the name changes. */
import { expect, test } from "vitest";
import { nextHandBackStep } from "./hand-back.ts";
import type { Claim, MxJournal } from "./journal.ts";
import type { MxGoal } from "./mx-goal.ts";
import { decideSpf } from "./spf-claims.ts";
import { nextTakeoverStep } from "./takeover.ts";

const claim: Claim = { resource: "9f86d081", generation: "a3c1f2e4" };
const gateway = { preference: 10, exchange: "smtp-in.gateway.test" };
const journal: MxJournal = {
  holder: "contoso",
  phase: "held",
  revision: 1,
  claims: [claim],
  server: "2c26b46b",
  former: [{ preference: 10, exchange: "mail.contoso.test", ttl: 3600 }],
};
const present = [{ ...gateway, id: "1", ttl: 1 }];
const world = { domain: "contoso.test", present, journal };
const renamed: MxGoal = {
  holder: "contoso-group",
  claim,
  mayClaim: false,
  wanted: [gateway],
  known: [gateway],
  server: "2c26b46b",
};

test("a takeover writes only the new name", () => {
  expect(nextTakeoverStep(world, renamed)).toMatchObject({
    add: [],
    patch: [],
    remove: [],
    journal: { ...journal, holder: "contoso-group" },
  });
  const after = { ...world, journal: { ...journal, holder: "contoso-group" } };
  expect(nextTakeoverStep(after, renamed)).toBeUndefined();
});

test("without the claim the name alone gives no right", () => {
  const stranger = { ...renamed, claim: { ...claim, generation: "00000000" } };
  expect(() => nextTakeoverStep(world, stranger)).toThrow(/"contoso" holds the domain/);
  expect(() => nextHandBackStep(world, stranger, false)).toThrow(/"contoso" holds the domain/);
});

test("SPF keeps the record and writes only the new name", () => {
  const record = "v=spf1 include:_spf.gateway.test -all";
  const terms = ["include:_spf.gateway.test"];
  const claims = [{ holder: "contoso", claim, terms }];
  const spf = { domain: "contoso.test", texts: [{ id: "1", text: record }], claims };
  const goal = {
    holder: "contoso-group",
    claim,
    mayClaim: false,
    terms,
    replacements: [],
    known: terms,
  };
  expect(decideSpf(spf, goal)).toMatchObject({
    patch: [],
    add: [],
    remove: [],
    claims: [{ holder: "contoso-group", claim, terms }],
  });
});
