import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
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
afterAll(() => lab.dispose());

const create = (record: object) => lab.ask("POST", path, record);
const refused = (status: number, code: number) => ({
  status,
  body: { success: false, result: null, errors: [expect.objectContaining({ code })] },
});

test("PATCH keeps what it does not mention, PUT resets it", async () => {
  const full = {
    type: "MX",
    name: "@",
    content: "mx1.test",
    priority: 5,
    ttl: 600,
    comment: "kept",
  };
  const record = `${path}/${idOf(await create(full))}`;
  const patched = await lab.ask("PATCH", record, { content: "mx2.test" });
  expect(patched.body.result).toMatchObject({ ...full, name: "contoso.test", content: "mx2.test" });
  const put = { type: "MX", name: "@", content: "mx3.test", priority: 6 };
  const replaced = await lab.ask("PUT", record, put);
  expect(replaced.body.result).toMatchObject({ content: "mx3.test", ttl: 1, comment: null });
  expect(await lab.ask("GET", record)).toMatchObject({ body: { result: replaced.body.result } });
});

test("a deleted record does not exist any more", async () => {
  const record = `${path}/${idOf(await create({ type: "A", name: "a", content: "192.0.2.1" }))}`;
  expect((await lab.ask("DELETE", record)).body.result).toEqual({ id: record.slice(-32) });
  for (const method of ["GET", "DELETE"]) {
    expect(await lab.ask(method, record)).toMatchObject(refused(404, 81044));
  }
  expect(await lab.ask("PATCH", record, { ttl: 60 })).toMatchObject(refused(404, 81044));
});

test("a batch deletes, patches, puts and posts, in that order", async () => {
  const mx = { type: "MX", name: "@", priority: 10 };
  const [a, b, c] = await Promise.all(
    ["a.test", "b.test", "c.test"].map(async (content) => idOf(await create({ ...mx, content }))),
  );
  const { status, body } = await lab.ask("POST", `${path}/batch`, {
    // Possible only after the deletion of a.test, and the patch of b.test.
    posts: [{ ...mx, content: "a.test" }],
    puts: [{ ...mx, id: c, content: "b.test", ttl: 300 }],
    patches: [{ id: b, content: "d.test" }],
    deletes: [{ id: a }],
  });
  expect(status).toBe(200);
  expect(body.result).toMatchObject({
    deletes: [{ id: a, content: "a.test" }],
    patches: [{ id: b, content: "d.test" }],
    puts: [{ id: c, content: "b.test", ttl: 300 }],
    posts: [{ content: "a.test" }],
  });
  const answer = await lab.nameServer(1).resolveMx("contoso.test");
  expect(answer.map(({ exchange }) => exchange).toSorted()).toEqual(["a.test", "b.test", "d.test"]);
});

test("the first error of a batch applies nothing", async () => {
  const id = idOf(await create({ type: "A", name: "a", content: "192.0.2.1" }));
  const before = lab.cloudflare.snapshot(zone);
  const answer = await lab.ask("POST", `${path}/batch`, {
    deletes: [{ id }],
    posts: [
      { type: "A", name: "b", content: "192.0.2.2" },
      { type: "A", name: "b", content: "192.0.2.2" },
    ],
  });
  expect(answer).toMatchObject(refused(400, 81058));
  expect(lab.cloudflare.snapshot(zone)).toEqual(before);
  const missing = { deletes: [{ id }, { id: "0".repeat(32) }] };
  expect(await lab.ask("POST", `${path}/batch`, missing)).toMatchObject(refused(404, 81044));
  expect(lab.cloudflare.snapshot(zone)).toEqual(before);
  expect(await lab.nameServer(0).resolve4("a.contoso.test")).toEqual(["192.0.2.1"]);
});

test("a record of Email Routing is marked and cannot be changed", async () => {
  await lab.cloudflare.seed(zone, [
    { name: "@", type: "MX", content: "route1.mx.example", priority: 1, readOnly: true },
  ]);
  const { body } = await lab.ask("GET", path);
  expect(body.result).toMatchObject([{ meta: { read_only: true } }]);
  const [{ id } = { id: "" }] = Array.isArray(body.result) ? body.result : [];
  expect(await lab.ask("DELETE", `${path}/${id}`)).toMatchObject({ status: 400 });
  expect(lab.cloudflare.snapshot(zone)).toMatchObject([{ readOnly: true }]);
});

test("what is in the zone is what the name servers answer", async () => {
  await lab.cloudflare.seed(zone, [
    { name: "@", type: "TXT", content: `${"x".repeat(255)}y "z"` },
    { name: "@", type: "MX", content: ".", priority: 0 },
    { name: "www", type: "CNAME", content: "host.contoso.test" },
    {
      name: "_sip._tcp",
      type: "SRV",
      content: "",
      data: { priority: 1, weight: 2, port: 3, target: "." },
    },
  ]);
  const server = lab.nameServer(0);
  expect(await server.resolveTxt("contoso.test")).toEqual([["x".repeat(255), 'y "z"']]);
  expect(await server.resolveMx("contoso.test")).toMatchObject([{ exchange: "", priority: 0 }]);
  expect(await server.resolveCname("www.contoso.test")).toEqual(["host.contoso.test"]);
  expect(await server.resolveSrv("_sip._tcp.contoso.test")).toMatchObject([
    { priority: 1, weight: 2, port: 3, name: "" },
  ]);
});
