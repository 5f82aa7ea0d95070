import { assert, constantFrom, property, string } from "fast-check";
import { expect, test } from "vitest";
import type { RelayServer, RouteRecord } from "../../mail/route.ts";
import { inactiveTimes, leavingTimes } from "../../mail/route-life.ts";
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

function entryOf(record: RouteRecord, map: string): string | undefined {
  return mapEntries(record, now, passwordOf).find((entry) => entry.map === map)?.value;
}

test("mail of an inactive domain is refused at RCPT, and what was accepted before is still delivered", () => {
  const record = exampleRecord(exampleRoute("contoso.example"));
  const way = entryOf(record, "inbound-transport");
  expect(way).toBeDefined();
  for (const [days, reply] of [
    [1, /^450 4\.7\.1 contoso\.example is inactive/],
    [3, /^550 5\.7\.1 contoso\.example is inactive/],
  ] as const) {
    const since = new Date(now.getTime() - days * 86_400_000);
    const inactive = { ...record, inactive: inactiveTimes(since) };
    expect(entryOf(inactive, "inbound-recipients")).toMatch(reply);
    expect(entryOf(inactive, "inbound-transport")).toBe(way);
    // Where it leaves, too, nothing more is delivered in the end.
    const leaving = leavingTimes(new Date(now.getTime() - 8 * 86_400_000));
    const ended = { ...inactive, leaving };
    expect(entryOf(ended, "inbound-recipients")).toMatch(reply);
    expect(entryOf(ended, "inbound-transport")).toMatch(/^retry:4\.7\.1 /);
  }
});

test("a domain that receives no more is accepted for a while; inactive, it is put off, then refused", () => {
  const route = exampleRoute("ended.example", { inbound: false });
  const accepts = { rcptLookup: { kind: "off" }, until: "2026-06-01T12:00:01.000Z" } as const;
  const server = { server: "old.example", mxLookup: false, until: "2026-06-02T12:00:00.000Z" };
  const record = { ...exampleRecord(route), formerServer: { ...server, accepts } };
  expect(entryOf(record, "inbound-recipients")).toBe("OK");
  expect(entryOf(record, "inbound-transport")).toBe("server:[old.example]");
  for (const [days, reply] of [
    [1, /^450 4\.7\.1 ended\.example is inactive/],
    [3, /^550 5\.7\.1 ended\.example is inactive/],
  ] as const) {
    const inactive = inactiveTimes(new Date(now.getTime() - days * 86_400_000));
    expect(entryOf({ ...record, inactive }, "inbound-recipients")).toMatch(reply);
    expect(entryOf({ ...record, inactive }, "inbound-transport")).toBe("server:[old.example]");
  }
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
