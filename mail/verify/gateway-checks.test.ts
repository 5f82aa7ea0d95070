import { expect, test } from "vitest";
import type { RelayServer, Route, RouteRecord, SlotReport } from "../route.ts";
import { NOW, recordOf, routeOf } from "../testdata/routes.ts";
import {
  DOMAIN,
  found,
  hoursAgo,
  read,
  slotAnswer,
  soundEvidence,
  standingOf,
} from "../testdata/verify.ts";
import type { StoreView } from "./evidence.ts";
import { checkAcknowledged, checkFleet, checkProven, checkRoute } from "./gateway-checks.ts";

const route = routeOf(DOMAIN);
const sound = recordOf(route);
const relay: RelayServer = { host: "relay.example.net", port: 25, tls: "verified" };
const SHOWN = "relay.example.net:25 (TLS verified, no login)";
const login = { user: "contoso", secret: "/mxhero/1", secretVersion: 1 };

function list(...names: string[]): Pick<Route, "rcptLookup"> {
  return { rcptLookup: { kind: "list", recipients: names.map((name) => `${name}@${DOMAIN}`) } };
}

function withStore(change: Partial<StoreView>) {
  const slots = ["a", "b"];
  const answers = slots.map((slot) => slotAnswer(slot));
  return soundEvidence({ store: read({ record: sound, slots, answers, ...change }) });
}

function withRecord(change: Partial<RouteRecord>) {
  return withStore({ record: { ...sound, ...change } });
}

test("route: it serves what the stack says", () => {
  expect(found(checkRoute(withStore({})))).toEqual([]);
  const other = { version: 3, route: routeOf(DOMAIN, { server: "mail.other.test" }) };
  const [check] = checkRoute(withRecord({ active: other }));
  expect(check).toMatchObject({ id: "route", status: "wrong" });
  expect(check?.text).toContain("server is mail.other.test, the stack says mail.contoso.test");
});

test("route: inactive at the gateway, and not by the stack, or the other way round", () => {
  const inactive = { since: hoursAgo(1), refuseFrom: hoursAgo(-47) };
  const [check] = checkRoute(withRecord({ inactive }));
  expect(check?.text).toContain("inactive is true, the stack says false");
  const asked = { route: standingOf(route, { inactive: true }) };
  expect(found(checkRoute({ ...withRecord({ inactive }), ...asked }))).toEqual([]);
  expect(found(checkRoute({ ...withRecord({}), ...asked }))).toEqual(["route wrong"]);
});

test.each<[string, Partial<Route>, Partial<Route>, string]>([
  ["Relay Server", { relayServer: relay }, {}, `relayServer is ${SHOWN}, the stack says none`],
  [
    "Relay Server's login",
    { relayServer: { ...relay, login } },
    { relayServer: relay },
    "login contoso), the stack says relay.example.net:25 (TLS verified, no login)",
  ],
  [
    "senders",
    { identities: [{ kind: "network", network: "192.0.2.8/32" }] },
    {},
    "sendingFrom is 192.0.2.8, the stack says 192.0.2.7",
  ],
  ["Rcpt Lookup", { rcptLookup: { kind: "probe" } }, {}, "rcptLookup is probe, the stack says off"],
  ["list", list("a", "b"), list("a", "c"), "recipients: 1 added, 1 removed"],
])("route: %s of someone else", (_, serving, wanted, text) => {
  const active = { version: 1, route: routeOf(DOMAIN, serving) };
  const evidence = { ...withRecord({ active }), route: standingOf(routeOf(DOMAIN, wanted)) };
  expect(found(checkRoute(evidence))).toEqual(["route wrong"]);
  expect(checkRoute(evidence)[0]?.text).toContain(text);
});

test("route: the order of senders, and a new password, are no change", () => {
  const identities = ["192.0.2.7/32", "192.0.2.9/32"].map(
    (network) => ({ kind: "network", network }) as const,
  );
  const newer = { ...login, secret: "another", secretVersion: 2 };
  const active = {
    version: 1,
    route: routeOf(DOMAIN, { identities, relayServer: { ...relay, login: newer } }),
  };
  const wanted = routeOf(DOMAIN, {
    identities: identities.toReversed(),
    relayServer: { ...relay, login },
  });
  expect(found(checkRoute({ ...withRecord({ active }), route: standingOf(wanted) }))).toEqual([]);
});

test.each<[string, Partial<Route>, string]>([
  ["a Relay Server", { relayServer: relay }, `the Relay Server ${relay.host}`],
  ["loopback", { outbound: "loopback" }, "the mail system (outbound: loopback)"],
])("route: the way out still is %s until SPF names the gateway", (_, before, way) => {
  const active = { version: 1, route: routeOf(DOMAIN, before) };
  const awaiting = { ...withRecord({ active }), route: standingOf(route, { awaitsSpf: true }) };
  const [check] = checkRoute(awaiting);
  expect(found(checkRoute(awaiting))).toEqual(["route notice"]);
  expect(check?.text).toContain(`Outbound mail still leaves through ${way}`);
  expect(check?.fix).toContain("Run pulumi up again");
  // What else differs is said as ever, and without such a promise all of it.
  const changed = { ...active, route: { ...active.route, server: "mail.other.test" } };
  const both = checkRoute({ ...awaiting, store: withRecord({ active: changed }).store });
  expect(found(both)).toEqual(["route wrong", "route notice"]);
  expect(both[0]?.text).not.toMatch(/outbound|relayServer/);
  expect(found(checkRoute({ ...awaiting, route: standingOf(route) }))).toEqual(["route wrong"]);
});

test("route: once it leaves from the gateway, or not at all, nothing is awaited", () => {
  const promised = { route: standingOf(route, { awaitsSpf: true }) };
  expect(found(checkRoute({ ...withRecord({}), ...promised }))).toEqual([]);
  const active = { version: 1, route: routeOf(DOMAIN, { outbound: "none" }) };
  expect(found(checkRoute({ ...withRecord({ active }), ...promised }))).toEqual(["route wrong"]);
});

test("route: missing, never served, given up, or with a version that waits", () => {
  const { record: _, ...without } = { record: sound, slots: ["a"], answers: [] };
  expect(found(checkRoute(soundEvidence({ store: read(without) })))).toEqual(["route wrong"]);
  const { active, ...rest } = sound;
  const proposed = { version: 1, route };
  const never = checkRoute(withStore({ record: { ...rest, proposed } }));
  expect(never[0]?.text).toContain("nothing serves");
  expect(active).toBeDefined();
  const leaving = {
    since: hoursAgo(1),
    deferFrom: hoursAgo(-100),
    refuseFrom: hoursAgo(-200),
    expires: hoursAgo(-500),
  };
  expect(checkRoute(withRecord({ leaving }))[0]?.text).toContain("it delivers until");
  const waiting = checkRoute(withRecord({ proposed: { version: 2, route } }));
  expect(waiting[0]?.text).toContain("Version 2 is proposed");
});

test("route: a gateway that keeps its routes elsewhere is not asked", () => {
  const store = { kind: "skipped", why: "It keeps them elsewhere." } as const;
  expect(found(checkRoute(soundEvidence({ store })))).toEqual(["route skipped"]);
  expect(checkAcknowledged(soundEvidence({ store }))).toEqual([]);
  expect(checkProven(soundEvidence({ store }))).toEqual([]);
});

test("slots-acknowledged: one that lags is named, one that is left out is a notice", () => {
  const answers = [slotAnswer("a"), slotAnswer("b", { acknowledged: 0 })];
  const lagging = withStore({ answers });
  expect(found(checkAcknowledged(withStore({})))).toEqual([]);
  expect(checkAcknowledged(lagging)[0]?.text).toContain("Slot b has not taken over revision 1");
  expect(found(checkAcknowledged(withStore({ answers: [slotAnswer("a")] })))).toEqual([
    "slots-acknowledged wrong",
  ]);
  const excluding = {
    ...lagging,
    route: standingOf(route, { excludeSlots: ["b"] }),
  };
  expect(found(checkAcknowledged(excluding))).toEqual(["slots-acknowledged notice"]);
});

test("slots-proven: a slot without a proof of the version that serves is a notice", () => {
  expect(found(checkProven(withStore({})))).toEqual([]);
  const proof = { version: 2, at: hoursAgo(1), verdict: "trying", steps: [] } as const;
  const answers = [slotAnswer("a"), slotAnswer("b", { proof })];
  const checks = checkProven(withStore({ answers }));
  expect(found(checks)).toEqual(["slots-proven notice"]);
  expect(checks[0]?.text).toContain("Slot b has no proof of version 1");
});

function report(slot: string, change: Partial<SlotReport> = {}): SlotReport {
  return { slot, heartbeat: NOW.toISOString(), bundle: "0", healthy: true, faults: [], ...change };
}

test.each<[string, readonly SlotReport[], readonly string[], readonly string[]]>([
  ["all well", [report("a"), report("b")], [], []],
  ["never heard of", [report("a")], [], ["slots-healthy wrong"]],
  ["silent", [report("a"), report("b", { heartbeat: hoursAgo(1) })], [], ["slots-healthy wrong"]],
  ["unwell", [report("a"), report("b", { healthy: false })], [], ["slots-healthy wrong"]],
  [
    "closing",
    [report("a"), report("b", { closing: { mark: "1", isClosed: false } })],
    [],
    ["slots-healthy wrong"],
  ],
  ["left out", [report("a")], ["b"], ["slots-healthy notice"]],
])("slots-healthy: %s", (_, reports, excludeSlots, expected) => {
  expect(found(checkFleet({ slots: ["a", "b"], reports, excludeSlots }, NOW))).toEqual(expected);
});

test("slots-healthy: a gateway without slots receives nothing", () => {
  const fleet = { slots: [], reports: [], excludeSlots: [] };
  expect(found(checkFleet(fleet, NOW))).toEqual(["slots-healthy wrong"]);
});
