import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import type { Fault } from "./index.ts";
import { idOf, startTestLab, type TestLab } from "./test-lab.ts";

let lab: TestLab;
let zone: string;
let path: string;

beforeAll(async () => {
  lab = await startTestLab();
  zone = await lab.cloudflare.addZone({ name: "contoso.test" });
  path = `/zones/${zone}/dns_records`;
});

beforeEach(() => lab.cloudflare.seed(zone, []));
afterEach(() => lab.cloudflare.clearFaults());
afterAll(() => lab.dispose());

const record = { type: "TXT", name: "contoso.test", content: "x" };
const names = () => lab.cloudflare.snapshot(zone).map(({ name }) => name);
const texts = (server: number) =>
  lab
    .nameServer(server)
    .resolveTxt("contoso.test")
    .then(
      (records) => records.map((strings) => strings.join("")).toSorted(),
      () => [],
    );

test.each<[Fault, number, number]>([
  [{ fault: "rate-limited", retryAfter: 7 }, 429, 0],
  [{ fault: "error-before-commit" }, 500, 0],
  [{ fault: "error-after-commit" }, 500, 1],
  [{ fault: "token-expired" }, 403, 0],
  [{ fault: "token-read-only" }, 403, 0],
  [{ fault: "zone-missing" }, 404, 0],
  [{ fault: "slow", milliseconds: 30 }, 200, 1],
])("%j answers %i with %i records committed, once", async (fault, status, committed) => {
  const { [Symbol.dispose]: _, ...struck } = lab.cloudflare.addFault(fault);
  expect(struck).toMatchObject({ count: 0 });
  expect(await lab.ask("POST", path, record)).toMatchObject({ status });
  expect(names()).toHaveLength(committed);
  const again = { ...record, name: "again.contoso.test" };
  expect(await lab.ask("POST", path, again)).toMatchObject({ status: 200 });
});

test("429 says when to come back", async () => {
  lab.cloudflare.addFault({ fault: "rate-limited", retryAfter: 7 });
  expect(await lab.ask("GET", path)).toMatchObject({ status: 429, retryAfter: "7" });
});

test.each<[Fault["fault"] & `dropped-${string}`, number]>([
  ["dropped-before-commit", 0],
  ["dropped-after-commit", 1],
])("%s: no answer, and %i records committed", async (fault, committed) => {
  lab.cloudflare.addFault({ fault });
  await expect(lab.ask("POST", path, record)).rejects.toThrow(/fetch failed/);
  expect(names()).toHaveLength(committed);
  expect(lab.cloudflare.requests.at(-1)).toMatchObject({ status: 0 });
});

test("a missing zone is an empty list and 404", async () => {
  lab.cloudflare.addFault({ fault: "zone-missing", times: "always" });
  expect(await lab.ask("GET", "/zones?name=contoso.test")).toMatchObject({ body: { result: [] } });
  expect(await lab.ask("GET", `/zones/${zone}`)).toMatchObject({ status: 404 });
  expect(await lab.ask("GET", path)).toMatchObject({ status: 404 });
});

test("a token without write permission still reads", async () => {
  lab.cloudflare.addFault({ fault: "token-read-only", times: "always" });
  expect(await lab.ask("GET", path)).toMatchObject({ status: 200 });
  expect(await lab.ask("POST", path, record)).toMatchObject({ status: 403 });
});

test("a fault strikes the chosen requests, is counted, and can be switched off", async () => {
  const fault = lab.cloudflare.addFault({
    fault: "error-before-commit",
    match: { kind: "write", path: "/batch$", token: "operator" },
    skip: 1,
    times: 2,
  });
  const statuses: number[] = [];
  for (const batch of [1, 2, 3, 4]) {
    await lab.ask("GET", path);
    const posts = [{ ...record, content: `batch ${batch}` }];
    statuses.push((await lab.ask("POST", `${path}/batch`, { posts })).status);
  }
  expect(statuses).toEqual([200, 500, 500, 200]);
  expect(fault.count).toBe(2);
  const always = lab.cloudflare.addFault({ fault: "rate-limited", times: "always" });
  expect(await lab.ask("GET", path)).toMatchObject({ status: 429 });
  always[Symbol.dispose]();
  expect(await lab.ask("GET", path)).toMatchObject({ status: 200 });
});

test("piecemeal: the records of a batch appear one by one, in its order, after the answer", async () => {
  const old = idOf(await lab.ask("POST", path, { ...record, content: "old" }));
  lab.cloudflare.addFault({ fault: "piecemeal", milliseconds: 1500 });
  const batch = {
    deletes: [{ id: old }],
    posts: [
      { ...record, content: "one" },
      { ...record, content: "two" },
    ],
  };
  const seen: string[] = [];
  const watching = watch(seen);
  expect(await lab.ask("POST", `${path}/batch`, batch)).toMatchObject({ status: 200 });
  await lab.cloudflare.settled();
  await watching.stop();
  expect(seen).toEqual(["old", "", "one", "one two"]);
});

/** Notes each new answer of the first name server. */
function watch(seen: string[]) {
  const stopped = new AbortController();
  const note = async () => {
    const answer = (await texts(0)).join(" ");
    if (seen.at(-1) !== answer) seen.push(answer);
  };
  const done = (async () => {
    while (!stopped.signal.aborted) {
      await note();
      await sleep(10);
    }
    await note();
  })();
  return {
    stop: () => {
      stopped.abort();
      return done;
    },
  };
}

test("a lagging server has the change later, and what follows it after it", async () => {
  lab.cloudflare.addFault({ fault: "lagging-server", server: 1, milliseconds: 4000 });
  const id = idOf(await lab.ask("POST", path, record));
  expect(await texts(0)).toEqual(["x"]);
  expect(await texts(1)).toEqual([]);
  await lab.ask("PATCH", `${path}/${id}`, { content: "y" });
  expect(await texts(0)).toEqual(["y"]);
  expect(await texts(1)).toEqual([]);
  await lab.cloudflare.settled();
  expect(await texts(1)).toEqual(["y"]);
});

test("someone else's edit right before the second write, and a look right after it", async () => {
  const seen: string[][] = [];
  const second = { match: { kind: "write" }, skip: 1 } as const;
  lab.cloudflare.intercept("before", second, () =>
    lab.cloudflare.edit(zone, {
      remove: [{ name: "@", type: "TXT", content: "first" }],
      add: [{ name: "@", type: "TXT", content: "theirs" }],
    }),
  );
  lab.cloudflare.intercept("after", second, async () => {
    seen.push(await texts(0));
  });
  await lab.ask("POST", path, { ...record, content: "first" });
  expect(await texts(0)).toEqual(["first"]);
  await lab.ask("POST", path, { ...record, content: "second" });
  expect(seen).toEqual([["second", "theirs"]]);
  expect(lab.cloudflare.commits.at(-2)).toMatchObject({ request: undefined, zone: "contoso.test" });
});

test("an edit of what is not there is an error", async () => {
  const edit = { remove: [{ name: "@", type: "MX", content: "mx.test" }] };
  await expect(lab.cloudflare.edit(zone, edit)).rejects.toThrow(/no record @ MX mx\.test/);
});

test("a removed zone is gone at Cloudflare and in DNS", async () => {
  const id = await lab.cloudflare.addZone({ name: "gone.test" });
  expect(await lab.nameServer(0).resolveNs("gone.test")).toHaveLength(2);
  await lab.cloudflare.removeZone(id);
  expect(await lab.ask("GET", `/zones/${id}`)).toMatchObject({ status: 404 });
  await expect(lab.nameServer(0).resolveNs("gone.test")).rejects.toMatchObject({
    code: "EREFUSED",
  });
});
