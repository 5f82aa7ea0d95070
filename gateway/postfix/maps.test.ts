import { assert, constantFrom, property, string } from "fast-check";
import { expect, test } from "vitest";
import type { RelayServer } from "../../mail/route.ts";
import { MAP_NAMES, mapEntries, mapSource, renderMaps, SECRET_MAP } from "./maps.ts";
import {
  exampleRecord,
  exampleRecords,
  exampleRoute,
  now,
  passwordOf,
} from "./testdata/example.ts";

const maps = renderMaps(exampleRecords, now, passwordOf);

test.for(MAP_NAMES)("the map %s of the example routes", async (name) => {
  const file = `testdata/maps/${name}`;
  await expect(mapSource(maps[name])).toMatchFileSnapshot(file);
});

test("passwords are in the secret map only", () => {
  const withPassword = MAP_NAMES.filter((name) => mapSource(maps[name]).includes("secret-of-"));
  expect(withPassword).toEqual([SECRET_MAP]);
});

test("nothing is known of a domain that is proposed only, or expired", () => {
  const route = exampleRoute("contoso.example");
  const proposed = { ...exampleRecord(route), active: undefined, proposed: { version: 1, route } };
  const { active: _, ...record } = proposed;
  expect(mapEntries(record, now, passwordOf)).toEqual([]);
  expect(mapEntries(exampleRecord(route, 100), now, passwordOf)).toEqual([]);
});

test("no text of a route makes an entry of another domain", () => {
  const text = string({
    unit: constantFrom("a", ".", "@", "\n", "\t", " ", "#", "x.example"),
  });
  assert(
    property(text, text, text, (server, recipient, fixIt) => {
      const relayServer: RelayServer = { host: server, port: 25, tls: "required" };
      const route = exampleRoute("own.example", {
        server,
        relayServer,
        fixIt,
        outbound: "standard",
        rcptLookup: { kind: "list", recipients: [recipient, `${recipient}@own.example`] },
      });
      const records = [exampleRecord(route), exampleRecord(route, 8)];
      for (const record of records) {
        const rendered = renderMaps([record], now, passwordOf);
        const lines = MAP_NAMES.flatMap((name) => mapSource(rendered[name]).split("\n"));
        const keys = lines.filter((line) => line !== "").map((line) => line.split("\t")[0] ?? "");
        expect(keys.filter((key) => !/(^|@)own\.example$/.test(key))).toEqual([]);
      }
    }),
  );
});
