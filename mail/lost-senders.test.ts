import * as fc from "fast-check";
import { expect, test } from "vitest";
import { lostSenders } from "./lost-senders.ts";
import { decideRelay } from "./relay-decision.ts";
import { buildRelayIndex, type Client } from "./relay-index.ts";
import { OUTBOUND_FLOWS, type Route, type SendingIdentity } from "./route.ts";
import { NOW, recordOf, routeOf } from "./testdata/routes.ts";

const fingerprints = ["aa:aa", "bb:bb"];
const certificates: readonly SendingIdentity[] = fingerprints.map((fingerprint) => ({
  kind: "certificate",
  fingerprint,
}));
const networks: readonly SendingIdentity[] = [
  "11.0.0.0/24",
  "11.0.0.0/28",
  "11.0.0.7/32",
  "11.0.1.0/24",
  "2600:1f00::/48",
].map((network) => ({ kind: "network", network }));

const someOf = (identities: readonly SendingIdentity[]) =>
  fc
    .record({
      outbound: fc.constantFrom(...OUTBOUND_FLOWS),
      identities: fc.subarray([...identities]),
    })
    .map((parts) => routeOf("a.test", parts));

const addresses = ["11.0.0.7", "11.0.0.9", "11.0.0.200", "11.0.1.1", "12.0.0.1", "2600:1F00::1"];
const client: fc.Arbitrary<Client> = fc.record({
  address: fc.constantFrom(...addresses),
  fingerprint: fc.constantFrom(undefined, ...fingerprints),
});

function isPermitted(route: Route, who: Client): boolean {
  const index = buildRelayIndex([recordOf(route)]);
  return decideRelay(index, { client: who, sender: "ann@a.test" }, NOW).action === "permit";
}

function isSaidToBeLost(before: Route, after: Route, { address }: Client): boolean {
  const lost = lostSenders(before, after);
  return lost !== undefined && (lost.kind === "all" || lost.isLost(address));
}

test("whoever could send and then cannot is among the lost", () => {
  const all = someOf([...networks, ...certificates]);
  fc.assert(
    fc.property(all, all, client, (before, after, who) => {
      fc.pre(isPermitted(before, who) && !isPermitted(after, who));
      expect(isSaidToBeLost(before, after, who)).toBe(true);
    }),
    { numRuns: 1_000 },
  );
});

test("of those that are known by their address, nobody else is", () => {
  const all = someOf(networks);
  fc.assert(
    fc.property(all, all, fc.constantFrom(...addresses), (before, after, address) => {
      const who = { address };
      fc.pre(isPermitted(before, who));
      expect(isSaidToBeLost(before, after, who)).toBe(!isPermitted(after, who));
    }),
    { numRuns: 1_000 },
  );
});
