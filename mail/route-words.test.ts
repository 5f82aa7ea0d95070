import { expect, test } from "vitest";
import type { Route } from "./route.ts";
import { inactiveTimes } from "./route-life.ts";
import { describeInactivity, describeInboundEnd, describeRouteChange } from "./route-words.ts";
import { NOW, recordOf, routeOf } from "./testdata/routes.ts";

const ROUTE = routeOf("contoso.test");

function withLogin(secretVersion: number): Partial<Route> {
  const login = { user: "contoso", secret: "relay/contoso.test", secretVersion };
  return { relayServer: { host: "relay.contoso.test", port: 587, tls: "verified", login } };
}

test("a new route is told in full", () => {
  expect(describeRouteChange(undefined, ROUTE)).toBe(
    "new, Server mail.contoso.test, MX Lookup off, Rcpt Lookup off, inbound accepted, outbound standard, " +
      "Relay Server none, senders 192.0.2.7, probe recipient postmaster@contoso.test, " +
      "fix-it address https://gateway.example/help",
  );
});

test.each<[string, Partial<Route>, Partial<Route>]>([
  ["unchanged", {}, {}],
  ["Server a.test → b.test", { server: "a.test" }, { server: "b.test" }],
  ["MX Lookup off → on", {}, { mxLookup: true }],
  [
    "Rcpt Lookup probe → list of 2",
    { rcptLookup: { kind: "probe" } },
    { rcptLookup: { kind: "list", recipients: ["a@contoso.test", "b@contoso.test"] } },
  ],
  [
    "recipients: 1 added, 1 removed",
    { rcptLookup: { kind: "list", recipients: ["a@contoso.test"] } },
    { rcptLookup: { kind: "list", recipients: ["b@contoso.test"] } },
  ],
  ["Relay Server none → relay.contoso.test:587 (TLS verified, login contoso)", {}, withLogin(1)],
  ["a new password for the Relay Server", withLogin(1), withLogin(2)],
  ["inbound accepted → none", {}, { inbound: false }],
  [
    "senders 192.0.2.7 → 192.0.2.0/24",
    {},
    { identities: [{ kind: "network", network: "192.0.2.0/24" }] },
  ],
])("%s", (words, before, after) => {
  expect(describeRouteChange({ ...ROUTE, ...before }, { ...ROUTE, ...after })).toBe(words);
});

test("what senders will see of an inactive domain, and when", () => {
  const record = recordOf(ROUTE);
  const inactive = { ...record, inactive: inactiveTimes(NOW) };
  const later = new Date("2027-01-01");
  expect(describeInactivity(record, { route: ROUTE, inactive: false }, NOW)).toBe("");
  expect(describeInactivity(record, { route: ROUTE, inactive: true }, NOW)).toBe(
    "inactive: mail to and from the domain is put off from now on (450 4.7.1), and refused from " +
      "2026-11-28T12:00:00.000Z (550 5.7.1), each time with https://gateway.example/help; the domain stays " +
      "the organisation's",
  );
  expect(describeInactivity(inactive, { route: ROUTE, inactive: true }, later)).toBe(
    "inactive as before, refused for good from 2026-11-28T12:00:00.000Z",
  );
  expect(describeInactivity(inactive, { route: ROUTE, inactive: false }, later)).toBe(
    "active again (inactive since 2026-11-26T12:00:00.000Z)",
  );
});

test("what becomes of mail that still comes where a domain is to receive no more", () => {
  const record = recordOf(ROUTE);
  const goal = { route: routeOf("contoso.test", { inbound: false }), inactive: false };
  expect(describeInboundEnd(record, goal, NOW)).toBe(
    "mail that still comes is taken for one day, and refused after it",
  );
  const inactive = { ...record, inactive: inactiveTimes(NOW) };
  expect(describeInboundEnd(inactive, goal, new Date("2027-01-01"))).toBe("");
  expect(describeInboundEnd(record, { ...goal, inactive: true }, NOW)).toBe("");
  expect(describeInboundEnd(record, { ...goal, route: ROUTE }, NOW)).toBe("");
  expect(describeInboundEnd(recordOf(goal.route), goal, NOW)).toBe("");
  expect(describeInboundEnd(undefined, goal, NOW)).toBe("");
});
