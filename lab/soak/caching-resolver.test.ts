import { expect, test } from "vitest";
import type { DnsAnswer, DnsStatus, DnsType, Resolver } from "../../mail/dns.ts";
import { createCachingResolver } from "./caching-resolver.ts";

/** A resolver that always has this status, and counts. */
function counted(status: DnsStatus) {
  let asked = 0;
  const resolver: Resolver = async <T extends DnsType>(): Promise<DnsAnswer<T>> => {
    asked += 1;
    return { status, records: [] };
  };
  return { resolver, count: () => asked };
}

test.each<[DnsStatus, readonly number[]]>([
  ["nodata", [1, 1, 2]],
  ["nxdomain", [1, 1, 2]],
  ["servfail", [1, 2, 3]],
  ["timeout", [1, 2, 3]],
])("an answer is kept for its time, a failure is not: %s", async (status, expected) => {
  const { resolver, count } = counted(status);
  let now = 0;
  const ask = createCachingResolver(resolver, 1000, () => now);
  const counts: number[] = [];
  for (const moment of [0, 999, 1000]) {
    now = moment;
    expect(await ask("a.test", "MX")).toEqual({ status, records: [] });
    counts.push(count());
  }
  expect(counts).toEqual(expected);
});

test("another name and another type are other questions", async () => {
  const { resolver, count } = counted("nodata");
  const ask = createCachingResolver(resolver, 1000, () => 0);
  await ask("a.test", "MX");
  await ask("b.test", "MX");
  await ask("a.test", "A");
  expect(count()).toBe(3);
});
