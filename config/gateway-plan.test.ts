import * as fc from "fast-check";
import ipaddr from "ipaddr.js";
import { expect, test } from "vitest";
import { exampleConfig } from "./example-gateway.ts";
import { ARCHITECTURES, slotsOfPool } from "./gateway.ts";
import { fleetSpf, planGateway, type SlotPlan, subnetOf, txtContent } from "./gateway-plan.ts";

const letters = fc.uniqueArray(fc.constantFrom(...slotsOfPool(26)), { minLength: 2 });

test("a slot keeps its addresses and its subnet, whatever slots stand beside it", () => {
  fc.assert(
    fc.property(letters, letters, (some, others) => {
      const one = planGateway({ ...exampleConfig, slots: some, pool: 52 });
      const other = planGateway({ ...exampleConfig, slots: others, pool: 52 });
      const common = ({ slot }: SlotPlan) => some.includes(slot) && others.includes(slot);
      expect(other.slots.filter(common)).toEqual(one.slots.filter(common));
      const reserved = one.slots.map(({ position }) => one.pool[position]?.slot);
      expect(reserved).toEqual(one.slots.map(({ slot }) => slot));
    }),
  );
});

test("without a pool there are as many addresses as the slots take, and none twice", () => {
  fc.assert(
    fc.property(letters, (slots) => {
      const { pool, slots: planned } = planGateway({ ...exampleConfig, slots, pool: undefined });
      const last = planned.at(-1);
      expect(pool).toHaveLength((last?.position ?? 0) + 1);
      const names = pool.flatMap(({ inbound, relay }) => [inbound, relay]);
      expect(new Set(names).size).toBe(names.length);
    }),
  );
});

test("subnets lie in the network and beside one another", () => {
  const network = fc
    .tuple(fc.nat(255), fc.nat(255), fc.integer({ min: 16, max: 24 }))
    .map(([second, third, bits]) => {
      const first = ipaddr.IPv4.networkAddressFromCIDR(`10.${second}.${third}.0/${bits}`);
      return `${first.toString()}/${bits}`;
    });
  fc.assert(
    fc.property(network, (cidr) => {
      const subnets = Array.from({ length: 16 }, (_, index) => subnetOf(cidr, index));
      const parsed = subnets.map((subnet) => ipaddr.IPv4.parseCIDR(subnet));
      for (const [index, [first, bits]] of parsed.entries()) {
        expect(first.match(ipaddr.IPv4.parseCIDR(cidr))).toBe(true);
        const others = parsed.filter((_, other) => other !== index);
        expect(others.some(([address]) => address.match(first, bits))).toBe(false);
      }
    }),
    { numRuns: 20 },
  );
});

test("an image is pinned by owner and full name", () => {
  const images = ARCHITECTURES.map(
    (architecture) => planGateway({ ...exampleConfig, architecture }).image,
  );
  expect(images).toEqual([
    { owner: "136693071363", name: "debian-12-arm64-20260210-2384" },
    { owner: "136693071363", name: "debian-12-amd64-20260210-2384" },
  ]);
});

test("the SPF record names every address, in strings that TXT records can hold", () => {
  const addresses = Array.from({ length: 52 }, (_, index) => `198.51.100.${index}`);
  const record = fleetSpf(addresses);
  expect(record).toMatch(/^v=spf1 (?:ip4:198\.51\.100\.\d+ ){52}-all$/);
  const strings = [...txtContent(record).matchAll(/"([^"]*)"/g)].map(([, text = ""]) => text);
  expect(strings.join("")).toBe(record);
  expect(Math.max(...strings.map((text) => text.length))).toBeLessThanOrEqual(255);
});
