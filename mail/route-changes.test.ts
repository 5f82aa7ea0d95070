import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { OutboundWay, RouteRecord } from "./route.ts";
import { activateRoute, giveUpRoute, proposeRoute, withdrawProposal } from "./route-changes.ts";
import { LEAVING } from "./route-life.ts";
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
  return { ...activateRoute(proposed, { version: revision, route }), revision: revision + 1 };
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

test("a domain that comes back after its end has no way of before", () => {
  const record = recordOf(routeOf("contoso.test", ways[1]));
  const ended = { ...giveUpRoute(record, NOW), revision: 2 };
  const { delivers, defers, refuses } = LEAVING;
  const later = new Date(NOW.getTime() + (delivers + defers + refuses) * 1000);
  const route = routeOf("contoso.test", { outbound: "none", identities: [] });
  const proposed = { ...proposeRoute(ended, route, holder, later), revision: 3 };
  expect(activateRoute(proposed, { version: 3, route }).formerWay).toBeUndefined();
});
