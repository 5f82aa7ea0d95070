/** The official SDK does its work on the emulator unchanged. */
import Cloudflare, { BadRequestError, NotFoundError, PermissionDeniedError } from "cloudflare";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { startTestLab, type TestLab } from "./test-lab.ts";

let lab: TestLab;
let client: Cloudflare;
let zone_id: string;

beforeAll(async () => {
  lab = await startTestLab();
  zone_id = await lab.cloudflare.addZone({ name: "contoso.test" });
  client = sdk(lab.operator);
});

beforeEach(() => lab.cloudflare.seed(zone_id, []));
afterAll(() => lab.dispose());

function sdk(apiToken: string, maxRetries = 0): Cloudflare {
  return new Cloudflare({ apiToken, baseURL: lab.cloudflare.url, maxRetries });
}

const mx = (content: string) =>
  ({ type: "MX", name: "@", content, priority: 10, ttl: 60 }) as const;

test("finds a zone by name and reads it", async () => {
  const { result } = await client.zones.list({ name: "contoso.test" });
  expect(result.map(({ id, status }) => ({ id, status }))).toEqual([
    { id: zone_id, status: "active" },
  ]);
  const zone = await client.zones.get({ zone_id });
  expect(zone).toMatchObject({ name: "contoso.test", type: "full", paused: false });
});

test("creates, reads, edits, updates and deletes a record", async () => {
  const created = await client.dns.records.create({ zone_id, ...mx("one.test"), comment: "mine" });
  expect(await client.dns.records.get(created.id, { zone_id })).toEqual(created);
  const edited = await client.dns.records.edit(created.id, { zone_id, ...mx("two.test") });
  expect(edited).toMatchObject({ content: "two.test", comment: "mine" });
  const updated = await client.dns.records.update(created.id, { zone_id, ...mx("three.test") });
  expect(updated).toMatchObject({ content: "three.test", comment: null });
  expect(await lab.nameServer(1).resolveMx("contoso.test")).toMatchObject([
    { exchange: "three.test" },
  ]);
  expect(await client.dns.records.delete(created.id, { zone_id })).toEqual({ id: created.id });
  expect(lab.cloudflare.snapshot(zone_id)).toEqual([]);
});

test("swaps an RRset in a batch", async () => {
  const { id } = await client.dns.records.create({ zone_id, ...mx("old.test") });
  const { deletes, posts } = await client.dns.records.batch({
    zone_id,
    deletes: [{ id }],
    posts: [mx("new1.test"), mx("new2.test")],
  });
  expect(deletes).toMatchObject([{ id }]);
  expect(posts).toMatchObject([{ content: "new1.test" }, { content: "new2.test" }]);
});

test("lists with filters, over pages", async () => {
  const posts = Array.from({ length: 7 }, (_, index) => mx(`mx${index}.test`));
  await client.dns.records.batch({ zone_id, posts });
  await client.dns.records.create({ zone_id, type: "TXT", name: "sub", content: '"x"', ttl: 1 });
  const contents: (string | undefined)[] = [];
  const list = client.dns.records.list({
    zone_id,
    type: "MX",
    name: { exact: "contoso.test" },
    content: { startswith: "mx" },
    per_page: 3,
  });
  for await (const { content } of list) contents.push(content);
  expect(contents).toEqual(posts.map(({ content }) => content));
  const all = await client.dns.records.list({ zone_id, per_page: 5_000_000 });
  expect(all.result).toHaveLength(8);
});

test("recognises the API's refusals", async () => {
  await client.dns.records.create({ zone_id, ...mx("one.test") });
  const again = client.dns.records.create({ zone_id, ...mx("one.test") });
  await expect(again).rejects.toBeInstanceOf(BadRequestError);
  await expect(again).rejects.toMatchObject({
    status: 400,
    errors: [expect.objectContaining({ code: 81058 })],
  });
  const absent = client.dns.records.get("0".repeat(32), { zone_id });
  await expect(absent).rejects.toBeInstanceOf(NotFoundError);
  const reader = sdk(lab.cloudflare.addToken({ name: "reader", permissions: ["dns:read"] }));
  const denied = reader.dns.records.create({ zone_id, ...mx("two.test") });
  await expect(denied).rejects.toBeInstanceOf(PermissionDeniedError);
});

test("verifies its token", async () => {
  expect(await client.user.tokens.verify()).toMatchObject({ status: "active" });
});

test("waits as told when it is limited, and sends a batch again after 500", async () => {
  lab.cloudflare.clearLogs();
  lab.cloudflare.addFault({ fault: "rate-limited", retryAfter: 0.01, match: { kind: "read" } });
  lab.cloudflare.addFault({ fault: "error-before-commit", match: { kind: "write" } });
  const patient = sdk(lab.operator, 1);
  await patient.zones.get({ zone_id });
  await patient.dns.records.batch({ zone_id, posts: [mx("one.test")] });
  expect(lab.cloudflare.requests.map(({ status }) => status)).toEqual([429, 200, 500, 200]);
});
