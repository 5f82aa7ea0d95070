/** Maps as Postfix's own `postmap` writes and reads them. */
import { mkdtempDisposable, readdir, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { RouteRecord } from "../../mail/route.ts";
import { recordOf, routeOf } from "../../mail/testdata/routes.ts";
import { type MapContent, MapWriter } from "./map-writer.ts";
import { run } from "./postfix-commands.ts";

/** One entry a domain in each map; the second map has it only where mail goes out. */
const content: MapContent = {
  maps: [
    { name: "open", isSecret: false },
    { name: "secret", isSecret: true },
  ],
  entriesOf: ({ domain, active }) => [
    { map: "open", key: domain, value: `to ${active?.route.server}` },
    ...(active?.route.outbound === "standard"
      ? [{ map: "secret", key: `@${domain}`, value: "u:p" }]
      : []),
  ],
};

function record(index: number, server: string, outbound: "standard" | "none"): RouteRecord {
  return recordOf(routeOf(`d${index}.test`, { server, outbound }));
}

async function dump(directory: string, map: string): Promise<string[]> {
  const text = await run("postmap", ["-c", directory, "-s", `lmdb:${join(directory, map)}`]);
  return text
    .split("\n")
    .filter((line) => line !== "")
    .toSorted();
}

async function makeWriter(directory: string): Promise<MapWriter> {
  // `postmap` reads a main.cf; an empty one will do.
  await run("touch", [join(directory, "main.cf")]);
  return new MapWriter({ directory, instance: directory, content });
}

test("maps have what the records say, secrets for their owner only, and no source stays", async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), "maps-"));
  const writer = await makeWriter(directory.path);
  expect(writer.isCertain).toBe(false);
  await writer.rebuild([record(1, "a.test", "standard"), record(2, "b.test", "none")], new Date());
  expect(await dump(directory.path, "open")).toEqual(["d1.test\tto a.test", "d2.test\tto b.test"]);
  expect(await dump(directory.path, "secret")).toEqual(["@d1.test\tu:p"]);
  const mode = async (name: string) => (await stat(join(directory.path, name))).mode & 0o777;
  expect(await mode("open.lmdb")).toBe(0o644);
  expect(await mode("secret.lmdb")).toBe(0o600);
  expect((await readdir(directory.path)).toSorted()).toEqual([
    "main.cf",
    "open.lmdb",
    "secret.lmdb",
  ]);
});

test("single changes end where a rebuild ends", { timeout: 120_000 }, async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), "maps-"));
  const change = fc.record({
    index: fc.integer({ min: 1, max: 4 }),
    server: fc.constantFrom("a.test", "b.test", undefined),
    outbound: fc.constantFrom("standard" as const, "none" as const),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 6 }), async (changes) => {
      const writer = await makeWriter(directory.path);
      await writer.rebuild([], new Date());
      const records = new Map<string, RouteRecord>();
      for (const { index, server, outbound } of changes) {
        const domain = `d${index}.test`;
        const next = server === undefined ? undefined : record(index, server, outbound);
        await writer.change([{ former: records.get(domain), next }], new Date());
        if (next === undefined) records.delete(domain);
        else records.set(domain, next);
      }
      const changed = await Promise.all(["open", "secret"].map((map) => dump(directory.path, map)));
      await writer.rebuild(records.values(), new Date());
      const rebuilt = await Promise.all(["open", "secret"].map((map) => dump(directory.path, map)));
      expect(changed).toEqual(rebuilt);
    }),
    { numRuns: 4 },
  );
});

test("after a failure the maps are rebuilt first", async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), "maps-"));
  const writer = await makeWriter(directory.path);
  await writer.rebuild([], new Date());
  await run("rm", [join(directory.path, "open.lmdb")]);
  await run("mkdir", [join(directory.path, "open.lmdb")]);
  const next = record(1, "a.test", "none");
  await expect(writer.change([{ former: undefined, next }], new Date())).rejects.toThrow("postmap");
  expect(writer.isCertain).toBe(false);
  await expect(writer.change([{ former: undefined, next }], new Date())).rejects.toThrow("rebuilt");
});
