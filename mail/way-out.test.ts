import * as fc from "fast-check";
import { expect, test } from "vitest";
import { OUTBOUND_FLOWS, type OutboundWay } from "./route.ts";
import { routeOf } from "./testdata/routes.ts";
import { beginsToLeaveHere, withWayOut } from "./way-out.ts";

const relayServer = { host: "relay.contoso.test", port: 25, tls: "opportunistic" } as const;

const ways = fc.constantFrom<OutboundWay>(...OUTBOUND_FLOWS.map((outbound) => ({ outbound })), {
  outbound: "standard",
  relayServer,
});

test("mail begins to leave from the gateway where it left elsewhere, and not where none left", () => {
  const direct = { outbound: "standard" } as const;
  expect(beginsToLeaveHere({ outbound: "standard", relayServer }, direct)).toBe(true);
  expect(beginsToLeaveHere({ outbound: "loopback" }, direct)).toBe(true);
  expect(beginsToLeaveHere({ outbound: "none" }, direct)).toBe(false);
  expect(beginsToLeaveHere(direct, { outbound: "standard", relayServer })).toBe(false);
});

test("a route that keeps its way out never begins to leave from the gateway", () => {
  fc.assert(
    fc.property(ways, ways, (before, after) => {
      const kept = withWayOut(routeOf("contoso.test", after), before);
      expect(beginsToLeaveHere(before, kept)).toBe(false);
      expect(withWayOut(kept, after)).toEqual(routeOf("contoso.test", after));
    }),
  );
});
