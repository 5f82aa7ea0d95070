import { expect, test } from "vitest";
import type { SlotAnswer } from "../route.ts";
import { recordOf, routeOf } from "../testdata/routes.ts";
import {
  DOMAIN,
  found,
  hoursAgo,
  read,
  slotAnswer,
  soundEvidence,
  standingOf,
} from "../testdata/verify.ts";
import {
  checkBypass,
  checkInactive,
  checkInbound,
  checkMoving,
  checkOutbound,
} from "./mail-checks.ts";

const from = "192.0.2.7";

function withAnswers(
  answers: readonly SlotAnswer[],
  change: Partial<Parameters<typeof recordOf>[0]> = {},
) {
  const route = routeOf(DOMAIN, change);
  return soundEvidence({
    route: standingOf(route),
    store: read({ record: recordOf(route), slots: ["a", "b"], answers }),
  });
}

test("bypass is said", () => {
  const evidence = soundEvidence();
  expect(checkBypass(evidence)).toEqual([]);
  if (evidence.takeover === undefined) throw new Error("no takeover");
  const bypassed = { ...evidence, takeover: { ...evidence.takeover, bypass: true } };
  expect(found(checkBypass(bypassed))).toEqual(["bypass notice"]);
  expect(checkInbound(bypassed)).toEqual([]);
});

function received(hours: number) {
  return { lastInbound: { at: hoursAgo(hours), from } };
}

test("inbound-mail: the last of all slots counts, and too long ago is a fault", () => {
  expect(
    found(
      checkInbound(withAnswers([slotAnswer("a", received(100)), slotAnswer("b", received(71))])),
    ),
  ).toEqual([]);
  const checks = checkInbound(
    withAnswers([slotAnswer("a", received(100)), slotAnswer("b", received(73))]),
  );
  expect(found(checks)).toEqual(["inbound-mail wrong"]);
  expect(checks[0]?.text).toContain(`The last one came in at ${hoursAgo(73)}`);
});

test("inbound-mail: none at all is a fault once the MX have stood for long", () => {
  const never = withAnswers([slotAnswer("a")]);
  expect(found(checkInbound(never))).toEqual(["inbound-mail wrong"]);
  if (never.takeover === undefined) throw new Error("no takeover");
  const fresh = { ...never, takeover: { ...never.takeover, since: hoursAgo(2) } };
  expect(found(checkInbound(fresh))).toEqual([]);
  const { since: _, ...takeover } = never.takeover;
  expect(found(checkInbound({ ...never, takeover }))).toEqual(["inbound-mail notice"]);
});

test("inbound-mail: a time that was given is the one that counts", () => {
  const evidence = withAnswers([slotAnswer("a", { lastInbound: { at: hoursAgo(100), from } })]);
  expect(found(checkInbound({ ...evidence, silenceSeconds: 101 * 3_600 }))).toEqual([]);
});

test("outbound-mail: mail may leave where the stack says so", () => {
  const sent = slotAnswer("a", { lastOutbound: { at: hoursAgo(1), from } });
  expect(found(checkOutbound(withAnswers([sent])))).toEqual([]);
  expect(found(checkOutbound(withAnswers([])))).toEqual([]);
});

test("outbound-mail: with outbound none a message of the last day is a fault, an older one is not", () => {
  const sent = (hours: number, slot = "a") =>
    slotAnswer(slot, { lastOutbound: { at: hoursAgo(hours), from } });
  const none = { outbound: "none", identities: [] } as const;
  expect(found(checkOutbound(withAnswers([sent(25)], none)))).toEqual([]);
  const checks = checkOutbound(withAnswers([sent(2), sent(1, "b")], none));
  expect(found(checks)).toEqual(["outbound-mail wrong"]);
  expect(checks[0]?.text).toContain(`last at ${hoursAgo(1)}, from ${from}.`);
});

test("outbound-mail: who sent since then is named, and how much passed", () => {
  const lastOutbound = {
    at: hoursAgo(1),
    from,
    spell: { since: hoursAgo(2), messages: 12 },
    clients: {
      knownSince: hoursAgo(50),
      latest: [
        { at: hoursAgo(1), from },
        { at: hoursAgo(2), from: "192.0.2.9" },
        { at: hoursAgo(40), from: "192.0.2.8" },
      ],
    },
  };
  const none = { outbound: "none", identities: [] } as const;
  const [check] = checkOutbound(withAnswers([slotAnswer("a", { lastOutbound })], none));
  expect(check?.text).toContain(`from ${from}, 192.0.2.9, 12 since ${hoursAgo(2)}.`);
});

test("moving: a former gateway that still serves the domain is named", () => {
  const evidence = soundEvidence();
  expect(checkMoving(evidence)).toEqual([]);
  if (evidence.route === undefined) throw new Error("no route");
  const former = [{ table: "old-routes", mxGoneSince: hoursAgo(1) }];
  const checks = checkMoving({ ...evidence, route: { ...evidence.route, former } });
  expect(found(checks)).toEqual(["moving notice"]);
  expect(checks[0]?.text).toContain("old-routes");
});

test("outbound-mail: of a route that was given up, what left before that is no fault", () => {
  const leaving = {
    since: hoursAgo(5),
    deferFrom: hoursAgo(-100),
    refuseFrom: hoursAgo(-200),
    expires: hoursAgo(-500),
  };
  const evidence = (hours: number) =>
    soundEvidence({
      store: read({
        record: { ...recordOf(routeOf(DOMAIN)), leaving },
        slots: ["a"],
        answers: [slotAnswer("a", { lastOutbound: { at: hoursAgo(hours), from } })],
      }),
    });
  expect(found(checkOutbound(evidence(6)))).toEqual([]);
  expect(found(checkOutbound(evidence(4)))).toEqual(["outbound-mail wrong"]);
});

test("inactive: what senders are told is said", () => {
  expect(checkInactive(soundEvidence())).toEqual([]);
  const leaving = {
    since: hoursAgo(300),
    deferFrom: hoursAgo(100),
    refuseFrom: hoursAgo(-50),
    expires: hoursAgo(-500),
  };
  const record = { ...recordOf(routeOf(DOMAIN)), leaving };
  const store = read({ record, slots: ["a"], answers: [] });
  const checks = checkInactive(soundEvidence({ store }));
  expect(found(checks)).toEqual(["inactive notice"]);
  expect(checks[0]?.text).toContain("4xx");
});

test("inactive: a domain that was set inactive says until when mail is put off, and sends nothing", () => {
  const inactive = { since: hoursAgo(3), refuseFrom: hoursAgo(-45) };
  const record = { ...recordOf(routeOf(DOMAIN)), inactive };
  const answers = [slotAnswer("a", { lastOutbound: { at: hoursAgo(4), from } })];
  const evidence = soundEvidence({ store: read({ record, slots: ["a"], answers }) });
  const [check] = checkInactive(evidence);
  expect(check?.text).toContain(`inactive since ${hoursAgo(3)}`);
  expect(check?.text).toContain(`from ${hoursAgo(-45)} refused with 5xx`);
  expect(found(checkOutbound(evidence))).toEqual([]);
  expect(checkInbound(evidence)).toEqual([]);
});
