/** The sync with a store in memory, and with maps as Postfix's own `postmap` writes them. */
import { mkdir, mkdtempDisposable, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import type { RouteRecord } from "../../mail/route.ts";
import { recordOf, routeOf } from "../../mail/testdata/routes.ts";
import { Faults } from "./faults.ts";
import { MapWriter } from "./map-writer.ts";
import { RouteFile } from "./route-file.ts";
import { RouteTable } from "./route-table.ts";
import { Secrets } from "./secrets.ts";
import { RouteSync } from "./sync.ts";
import { UnreadableRoutes } from "./unreadable-routes.ts";

const until = { timeout: 20_000, interval: 20 };

/** A store whose routes are written one after the other. */
function makeStore(first: readonly RouteRecord[]) {
  const records = [...first];
  const passwords = new Map<string, string>();
  const unreadable = new Set<string>();
  const store = {
    records,
    passwords,
    /** Domains whose route a newer release wrote. */
    unreadable,
    onUnreadable: (_domain: string): void => undefined,
    readSecret: async (name: string) => passwords.get(name),
    allRoutes: async () => ({
      sequence: records.length,
      pages: (async function* () {
        for (const domain of unreadable) store.onUnreadable(domain);
        yield [...records];
      })(),
    }),
    changesSince: async (sequence: number) => ({
      records: records.slice(sequence),
      sequence: records.length,
    }),
  };
  return store;
}

interface Life {
  readonly faults: Faults;
  readonly effects: string[];
  readonly firstEffects: string[];
}

/** Runs the sync for as long as the work takes. */
async function withSync(
  directory: string,
  store: ReturnType<typeof makeStore>,
  work: (life: Life) => Promise<void>,
): Promise<void> {
  await writeFile(join(directory, "main.cf"), "");
  const life: Life = { faults: new Faults(), effects: [], firstEffects: [] };
  const unreadable = new UnreadableRoutes(life.faults);
  store.onUnreadable = (domain) => unreadable.note(domain);
  const sync = new RouteSync({
    store,
    table: new RouteTable(),
    file: new RouteFile(directory),
    maps: new MapWriter({
      directory,
      instance: directory,
      content: {
        maps: [{ name: "map", isSecret: false }],
        entriesOf: ({ domain }) => [{ map: "map", key: domain, value: "x" }],
      },
    }),
    secrets: new Secrets(directory, store),
    faults: life.faults,
    unreadable,
    rereadMilliseconds: 1_000,
    onRecord: () => undefined,
    onEffect: ({ domain }) => life.effects.push(domain),
    onFirstEffect: (records) => {
      life.firstEffects.push(...Array.from(records, ({ domain }) => domain));
    },
  });
  const stop = new AbortController();
  await sync.start();
  const running = sync.run(stop.signal);
  try {
    await work(life);
  } finally {
    stop.abort();
    await running;
  }
}

async function savedDomains(directory: string): Promise<string[]> {
  const domains: string[] = [];
  await new RouteFile(directory).load({
    onRecord: ({ domain }) => domains.push(domain),
    onRemoved: () => undefined,
  });
  return domains;
}

function withLogin(domain: string): RouteRecord {
  const login = { user: "gw", secret: domain, secretVersion: 1 };
  return recordOf(
    routeOf(domain, { relayServer: { host: "r.test", port: 587, tls: "required", login } }),
  );
}

test("what was there before the first life is told once it is in effect, and in a later life again", async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), "sync-"));
  const store = makeStore([recordOf(routeOf("a.test")), withLogin("b.test")]);
  await withSync(directory.path, store, async ({ firstEffects, effects }) => {
    await expect.poll(() => firstEffects, until).toEqual(["a.test"]);
    expect(effects).toEqual([]);
    store.passwords.set("b.test", "s3cret");
    await expect.poll(() => effects, until).toEqual(["b.test"]);
  });
  await withSync(directory.path, store, async ({ firstEffects }) => {
    await expect.poll(() => firstEffects, until).toEqual(["a.test", "b.test"]);
  });
});

test("a change whose maps could not be written for a while is told and kept, and so is a new password", async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), "sync-"));
  const store = makeStore([recordOf(routeOf("a.test")), withLogin("b.test")]);
  await withSync(directory.path, store, async ({ faults, effects, firstEffects }) => {
    await expect.poll(() => firstEffects, until).toEqual(["a.test"]);
    const map = join(directory.path, "map.lmdb");
    await rm(map);
    await mkdir(map);
    store.passwords.set("b.test", "s3cret");
    store.records.push(recordOf(routeOf("new.test")));
    await expect.poll(() => faults.list().join(), until).toContain("maps: not written");
    const tries = vi.spyOn(faults, "set");
    const failed = () => tries.mock.calls.filter(([topic]) => topic === "maps").length;
    await expect.poll(failed, until).toBeGreaterThan(1);
    expect(effects).toEqual([]);
    await rm(map, { recursive: true });
    await expect.poll(() => effects.toSorted(), until).toEqual(["b.test", "new.test"]);
    expect(faults.list().join()).not.toContain("maps");
  });
  expect(await savedDomains(directory.path)).toContain("new.test");
});

test("a route that cannot be read is told until it is not there any more", async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), "sync-"));
  const store = makeStore([recordOf(routeOf("a.test"))]);
  store.unreadable.add("newer.test").add("newest.test");
  await withSync(directory.path, store, async ({ faults }) => {
    const told = () => faults.list().join();
    await expect.poll(told, until).toMatch(/unreadable routes: .*newer\.test, newest\.test/);
    store.unreadable.delete("newer.test");
    await expect.poll(told, until).toMatch(/unreadable routes: .*left out: newest\.test/);
    store.unreadable.clear();
    await expect.poll(told, until).not.toContain("unreadable routes");
  });
});

test("of a route that has ended, nothing stays once the store has deleted it", async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), "sync-"));
  const [since, deferFrom, refuseFrom, expires] = [5, 4, 3, 2].map((hours) =>
    new Date(Date.now() - hours * 3_600_000).toISOString(),
  );
  if (!since || !deferFrom || !refuseFrom || !expires) throw new Error("there are four");
  const ended = { ...withLogin("b.test"), leaving: { since, deferFrom, refuseFrom, expires } };
  const store = makeStore([recordOf(routeOf("a.test")), ended]);
  store.passwords.set("b.test", "s3cret");
  const onDisk = async () => {
    const names = ["routes.ndjson", "secrets.json"];
    const texts = names.map((name) => readFile(join(directory.path, name), "utf8"));
    return (await Promise.all(texts)).join("\n");
  };
  await withSync(directory.path, store, async ({ effects }) => {
    await expect.poll(() => effects, until).toContain("b.test");
    await expect.poll(onDisk, until).toContain("s3cret");
    expect(await onDisk()).toContain("mail.b.test");
    store.records.pop();
    await expect.poll(onDisk, until).not.toMatch(/b\.test|s3cret/);
    expect(await onDisk()).toContain("a.test");
  });
});
