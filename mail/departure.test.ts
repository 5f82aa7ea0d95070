import * as fc from "fast-check";
import { expect, test } from "vitest";
import { type DepartureWorld, decideDeparture, MX_TTL_SECONDS } from "./departure.ts";
import type { OutboundState } from "./outbound-quiet.ts";

const NOW = Date.parse("2026-11-26T12:00:00.000Z");
const at = (seconds: number) => new Date(NOW + seconds * 1000).toISOString();
const OLD = "smtp-in.old.test";

const records = fc.subarray([
  { preference: 10, exchange: OLD },
  { preference: 10, exchange: "smtp-in.new.test" },
  { preference: 20, exchange: "mail.a.test" },
]);
const sending: OutboundState = {
  kind: "sending",
  traffic: { last: at(-60), since: at(-600), messages: 3, clients: ["192.0.2.7"] },
  seconds: 60,
  until: at(60),
};
const traffic = fc.constantFrom(undefined, { kind: "quiet" } as const, sending, {
  kind: "unknown",
  silent: [{ slot: "b" }],
} as const);
const world: fc.Arbitrary<DepartureWorld> = fc.record({
  served: fc.array(fc.option(records, { nil: undefined, freq: 9 }), { maxLength: 3 }),
  formerHosts: fc.constant([OLD, "192.0.2.1"]),
  mxGoneSince: fc.option(
    fc.integer({ min: -2 * MX_TTL_SECONDS, max: 0 }).map((seconds) => at(seconds)),
    { nil: undefined },
  ),
  outbound: traffic,
  inbound: traffic,
});

/** As the rule is written in the README. */
function mayLeave({ served, mxGoneSince, outbound, inbound }: DepartureWorld): boolean {
  const isNamed = served.some((each) => each?.some(({ exchange }) => exchange === OLD) ?? true);
  const isForgotten =
    mxGoneSince !== undefined && Date.parse(mxGoneSince) + MX_TTL_SECONDS * 1000 <= NOW;
  const isQuiet = [outbound, inbound].every((state) => (state?.kind ?? "quiet") === "quiet");
  return served.length > 0 && !isNamed && isForgotten && isQuiet;
}

test("a domain leaves the former gateway once every name server, the TTL and the outbound mail allow it", () => {
  fc.assert(
    fc.property(world, (seen) => {
      const departure = decideDeparture(seen, new Date(NOW));
      expect(departure.kind).toBe(mayLeave(seen) ? "leaves" : "stays");
    }),
    { numRuns: 2_000 },
  );
});

test("the time since which the MX is gone begins anew when it comes back", () => {
  const gone = { formerHosts: [OLD], served: [[]], outbound: undefined };
  expect(decideDeparture(gone, new Date(NOW))).toEqual({
    kind: "stays",
    why: `resolvers may remember its MX until ${at(MX_TTL_SECONDS)}`,
    mxGoneSince: at(0),
  });
  const back = { ...gone, served: [[{ preference: 10, exchange: OLD }]], mxGoneSince: at(-60) };
  expect(decideDeparture(back, new Date(NOW))).toEqual({
    kind: "stays",
    why: `the domain's MX still names ${OLD}`,
  });
});

test("who still sends is told", () => {
  const seen = { formerHosts: [OLD], served: [[]], mxGoneSince: at(-9_999), outbound: sending };
  expect(decideDeparture(seen, new Date(NOW))).toMatchObject({
    why: `the domain still sends through it (3 messages between ${at(-600)} and ${at(-60)}, from 192.0.2.7); without more mail it is quiet at ${at(60)}`,
  });
});
