/** Cloudflare's zones and records, on the lab's emulator. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import type { FaultEffect, RecordSpec } from "../lab/cloudflare/index.ts";
import { startTestLab, type TestLab } from "../lab/cloudflare/test-lab.ts";
import { MailRuleError } from "../mail/errors.ts";
import { CloudflareAccount } from "./cloudflare.ts";
import { WriteRefusedForNow, WriteUncertain } from "./cloudflare-errors.ts";
import type { Batch, NewRecord } from "./cloudflare-records.ts";
import { callerWith } from "./test-caller.ts";

let lab: TestLab;
let zone: { readonly id: string; readonly name: string };

beforeAll(async () => {
  lab = await startTestLab();
  const id = await lab.cloudflare.addZone({ name: "contoso.test", plan: "pro" });
  zone = { id, name: "contoso.test" };
});

beforeEach(() => lab.cloudflare.seed(zone.id, []));
afterEach(() => {
  lab.cloudflare.clearFaults();
  lab.cloudflare.limitRequests({ requests: 1200, seconds: 300 });
});
afterAll(() => lab.dispose());

const envWith = (token: string) => ({
  CLOUDFLARE_API_TOKEN: token,
  CLOUDFLARE_BASE_URL: lab.cloudflare.url,
});

function account(token = lab.operator): CloudflareAccount {
  const env = envWith(token);
  return new CloudflareAccount(callerWith(env));
}

const mx = (name: string, content: string): RecordSpec => ({
  name,
  type: "MX",
  content,
  priority: 10,
});
const txt = (name: string, text: string): RecordSpec => ({
  name,
  type: "TXT",
  content: `"${text}"`,
});
const newTxt = (content: string): NewRecord => ({
  name: "contoso.test",
  type: "TXT",
  content,
  ttl: 1,
});
const batch = (changes: Partial<Batch>): Batch => ({
  deletes: [],
  patches: [],
  posts: [],
  ...changes,
});

async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => "it was done",
    (error: unknown) => error,
  );
}

test("a domain's list holds the records at its name and all journals of the zone, and no others", async () => {
  await lab.cloudflare.seed(zone.id, [
    mx("sub.contoso.test", "mail.contoso.test"),
    txt("sub.contoso.test", "v=spf1 -all"),
    txt("_mxhero.contoso.test", "v=mxhero1 apex"),
    txt("sub._mxhero.contoso.test", "v=mxhero1 sub"),
    mx("contoso.test", "mail.contoso.test"),
    mx("a.sub.contoso.test", "mail.contoso.test"),
    mx("notsub.contoso.test", "mail.contoso.test"),
    txt("_mxhero.sub.contoso.test", "not a name of the journal"),
  ]);
  const records = await account().listDomain(zone, "sub.contoso.test");
  expect(records.map(({ name, content }) => `${name} ${content}`).toSorted()).toEqual([
    "_mxhero.contoso.test v=mxhero1 apex",
    "sub._mxhero.contoso.test v=mxhero1 sub",
    "sub.contoso.test mail.contoso.test",
    "sub.contoso.test v=spf1 -all",
  ]);
});

test("records are read as DNS has them", async () => {
  await lab.cloudflare.seed(zone.id, [
    { ...mx("@", "Mail.Contoso.test."), ttl: 600, comment: "first floor", tags: ["owner:it"] },
    { ...mx("@", "route1.mx.example"), priority: 20, readOnly: true },
    { name: "@", type: "TXT", content: String.raw`"v=spf1 " "mx \"x\" \\ -all"` },
  ]);
  expect(await account().listDomain(zone, "contoso.test")).toMatchObject([
    {
      type: "MX",
      content: "mail.contoso.test",
      priority: 10,
      ttl: 600,
      comment: "first floor",
      tags: ["owner:it"],
      readOnly: false,
    },
    { type: "MX", content: "route1.mx.example", priority: 20, readOnly: true },
    { type: "TXT", content: String.raw`v=spf1 mx "x" \ -all`, readOnly: false },
  ]);
});

test("the null MX is an empty exchange, read and written", async () => {
  const nullMx: NewRecord = { name: "contoso.test", type: "MX", content: "", priority: 0, ttl: 1 };
  await account().writeBatch(zone, batch({ posts: [nullMx] }));
  expect(lab.cloudflare.snapshot(zone.id)).toMatchObject([{ type: "MX", content: "." }]);
  expect(await account().listDomain(zone, "contoso.test")).toMatchObject([
    { type: "MX", content: "", priority: 0 },
  ]);
});

test("the records at and below a name", async () => {
  await lab.cloudflare.seed(zone.id, [
    mx("sub.contoso.test", "mail.contoso.test"),
    txt("_dmarc.sub.contoso.test", "v=DMARC1; p=none"),
    txt("notsub.contoso.test", "x"),
    txt("sub._mxhero.contoso.test", "v=mxhero1 sub"),
  ]);
  const records = await account().listSubtree(zone, "sub.contoso.test");
  expect(records.map(({ name }) => name).toSorted()).toEqual([
    "_dmarc.sub.contoso.test",
    "sub.contoso.test",
  ]);
});

test("MX at wildcard names, whatever the depth", async () => {
  await lab.cloudflare.seed(zone.id, [
    mx("*.contoso.test", "mail.contoso.test"),
    mx("*.sub.contoso.test", "mail.contoso.test"),
    mx("contoso.test", "mail.contoso.test"),
    txt("*.contoso.test", "v=spf1 -all"),
  ]);
  const records = await account().listWildcardMx(zone);
  expect(records.map(({ name }) => name).toSorted()).toEqual([
    "*.contoso.test",
    "*.sub.contoso.test",
  ]);
});

test("a zone is found by its exact name, in every account that the token reaches", async () => {
  const duplicate = { name: "contoso.test", account: "Other", status: "pending" } as const;
  const pending = await lab.cloudflare.addZone(duplicate);
  const found = await account().findZones("contoso.test");
  expect(found.map(({ id, status }) => `${id} ${status}`).toSorted()).toEqual(
    [`${zone.id} active`, `${pending} pending`].toSorted(),
  );
  expect(await account().findZones("toso.test")).toEqual([]);
  expect(await account().getZone(zone.id)).toMatchObject({
    name: "contoso.test",
    type: "full",
    nameServers: ["ns1.dns-host.test", "ns2.dns-host.test"],
  });
  await lab.cloudflare.removeZone(pending);
});

test("an empty list of a zone that answers is empty", async () => {
  expect(await account().listDomain(zone, "contoso.test")).toEqual([]);
});

test.each<[string, FaultEffect]>([
  ["an expired token", { fault: "token-expired" }],
  ["a zone that is not there", { fault: "zone-missing" }],
])("%s is an error, never an empty list", async (_what, fault) => {
  lab.cloudflare.addFault({ ...fault, times: "always" });
  for (const read of [
    account().listDomain(zone, "contoso.test"),
    account().listWildcardMx(zone),
    account().getZone(zone.id),
  ]) {
    await expect(read).rejects.toBeInstanceOf(MailRuleError);
  }
});

test.each<[string, FaultEffect]>([
  ["429", { fault: "rate-limited", retryAfter: 0.1 }],
  ["500", { fault: "error-before-commit" }],
  ["a dropped connection", { fault: "dropped-before-commit" }],
])("a read is repeated after %s", async (_what, fault) => {
  await lab.cloudflare.seed(zone.id, [mx("@", "mail.contoso.test")]);
  lab.cloudflare.addFault(fault);
  expect(await account().listDomain(zone, "contoso.test")).toHaveLength(1);
});

test("a token for other zones is refused, not answered with nothing", async () => {
  const token = lab.cloudflare.addToken({ name: "stranger", zones: [] });
  const error = await rejection(account(token).listDomain(zone, "contoso.test"));
  expect(error).toMatchObject({ code: "token-refused" });
});

test("a patch keeps the comment and the tags that it does not name; the answer is what stands then", async () => {
  await lab.cloudflare.seed(zone.id, [
    { ...txt("@", "v=spf1 -all"), ttl: 600, comment: "do not touch", tags: ["owner:it"] },
    txt("@", "other=1"),
  ]);
  const [spf, other] = await account().listDomain(zone, "contoso.test");
  const text = `v=spf1 ${"ip4:192.0.2.1 ".repeat(30)}-all`;
  const written = await account().writeBatch(
    zone,
    batch({
      patches: [{ ...newTxt(text), ttl: 600, id: spf?.id ?? "" }],
      deletes: [other?.id ?? ""],
      posts: [newTxt("new=1")],
    }),
  );
  expect(written).toMatchObject([
    { content: text, ttl: 600, comment: "do not touch", tags: ["owner:it"] },
    { content: "new=1" },
  ]);
  expect(await account().listDomain(zone, "contoso.test")).toEqual(
    expect.arrayContaining([...written]),
  );
  expect(await lab.nameServer(0).resolveTxt("contoso.test")).toHaveLength(2);
});

test("an emptied comment and emptied tags are gone", async () => {
  await lab.cloudflare.seed(zone.id, [
    { ...txt("@", "v=spf1 -all"), comment: "old", tags: ["owner:it"] },
  ]);
  const [record] = await account().listDomain(zone, "contoso.test");
  const patch = { ...newTxt("v=spf1 -all"), id: record?.id ?? "", comment: "", tags: [] };
  const [patched] = await account().writeBatch(zone, batch({ patches: [patch] }));
  expect(patched).toMatchObject({ content: "v=spf1 -all" });
  expect(patched).not.toHaveProperty("comment");
  expect(patched).not.toHaveProperty("tags");
});

test.each<[FaultEffect, number]>([
  [{ fault: "error-before-commit" }, 0],
  [{ fault: "error-after-commit" }, 1],
  [{ fault: "dropped-before-commit" }, 0],
  [{ fault: "dropped-after-commit" }, 1],
])("a write that met %j is uncertain, and is not sent again", async (fault, records) => {
  lab.cloudflare.clearLogs();
  lab.cloudflare.addFault(fault);
  const error = await rejection(account().writeBatch(zone, batch({ posts: [newTxt("x=1")] })));
  expect(error).toBeInstanceOf(WriteUncertain);
  expect(lab.cloudflare.snapshot(zone.id)).toHaveLength(records);
  expect(lab.cloudflare.requests).toHaveLength(1);
});

test("a write that met the rate limit was not done, and says when to come back", async () => {
  lab.cloudflare.addFault({ fault: "rate-limited", retryAfter: 7 });
  const error = await rejection(account().writeBatch(zone, batch({ posts: [newTxt("x=1")] })));
  expect(error).toBeInstanceOf(WriteRefusedForNow);
  expect(error).toMatchObject({ retryAfterSeconds: expect.closeTo(7, 1) });
  expect(lab.cloudflare.snapshot(zone.id)).toEqual([]);
});

test("a token that has not the form of one is told as such, and not shown", async () => {
  const error = await rejection(account("wrongtoken123").listDomain(zone, "contoso.test"));
  expect(error).toMatchObject({
    code: "token-refused",
    message: expect.stringContaining("no quotes or blanks around it"),
  });
  expect(String(error)).not.toContain("wrongtoken123");
});

test.each<FaultEffect>([{ fault: "token-read-only" }, { fault: "token-expired" }])(
  "a write that met %j names the token's variable, never the token",
  async (fault) => {
    lab.cloudflare.addFault(fault);
    const error = await rejection(account().writeBatch(zone, batch({ posts: [newTxt("x=1")] })));
    expect(error).toMatchObject({
      code: "token-refused",
      where: "Cloudflare, records of the zone contoso.test",
      message: expect.stringContaining("CLOUDFLARE_API_TOKEN"),
    });
    expect(JSON.stringify(error)).not.toContain(lab.operator);
    expect(String(error)).not.toContain(lab.operator);
  },
);

test("what another has changed meanwhile is uncertain, so that it is read again", async () => {
  await lab.cloudflare.seed(zone.id, [txt("@", "v=spf1 -all"), txt("@", "gone=1")]);
  const records = await account().listDomain(zone, "contoso.test");
  const gone = records.find(({ content }) => content === "gone=1")?.id ?? "";
  await lab.cloudflare.edit(zone.id, {
    remove: [{ name: "@", type: "TXT", content: '"gone=1"' }],
    add: [{ name: "www", type: "CNAME", content: "host.example.com" }],
  });
  for (const changes of [
    { deletes: [gone] },
    { patches: [{ ...newTxt("gone=2"), id: gone }] },
    { posts: [newTxt("v=spf1 -all")] },
    { posts: [{ ...newTxt("x=1"), name: "www.contoso.test" }] },
  ]) {
    const error = await rejection(account().writeBatch(zone, batch(changes)));
    expect(error).toBeInstanceOf(WriteUncertain);
    expect(error).toMatchObject({ message: expect.stringMatching(/meanwhile \(810\d\d /) });
  }
});

test("a fault of the record itself is final, with what the API says of it", async () => {
  const error = await rejection(
    account().writeBatch(zone, batch({ posts: [{ ...newTxt("x=1"), ttl: 7 }] })),
  );
  expect(error).toMatchObject({
    code: "cloudflare-error",
    problem: expect.stringContaining("9021 TTL must be between 60 and 86400"),
  });
});

test("reads keep to the limit, and say that they wait", async () => {
  lab.cloudflare.limitRequests({ requests: 20, seconds: 2 });
  lab.cloudflare.clearLogs();
  const caller = callerWith(envWith(lab.operator));
  const read = () => new CloudflareAccount(caller).listDomain(zone, "contoso.test");
  // The first answer tells the limit.
  await read();
  await Promise.all(Array.from({ length: 39 }, read));
  expect(lab.cloudflare.requests.map(({ status }) => status)).toEqual(Array(40).fill(200));
  expect(caller.told).toContain(
    "waiting for Cloudflare's rate limit before reading records of the zone contoso.test (2 s)",
  );
});

test("a limit that others have used up is kept to, too", async () => {
  lab.cloudflare.limitRequests({ requests: 20, seconds: 2 });
  await Promise.all(Array.from({ length: 19 }, () => lab.ask("GET", "/zones")));
  lab.cloudflare.clearLogs();
  const caller = callerWith(envWith(lab.operator));
  const own = new CloudflareAccount(caller);
  for (let read = 0; read < 3; read += 1) await own.listDomain(zone, "contoso.test");
  expect(lab.cloudflare.requests.map(({ status }) => status)).toEqual([200, 200, 200]);
  expect(caller.told).toHaveLength(1);
});

test("a read that meets 429 waits as long as it says; a write is not even sent meanwhile", async () => {
  lab.cloudflare.limitRequests({ requests: 1, seconds: 6 });
  await lab.ask("GET", "/zones");
  lab.cloudflare.clearLogs();
  const caller = callerWith(envWith(lab.operator));
  const own = new CloudflareAccount(caller);
  const reading = own.listDomain(zone, "contoso.test");
  await expect.poll(() => caller.told).toHaveLength(1);
  const error = await rejection(own.writeBatch(zone, batch({ posts: [newTxt("x=1")] })));
  expect(error).toBeInstanceOf(WriteRefusedForNow);
  expect(await reading).toEqual([]);
  expect(lab.cloudflare.requests.map(({ kind, status }) => `${kind} ${status}`)).toEqual([
    "read 429",
    "read 200",
  ]);
});

test("a wait for the limit ends with the run, and is never longer than one wait may be", async () => {
  lab.cloudflare.limitRequests({ requests: 1, seconds: 300 });
  await lab.ask("GET", "/zones");
  await lab.ask("GET", "/zones");
  const cancel = new AbortController();
  const waiting = new CloudflareAccount(callerWith(envWith(lab.operator), cancel.signal));
  const reading = rejection(waiting.listDomain(zone, "contoso.test"));
  lab.cloudflare.clearLogs();
  await expect.poll(() => lab.cloudflare.requests[0]?.status).toBe(429);
  const reason = new Error("Stopped by the user.");
  cancel.abort(reason);
  expect(await reading).toBe(reason);
  const impatient = { ...envWith(lab.operator), MXHERO_WAIT_SECONDS: "200" };
  const error = await rejection(
    new CloudflareAccount(callerWith(impatient)).listDomain(zone, "contoso.test"),
  );
  expect(error).toMatchObject({
    code: "rate-limit-reached",
    problem: expect.stringContaining("5 min"),
  });
});
