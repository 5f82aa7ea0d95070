import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { startTestLab, type TestLab } from "./test-lab.ts";

let lab: TestLab;
let zone: string;
let path: string;

beforeAll(async () => {
  lab = await startTestLab();
  zone = await lab.cloudflare.addZone({ name: "contoso.test" });
  path = `/zones/${zone}/dns_records`;
});

beforeEach(() => lab.cloudflare.seed(zone, []));
afterAll(() => lab.dispose());

const create = (record: object) => lab.ask("POST", path, record);
const refused = (status: number, code: number) => ({
  status,
  body: { success: false, result: null, errors: [expect.objectContaining({ code })] },
});

test("a record comes back normalised, with all its fields", async () => {
  const { status, body } = await create({
    type: "MX",
    name: "Contoso.Test.",
    content: "MX.Bücher.Example.",
    priority: 10,
    comment: "primary",
  });
  expect(status).toBe(200);
  expect(body.result).toEqual({
    id: expect.stringMatching(/^[0-9a-f]{32}$/),
    name: "contoso.test",
    type: "MX",
    content: "mx.xn--bcher-kva.example",
    priority: 10,
    ttl: 1,
    proxiable: false,
    proxied: false,
    settings: {},
    meta: {},
    comment: "primary",
    tags: [],
    created_on: expect.any(String),
    modified_on: expect.any(String),
    comment_modified_on: expect.any(String),
  });
});

test.each([
  [{ type: "A", name: "a", content: "192.0.2.1" }, "192.0.2.1"],
  [{ type: "AAAA", name: "a", content: "2001:DB8:0:0::1" }, "2001:db8::1"],
  [{ type: "CNAME", name: "c", content: "WWW.contoso.test." }, "www.contoso.test"],
  [{ type: "MX", name: "@", content: ".", priority: 0 }, "."],
  [{ type: "NS", name: "child", content: "ns.example." }, "ns.example"],
  [{ type: "TXT", name: "@", content: "v=spf1 -all" }, '"v=spf1 -all"'],
  [
    {
      type: "SRV",
      name: "_autodiscover._tcp",
      data: { priority: 0, weight: 1, port: 443, target: "auto.contoso.test" },
    },
    "1 443 auto.contoso.test",
  ],
  [
    { type: "CAA", name: "@", data: { flags: 0, tag: "issue", value: "ca.example" } },
    '0 issue "ca.example"',
  ],
  [
    {
      type: "TLSA",
      name: "_25._tcp.mx",
      data: { usage: 3, selector: 1, matching_type: 1, certificate: "ab".repeat(32) },
    },
    `3 1 1 ${"ab".repeat(32)}`,
  ],
])("%j has the content %s", async (record, content) => {
  expect((await create(record)).body).toMatchObject({ success: true, result: { content } });
});

test.each([
  ["a name with spaces", { type: "A", name: "a b", content: "192.0.2.1" }, 9000],
  ["no IPv4 address", { type: "A", name: "a", content: "192.0.2.256" }, 9005],
  ["no IPv6 address", { type: "AAAA", name: "a", content: "192.0.2.1" }, 9006],
  ["a bad CNAME", { type: "CNAME", name: "a", content: "a b" }, 9007],
  ["MX without priority", { type: "MX", name: "@", content: "mx.test" }, 9008],
  ["MX priority 65536", { type: "MX", name: "@", content: "mx.test", priority: 65_536 }, 9008],
  ["MX priority -1", { type: "MX", name: "@", content: "mx.test", priority: -1 }, 9008],
  ["MX with an address", { type: "MX", name: "@", content: "192.0.2.1", priority: 1 }, 9009],
  ["a proxied TXT", { type: "TXT", name: "@", content: "x", proxied: true }, 9004],
  ["more than 4096 bytes", { type: "TXT", name: "@", content: "x".repeat(4097) }, 9015],
  ["TTL 59", { type: "A", name: "a", content: "192.0.2.1", ttl: 59 }, 9021],
  ["TTL 86401", { type: "A", name: "a", content: "192.0.2.1", ttl: 86_401 }, 9021],
  ["a tag on the free plan", { type: "A", name: "a", content: "192.0.2.1", tags: ["x:y"] }, 9300],
  [
    "a long comment",
    { type: "A", name: "a", content: "192.0.2.1", comment: "x".repeat(101) },
    9313,
  ],
  ["no type", { name: "a", content: "192.0.2.1" }, 9207],
  ["a TTL in quotes", { type: "A", name: "a", content: "192.0.2.1", ttl: "60" }, 9207],
])("%s is refused", async (_, record, code) => {
  expect(await create(record)).toMatchObject(refused(400, code));
  expect(lab.cloudflare.snapshot(zone)).toEqual([]);
});

test.each([60, 86_400, 1])("TTL %i is accepted", async (ttl) => {
  const record = { type: "A", name: "a", content: "192.0.2.1", ttl };
  expect(await create(record)).toMatchObject({ status: 200, body: { result: { ttl } } });
});

test("records that exclude one another", async () => {
  await create({ type: "A", name: "host", content: "192.0.2.1" });
  await create({ type: "CNAME", name: "alias", content: "host.contoso.test" });
  await create({ type: "NS", name: "child", content: "ns.example" });
  const cases = [
    [{ type: "CNAME", name: "host", content: "www.contoso.test" }, 81053],
    [{ type: "CNAME", name: "alias", content: "www.contoso.test" }, 81053],
    [{ type: "A", name: "alias", content: "192.0.2.2" }, 81054],
    [{ type: "MX", name: "alias", content: "mx.contoso.test", priority: 1 }, 81054],
    [{ type: "TXT", name: "child", content: "x" }, 81056],
    [{ type: "A", name: "host", content: "192.0.2.1", ttl: 600 }, 81058],
  ] as const;
  for (const [record, code] of cases) {
    expect(await create(record)).toMatchObject(refused(400, code));
  }
  const second = { type: "A", name: "host", content: "192.0.2.2" };
  expect(await create(second)).toMatchObject({ status: 200 });
});

test("a CNAME at the apex is flattened, and so has MX and TXT beside it", async () => {
  await create({ type: "CNAME", name: "@", content: "host.example" });
  const mx = { type: "MX", name: "@", content: "mx.contoso.test", priority: 1 };
  expect(await create(mx)).toMatchObject({ status: 200 });
  expect(await create({ type: "A", name: "@", content: "192.0.2.1" })).toMatchObject(
    refused(400, 81054),
  );
});

test("the records of one name and type have at most 8192 bytes together", async () => {
  for (const letter of ["a", "b"]) {
    const full = { type: "TXT", name: "@", content: letter.repeat(4096) };
    expect(await create(full)).toMatchObject({ status: 200 });
  }
  expect(await create({ type: "TXT", name: "@", content: "c" })).toMatchObject(refused(400, 83011));
});

test("a free zone has at most 200 records, and a batch at most 200 operations", async () => {
  const posts = Array.from({ length: 200 }, (_, index) => ({
    type: "A",
    name: `host${index}`,
    content: "192.0.2.1",
  }));
  const last = { type: "A", name: "last", content: "192.0.2.1" };
  expect(await lab.ask("POST", `${path}/batch`, { posts: [...posts, last] })).toMatchObject(
    refused(400, 9207),
  );
  expect(await lab.ask("POST", `${path}/batch`, { posts })).toMatchObject({ status: 200 });
  expect(await create(last)).toMatchObject(refused(400, 81045));
});

test("a paid plan has tags, longer comments and shorter TTLs", async () => {
  const id = await lab.cloudflare.addZone({ name: "enterprise.test", plan: "enterprise" });
  const record = {
    type: "A",
    name: "a",
    content: "192.0.2.1",
    ttl: 30,
    comment: "x".repeat(500),
    tags: ["owner:mail"],
  };
  expect(await lab.ask("POST", `/zones/${id}/dns_records`, record)).toMatchObject({
    status: 200,
    body: { result: { ttl: 30, tags: ["owner:mail"] } },
  });
});

test("older answers wrap what is wrong with a record in error 1004", async () => {
  await lab.dispose();
  lab = await startTestLab({ validationErrors: "chained" });
  const id = await lab.cloudflare.addZone({ name: "contoso.test" });
  const answer = await lab.ask("POST", `/zones/${id}/dns_records`, {
    type: "A",
    name: "a",
    content: "192.0.2.1",
    ttl: 30,
  });
  expect(answer.body.errors).toEqual([
    {
      code: 1004,
      message: "DNS Validation Error",
      error_chain: [
        { code: 9021, message: "TTL must be between 60 and 86400 seconds, or 1 for Automatic." },
      ],
    },
  ]);
});
