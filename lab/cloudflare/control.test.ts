import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestLab, type TestLab } from "./test-lab.ts";

let lab: TestLab;

beforeAll(async () => {
  lab = await startTestLab();
});

afterAll(() => lab.dispose());

async function control(method: string, path: string, body?: unknown) {
  const response = await fetch(lab.cloudflare.labUrl + path, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const answer: unknown = await response.json();
  return { status: response.status, answer };
}

test("another program prepares a zone, disturbs it and reads the logs", async () => {
  const created = await control("POST", "/zones", { name: "contoso.test" });
  const zones = await control("GET", "/zones");
  expect(zones.answer).toMatchObject([created.answer]);
  const [{ id } = { id: "" }] = Array.isArray(zones.answer) ? zones.answer : [];
  const mx = { name: "contoso.test", type: "MX", content: "mx.test", priority: 1, ttl: 60 };
  await control("PUT", `/zones/${id}/records`, [mx]);
  expect((await control("GET", `/zones/${id}/records`)).answer).toEqual([mx]);
  const other = { ...mx, content: "other.test" };
  await control("POST", `/zones/${id}/edit`, {
    remove: [{ name: mx.name, type: mx.type, content: mx.content }],
    add: [other],
  });
  expect((await control("GET", `/zones/${id}/records`)).answer).toEqual([other]);

  const fault = { fault: "rate-limited", match: { kind: "read" } };
  const added = await control("POST", "/faults", fault);
  expect(await lab.ask("GET", "/zones")).toMatchObject({ status: 429 });
  expect((await control("GET", "/faults")).answer).toEqual([
    { ...Object(added.answer), count: 1, fault },
  ]);
  await control("DELETE", "/faults");
  expect((await control("GET", "/faults")).answer).toEqual([]);
  expect((await control("GET", "/requests")).answer).toMatchObject([
    { path: "/zones", status: 429 },
  ]);
  expect((await control("GET", "/commits")).answer).toMatchObject([
    { sequence: 1 },
    { sequence: 2 },
  ]);
  await control("DELETE", "/logs");
  expect((await control("GET", "/commits")).answer).toEqual([]);
  expect(await control("GET", "/settled")).toMatchObject({ status: 200 });
});

test("tokens are made and expired", async () => {
  const { answer } = await control("POST", "/tokens", { name: "rotated" });
  const { token = "" } = Object(answer);
  const verify = () => lab.ask("GET", "/user/tokens/verify", undefined, `Bearer ${token}`);
  expect((await verify()).body.result).toMatchObject({ status: "active" });
  await control("PATCH", `/tokens/${token}`, { status: "expired" });
  expect((await verify()).body.result).toMatchObject({ status: "expired" });
});

test.each([
  ["/faults", { fault: "rate-limitted" }],
  ["/faults", { fault: "slow" }],
  ["/zones", { name: "x.test", states: "pending" }],
  ["/tokens", {}],
])("POST %s %j is refused", async (path, body) => {
  expect(await control("POST", path, body)).toMatchObject({ status: 400 });
});
