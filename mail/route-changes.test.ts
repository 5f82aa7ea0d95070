import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { OutboundWay, RouteRecord } from "./route.ts";
import { activateRoute, giveUpRoute, proposeRoute, withdrawProposal } from "./route-changes.ts";
import { inactiveTimes, LEAVING, nextChange } from "./route-life.ts";
import { NOW, recordOf, routeOf } from "./testdata/routes.ts";

const relayServer = (host: string) => ({ host, port: 25, tls: "required" }) as const;
const ways: readonly OutboundWay[] = [
  { outbound: "standard" },
  { outbound: "standard", relayServer: relayServer("archive.test") },
  { outbound: "standard", relayServer: relayServer("filter.test") },
  { outbound: "loopback" },
  { outbound: "none" },
];
const { holder } = recordOf(routeOf("contoso.test"));

type Step = OutboundWay | "give up" | "withdraw";

function applyStep(record: RouteRecord, step: Step): RouteRecord {
  const revision = record.revision + 1;
  if (step === "give up") return { ...giveUpRoute(record, NOW), revision };
  if (step === "withdraw") return { ...withdrawProposal(record), revision };
  const route = routeOf("contoso.test", step);
  const proposed = { ...proposeRoute(record, route, holder, NOW), revision };
  return { ...activateRoute(proposed, { version: revision, route }, NOW), revision: revision + 1 };
}

test("mail in the queue of a domain that sends no more has the last way that the domain had", () => {
  const steps = fc.array(fc.constantFrom<Step>(...ways, "give up", "withdraw"));
  fc.assert(
    fc.property(steps, (taken) => {
      const record = taken.reduce(applyStep, recordOf(routeOf("contoso.test", ways[0])));
      const used = taken.filter((step) => typeof step === "object");
      const stopped = used.at(-1)?.outbound === "none";
      const last = [ways[0], ...used].findLast((way) => way?.outbound !== "none");
      expect(record.formerWay).toEqual(stopped ? last : undefined);
    }),
  );
});

const servers = [
  { inbound: true, server: "one.test", mxLookup: false, rcptLookup: { kind: "off" } },
  { inbound: true, server: "two.test", mxLookup: true, rcptLookup: { kind: "probe" } },
  { inbound: false, server: "three.test", mxLookup: false, rcptLookup: { kind: "off" } },
] as const;

test("a domain that receives no more has the last Server that received for 6 days, and is accepted for one", () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...servers)), (taken) => {
      let record = recordOf(routeOf("contoso.test", servers[0]));
      let stopped = NOW;
      taken.forEach((changes, index) => {
        const now = new Date(NOW.getTime() + index * 3_600_000);
        if (!changes.inbound && record.active?.route.inbound === true) stopped = now;
        const route = routeOf("contoso.test", changes);
        const proposed = {
          ...proposeRoute(record, route, holder, now),
          revision: record.revision + 1,
        };
        record = {
          ...activateRoute(proposed, { version: 1, route }, now),
          revision: record.revision + 2,
        };
      });
      const {
        inbound: _,
        rcptLookup,
        ...server
      } = [servers[0], ...taken].findLast(({ inbound }) => inbound) ?? servers[0];
      const after = (days: number) => new Date(stopped.getTime() + days * 86_400_000);
      const accepts = { rcptLookup, until: after(1).toISOString() };
      const former = { ...server, until: after(6).toISOString(), accepts };
      const isStopped = taken.at(-1)?.inbound === false;
      expect(record.formerServer).toEqual(isStopped ? former : undefined);
      expect(nextChange(record, stopped)).toEqual(isStopped ? after(1) : undefined);
      expect(nextChange(record, after(1))).toEqual(isStopped ? after(6) : undefined);
      expect(nextChange(record, after(6))).toBeUndefined();
    }),
  );
});

test("mail that was refused already is not accepted again when a domain receives no more", () => {
  const record = recordOf(routeOf("contoso.test"));
  const { defers } = LEAVING;
  const proven = { version: 2, route: routeOf("contoso.test", { inbound: false }) };
  const afterInactive = (seconds: number) => {
    const inactive = inactiveTimes(new Date(NOW.getTime() - seconds * 1000));
    return activateRoute({ ...record, inactive }, proven, NOW).formerServer;
  };
  expect(activateRoute(record, proven, NOW).formerServer).toHaveProperty("accepts");
  // What was put off comes again.
  expect(afterInactive(defers - 1)).toHaveProperty("accepts");
  expect(afterInactive(defers)).toEqual({
    server: "mail.contoso.test",
    mxLookup: false,
    until: expect.any(String),
  });
});

/** How the recipients are looked up for a day after the end, where there was a list of so many. */
function keptLookup(count: number) {
  const recipients = Array.from({ length: count }, (_, index) => `user-${index}@contoso.test`);
  const record = recordOf(routeOf("contoso.test", { rcptLookup: { kind: "list", recipients } }));
  const proven = { version: 2, route: routeOf("contoso.test", { inbound: false }) };
  return activateRoute(record, proven, NOW).formerServer?.accepts?.rcptLookup.kind;
}

test("a domain that receives no more does not keep a long list of its recipients", () => {
  expect([keptLookup(10), keptLookup(5_000)]).toEqual(["list", "probe"]);
});

test("what is over of a former Server is forgotten at the next change", () => {
  const route = routeOf("contoso.test", { inbound: false });
  const stopped = activateRoute(recordOf(routeOf("contoso.test")), { version: 2, route }, NOW);
  const later = (days: number) => {
    const now = new Date(NOW.getTime() + days * 86_400_000);
    const proposed = {
      ...proposeRoute({ ...stopped, revision: 2 }, route, holder, now),
      revision: 3,
    };
    const { formerServer } = activateRoute(proposed, { version: 3, route }, now);
    expect(proposed.formerServer).toEqual(formerServer);
    return Object.keys(formerServer ?? {});
  };
  expect(later(0.9)).toEqual(["server", "mxLookup", "until", "accepts"]);
  expect(later(1)).toEqual(["server", "mxLookup", "until"]);
  expect(later(6)).toEqual([]);
});

test("a domain that comes back after its end has no way of before", () => {
  const record = recordOf(routeOf("contoso.test", ways[1]));
  const ended = { ...giveUpRoute(record, NOW), revision: 2 };
  const { delivers, defers, refuses } = LEAVING;
  const later = new Date(NOW.getTime() + (delivers + defers + refuses) * 1000);
  const route = routeOf("contoso.test", { outbound: "none", identities: [] });
  const proposed = { ...proposeRoute(ended, route, holder, later), revision: 3 };
  expect(activateRoute(proposed, { version: 3, route }, later).formerWay).toBeUndefined();
});
