import { appendFile, mkdtempDisposable, readFile, truncate } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { RouteRecord } from "../../mail/route.ts";
import { recordOf, routeOf } from "../../mail/testdata/routes.ts";
import { RouteFile } from "./route-file.ts";

function record(domain: string, revision = 1): RouteRecord {
  return { ...recordOf(routeOf(domain)), revision };
}

/** What a new life of the agent finds. */
async function load(directory: string) {
  const found = new Map<string, number>();
  const sequence = await new RouteFile(directory).load({
    onRecord: ({ domain, revision }) => found.set(domain, revision),
    onRemoved: (domain) => found.delete(domain),
  });
  return { sequence, found: Object.fromEntries(found) };
}

test("without a file nothing is known", async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), "routes-"));
  expect(await load(directory.path)).toEqual({ sequence: undefined, found: {} });
});

test("the newest line of a domain counts, and a removed one is gone", async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), "routes-"));
  const file = new RouteFile(directory.path);
  await file.save([record("a.test"), record("b.test"), record("c.test")], 7);
  await file.append([record("b.test", 2)], 9);
  await file.appendRemoval("c.test");
  expect(await load(directory.path)).toEqual({ sequence: 9, found: { "a.test": 1, "b.test": 2 } });
  expect(file.appended).toBe(3);
  await file.save([record("a.test", 5)], 12);
  expect(await load(directory.path)).toEqual({ sequence: 12, found: { "a.test": 5 } });
});

test("wherever a crash cuts the file, what was appended later is read", async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), "routes-"));
  const path = join(directory.path, "routes.ndjson");
  const first = new RouteFile(directory.path);
  await first.save([record("a.test")], 1);
  const saved = (await readFile(path)).length;
  await first.append([record("b.test")], 2);
  const whole = await readFile(path);
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: saved, max: whole.length }), async (length) => {
      await truncate(path, 0);
      await appendFile(path, whole.subarray(0, length));
      await new RouteFile(directory.path).append([record("c.test")], 3);
      const { sequence, found } = await load(directory.path);
      expect(sequence).toBe(3);
      expect(found).toMatchObject({ "a.test": 1, "c.test": 1 });
    }),
    { numRuns: 40 },
  );
});
