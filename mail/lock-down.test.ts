import * as fc from "fast-check";
import { expect, test } from "vitest";
import { lockDownSafeFrom } from "./lock-down.ts";

const removed = new Date("2026-01-01T00:00:00.000Z");

test("a lock-down is safe once the longest TTL has passed; automatic is 300 s", () => {
  expect(lockDownSafeFrom(removed, [{ ttl: 1 }])).toBe("2026-01-01T00:05:00.000Z");
  expect(lockDownSafeFrom(removed, [{ ttl: 60 }, { ttl: 3_600 }, { ttl: 1 }])).toBe(
    "2026-01-01T01:00:00.000Z",
  );
  // RFC 2308 section 5: an answer without records is kept for 3 hours at most.
  expect(lockDownSafeFrom(removed, [])).toBe("2026-01-01T03:00:00.000Z");
});

test("it is never before any of the records has expired", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 30, max: 86_400 }), { minLength: 1 }), (ttls) => {
      const from = Date.parse(
        lockDownSafeFrom(
          removed,
          ttls.map((ttl) => ({ ttl })),
        ),
      );
      const ends = ttls.map((ttl) => removed.getTime() + ttl * 1_000);
      expect(ends.every((end) => end <= from)).toBe(true);
      expect(ends).toContain(from);
    }),
  );
});
