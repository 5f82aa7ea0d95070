import { expect, test } from "vitest";
import { recordOf, routeOf } from "../testdata/routes.ts";
import { DOMAIN, found, hoursAgo, read, soundEvidence, unreadable } from "../testdata/verify.ts";
import { CHECK_IDS, wrong } from "./check.ts";
import { verifyDomain } from "./verify-domain.ts";

test("a sound domain is well in every respect, and the checks stand in their order", () => {
  const checks = verifyDomain(soundEvidence(), []);
  expect(found(checks)).toEqual([]);
  const ids = checks.map(({ id }) => id);
  expect(ids).toEqual(CHECK_IDS.filter((id) => ids.includes(id)));
  expect(ids.length).toBeGreaterThan(15);
});

test("what contradicts the state stands at its place", () => {
  const checks = verifyDomain(soundEvidence(), [wrong("state", "Claimed twice.", "Look there.")]);
  expect(checks[0]).toMatchObject({ id: "state", status: "wrong" });
});

/** Without resources in the state. */
function unheld(change: Parameters<typeof soundEvidence>[0] = {}) {
  const { takeover: _1, spfTerms: _2, route: _3, ...rest } = soundEvidence(change);
  return rest;
}

test("a domain of the file that the state does not know is not onboarded, and nothing else is asked of it", () => {
  const store = read({ slots: ["a"], answers: [] });
  expect(found(verifyDomain(unheld({ store }), []))).toEqual(["onboarded wrong"]);
});

test("a domain that was deleted from the file and is still held", () => {
  expect(found(verifyDomain(soundEvidence({ inFile: false }), []))).toEqual(["onboarded wrong"]);
  const unreadFile = { ...soundEvidence(), inFile: undefined };
  expect(found(verifyDomain(unreadFile, []))).toEqual([]);
});

test("a domain that left and still sends through the gateway is found without resources", () => {
  const leaving = {
    since: hoursAgo(5),
    deferFrom: hoursAgo(-100),
    refuseFrom: hoursAgo(-200),
    expires: hoursAgo(-900),
  };
  const sent = { at: hoursAgo(1), from: "192.0.2.7" };
  const store = read({
    record: { ...recordOf(routeOf(DOMAIN)), leaving },
    slots: ["a"],
    answers: [{ domain: DOMAIN, slot: "a", lastOutbound: sent }],
  });
  const checks = verifyDomain(unheld({ store, inFile: true }), []);
  expect(found(checks)).toEqual(["onboarded wrong", "outbound-mail wrong"]);
});

test("what was not read is never well", () => {
  const gone = unreadable("no answer");
  const evidence = soundEvidence({
    servers: gone,
    zoneMx: gone,
    spfBudget: gone,
    mtaSts: gone,
    loop: gone,
    store: gone,
    rcpt: gone,
  });
  const checks = verifyDomain(evidence, []);
  expect(checks.map(({ status }) => status)).not.toContain("well");
  expect(found(checks)).toEqual([
    "name-servers unread",
    "mx-subdomains unread",
    "spf-budget unread",
    "mta-sts unread",
    "loop unread",
    "route unread",
    "rcpt unread",
  ]);
});
