import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { idOf, startTestLab, type TestLab } from "./test-lab.ts";

let lab: TestLab;
let zone: string;

beforeAll(async () => {
  lab = await startTestLab();
  zone = await lab.cloudflare.addZone({ name: "contoso.test" });
});

afterAll(() => lab.dispose());

const bearer = (token: string) => `Bearer ${token}`;
const fault = (code: number) => expect.objectContaining({ code });

test("a zone is found by name, with what says whether it is in use", async () => {
  const pending = await lab.cloudflare.addZone({
    name: "contoso.test",
    account: "Former",
    status: "pending",
  });
  const { body } = await lab.ask("GET", "/zones?name=contoso.test");
  expect(body.result).toMatchObject([
    {
      id: zone,
      status: "active",
      type: "full",
      name_servers: ["ns1.dns-host.test", "ns2.dns-host.test"],
      account: { name: "Lab" },
    },
    { id: pending, status: "pending", account: { name: "Former" } },
  ]);
  expect(body.result_info).toEqual({
    page: 1,
    per_page: 20,
    count: 2,
    total_count: 2,
    total_pages: 1,
  });
  const active = await lab.ask("GET", "/zones?name=contoso.test&status=active");
  expect(active.body.result).toMatchObject([{ id: zone }]);
  const similar = await lab.ask("GET", "/zones?name=ntoso.test");
  expect(similar.body).toMatchObject({ success: true, result: [] });
  const ending = await lab.ask("GET", "/zones?name=ends_with:ntoso.test&per_page=1");
  expect(ending.body.result_info).toMatchObject({ count: 1, total_pages: 2 });
});

test("a zone that a token does not reach is an empty list, 403, and no record is readable", async () => {
  const other = await lab.cloudflare.addZone({ name: "fabrikam.test" });
  const token = bearer(lab.cloudflare.addToken({ name: "other", zones: [other] }));
  const list = await lab.ask("GET", "/zones?name=contoso.test", undefined, token);
  expect(list).toMatchObject({ status: 200, body: { result: [], errors: [] } });
  const one = await lab.ask("GET", `/zones/${zone}`, undefined, token);
  expect(one).toMatchObject({ status: 403, body: { errors: [fault(9109)] } });
  const records = await lab.ask("GET", `/zones/${zone}/dns_records`, undefined, token);
  expect(records).toMatchObject({ status: 403, body: { errors: [fault(10000)] } });
});

test("a zone that does not exist is 404, and so is a bad identifier", async () => {
  const none = "0".repeat(32);
  expect(await lab.ask("GET", `/zones/${none}`)).toMatchObject({
    status: 404,
    body: { success: false, result: null, errors: [fault(1001)] },
  });
  expect(await lab.ask("GET", `/zones/${none}/dns_records`)).toMatchObject({ status: 404 });
  expect(await lab.ask("GET", "/zones/contoso.test/dns_records")).toMatchObject({
    status: 404,
    body: { errors: [fault(7003), fault(7000)] },
  });
});

test("reading needs dns:read, writing needs dns:write, finding a zone needs zone:read", async () => {
  const reader = bearer(lab.cloudflare.addToken({ name: "reader", permissions: ["dns:read"] }));
  const path = `/zones/${zone}/dns_records`;
  const record = { type: "A", name: "denied", content: "192.0.2.1" };
  expect(await lab.ask("GET", path, undefined, reader)).toMatchObject({ status: 200 });
  expect(await lab.ask("POST", path, record, reader)).toMatchObject({
    status: 403,
    body: { errors: [fault(10000)] },
  });
  const zones = await lab.ask("GET", "/zones", undefined, reader);
  expect(zones.body.result).toEqual([]);
  const writer = bearer(lab.cloudflare.addToken({ name: "writer", permissions: ["dns:write"] }));
  expect(await lab.ask("GET", path, undefined, writer)).toMatchObject({ status: 200 });
});

test("a token is verified, expired, disabled, unknown, malformed or missing", async () => {
  const token = lab.cloudflare.addToken({ name: "short-lived" });
  const verify = (authorization: string) =>
    lab.ask("GET", "/user/tokens/verify", undefined, authorization);
  const list = (authorization: string) =>
    lab.ask("GET", `/zones/${zone}/dns_records`, undefined, authorization);
  expect((await verify(bearer(token))).body.result).toMatchObject({ status: "active" });
  for (const status of ["expired", "disabled"] as const) {
    lab.cloudflare.updateToken(token, { status });
    expect((await verify(bearer(token))).body.result).toMatchObject({ status });
    expect(await list(bearer(token))).toMatchObject({
      status: 403,
      body: { errors: [fault(10000)] },
    });
  }
  const unknown = bearer("x".repeat(40));
  expect(await verify(unknown)).toMatchObject({ status: 401, body: { errors: [fault(1000)] } });
  expect(await list(unknown)).toMatchObject({ status: 403 });
  expect(await list("Bearer short")).toMatchObject({
    status: 400,
    body: { errors: [fault(6003)] },
  });
  expect(await list("")).toMatchObject({ status: 400, body: { errors: [fault(9106)] } });
});

test("the log has every request with body, token and status, and every commit", async () => {
  lab.cloudflare.clearLogs();
  const path = `/zones/${zone}/dns_records`;
  const record = { type: "TXT", name: "logged", content: "one" };
  const id = idOf(await lab.ask("POST", path, record));
  await lab.ask("PATCH", `${path}/${id}`, { content: "two" });
  await lab.ask("GET", `${path}?type=TXT`);
  await lab.ask("DELETE", `${path}/${"0".repeat(32)}`);
  expect(lab.cloudflare.requests).toMatchObject([
    { method: "POST", path, body: record, token: "operator", kind: "write", status: 200 },
    { method: "PATCH", path: `${path}/${id}`, kind: "write", status: 200 },
    { method: "GET", path: `${path}?type=TXT`, kind: "read", status: 200 },
    { method: "DELETE", kind: "write", status: 404 },
  ]);
  const [first, second] = lab.cloudflare.requests;
  const name = "logged.contoso.test";
  const before = { name, type: "TXT", content: '"one"', ttl: 1 };
  const after = { name, type: "TXT", content: '"two"', ttl: 1 };
  expect(lab.cloudflare.commits).toMatchObject([
    { zone: "contoso.test", request: first?.sequence, changes: [{ after: before }] },
    { zone: "contoso.test", request: second?.sequence, changes: [{ before, after }] },
  ]);
});

test("answers tell what is left of the limit; who exceeds it is blocked for the time of a window", async () => {
  lab.cloudflare.limitRequests({ requests: 2, seconds: 60 });
  const authorization = `Bearer ${lab.cloudflare.addToken({ name: "busy" })}`;
  const ask = () => fetch(`${lab.cloudflare.url}/zones`, { headers: { authorization } });
  const answers = [await ask(), await ask(), await ask(), await ask()];
  const none = '"default";r=0;t=60';
  const header = (name: string) => answers.map(({ headers }) => headers.get(name));
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 429, 429]);
  expect(header("ratelimit")).toEqual(['"default";r=1;t=60', none, none, none]);
  expect(header("ratelimit-policy")[0]).toBe('"default";q=2;w=60');
  expect(header("retry-after")).toEqual([null, null, "60", "60"]);
  // Others are not held up.
  expect(await lab.ask("GET", "/zones")).toMatchObject({ status: 200, retryAfter: null });
});

test("the limit ends with its window, and so does the block", async () => {
  lab.cloudflare.limitRequests({ requests: 1, seconds: 300 });
  const start = Date.now();
  vi.useFakeTimers({ toFake: ["Date"], now: start });
  try {
    const statuses: number[] = [];
    for (const seconds of [0, 299, 300, 301, 600, 601]) {
      vi.setSystemTime(start + seconds * 1000);
      statuses.push((await lab.ask("GET", "/zones")).status);
    }
    // The second request exceeds it, one second before the window's end.
    expect(statuses).toEqual([200, 429, 429, 429, 200, 429]);
  } finally {
    vi.useRealTimers();
  }
});
