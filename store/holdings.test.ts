import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Route, RouteRecord } from "../mail/route.ts";
import {
  activateRoute,
  giveUpRoute,
  proposeRoute,
  type RouteContent,
  withdrawProposal,
} from "../mail/route-changes.ts";
import { NOW, recordOf, routeOf } from "../mail/testdata/routes.ts";
import { type Block, blockKeys, decodeBlock, encodeBlock, moveHoldings } from "./holdings.ts";
import type { Key } from "./item.ts";

const DOMAINS = ["a.test", "sub.a.test", "b.test"];
const NETWORKS = ["192.0.2.7/32", "192.0.2.0/24", "198.51.100.7/32", "2001:db8:1::/48"];

type Step = (record: RouteRecord | undefined, domain: string) => RouteContent | undefined;

function route(domain: string, networks: readonly string[]): Route {
  return routeOf(domain, {
    identities: networks.map((network) => ({ kind: "network", network })),
  });
}

const steps: fc.Arbitrary<Step> = fc.oneof(
  fc
    .tuple(fc.subarray(NETWORKS), fc.constantFrom("contoso", "contoso-group"))
    .map(([networks, organisation]): Step => {
      const holder = { organisation, claims: ["0a1b2c3d.4e5f6071"] };
      return (record, domain) => proposeRoute(record, route(domain, networks), holder, NOW);
    }),
  fc.constant<Step>(
    (record) => record?.proposed && activateRoute(record, record.proposed, new Date()),
  ),
  fc.constant<Step>((record) => record && withdrawProposal(record)),
  fc.constant<Step>((record) => record && giveUpRoute(record, NOW)),
);

/** A store in memory that moves blocks as the real one does. */
class Blocks {
  readonly #blocks = new Map<string, Block>();

  write(before: RouteContent | undefined, after: RouteContent): void {
    const keys = [...(before === undefined ? [] : blockKeys(before)), ...blockKeys(after)];
    for (const key of new Map(keys.map((one) => [text(one), one])).values()) {
      const block = this.#blocks.get(text(key)) ?? decodeBlock(key, []);
      this.#blocks.set(text(key), moveHoldings(block, before, after, NOW));
    }
  }

  /** How many routes hold each name, by name and organisation. */
  counts(): Map<string, number> {
    const entries = [...this.#blocks.values()].flatMap(({ holdings }) =>
      Object.entries(holdings).flatMap(([name, held]) =>
        held
          .filter(({ routes }) => routes > 0)
          .map(({ organisation, routes }) => [`${name} ${organisation}`, routes] as const),
      ),
    );
    return new Map(entries);
  }
}

function text({ pk, sk }: Key): string {
  return `${pk.S} ${sk.S}`;
}

/** The same counts, from the records. */
function countsOf(records: Iterable<RouteRecord>): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { domain, holder, active, proposed, leaving } of records) {
    if (proposed === undefined && (active === undefined || leaving !== undefined)) continue;
    const identities = [active, proposed].flatMap((version) => version?.route.identities ?? []);
    const names = identities.flatMap((one) => (one.kind === "network" ? one.network : []));
    for (const name of new Set([domain, ...names])) {
      const key = `${name} ${holder.organisation}`;
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
  }
  return counts;
}

test("blocks say of who holds what just what the records say, whatever happened to them", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.constantFrom(...DOMAINS), steps)), (lives) => {
      const blocks = new Blocks();
      const records = new Map<string, RouteRecord>();
      for (const [domain, step] of lives) {
        const before = records.get(domain);
        const after = step(before, domain);
        if (after === undefined) continue;
        blocks.write(before, after);
        records.set(domain, { ...after, revision: (before?.revision ?? 0) + 1 });
      }
      expect(blocks.counts()).toEqual(countsOf(records.values()));
    }),
  );
});

test("a block is read as it was written", () => {
  const record = recordOf(routeOf("contoso.test"));
  for (const key of blockKeys(record)) {
    const block = moveHoldings(decodeBlock(key, []), undefined, record, NOW);
    expect(decodeBlock(key, [encodeBlock(block, new Date())])).toEqual(block);
  }
});
