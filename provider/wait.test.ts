/** Waits, against name servers that lag or are down. */
import { mkdtempDisposable } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { type LabDns, startDns } from "../lab/dns.ts";
import { testNet as net } from "../lab/test-net.ts";
import { LiveDomain } from "./live-domain.ts";
import { Cancelled } from "./protocol/running-calls.ts";
import type { ServerAnswer } from "./public-domain.ts";
import type { Call } from "./resource.ts";
import { readSettings } from "./settings.ts";
import { pause, untilServed } from "./wait.ts";

const parts = new AsyncDisposableStack();
let dns: LabDns;
let live: LiveDomain;
let cancel = new AbortController();
let progress: string[] = [];

beforeAll(async () => {
  const directory = parts.use(await mkdtempDisposable(join(tmpdir(), "wait-"))).path;
  dns = parts.use(await startDns({ net, directory }));
  await dns.addZone("contoso.test");
  const address = { domain: "contoso.test" };
  live = await LiveDomain.open(callOf(), address, { id: "0", name: "contoso.test" });
});

beforeEach(async () => {
  cancel = new AbortController();
  progress = [];
  await publish("old");
});

afterAll(() => parts.disposeAsync());

function settings(waitSeconds = 20) {
  return readSettings(
    { waitSeconds },
    { CLOUDFLARE_API_TOKEN: "unused", MXHERO_RESOLVERS: dns.resolver },
  );
}

function callOf(waitSeconds?: number): Call {
  return {
    urn: "urn:pulumi:contoso::mail::mxhero:index:MxTakeover::contoso.test",
    preview: false,
    signal: cancel.signal,
    settings: settings(waitSeconds),
    info: () => undefined,
    warn: () => undefined,
    progress: (message) => progress.push(message),
  };
}

function publish(text: string, servers = [0, 1]): Promise<void> {
  const records = [`"${text}"`];
  const rrset = { name: "contoso.test", type: "TXT", ttl: 60, records };
  return dns.publish("contoso.test", [rrset], { servers });
}

const isNew = ({ answer }: ServerAnswer<"TXT">) => answer.records.includes("new");

function wait(call = callOf()): Promise<void> {
  return untilServed(live, call, "TXT", 'every name server serves "new"', isNew);
}

test("what is served everywhere is not waited for", async () => {
  await publish("new");
  await wait();
  expect(progress).toEqual([]);
});

test("a wait says what for, who lags and how long it may take, and ends when all serve it", async () => {
  await publish("new", [0]);
  const waiting = wait();
  await expect.poll(() => progress).toHaveLength(1);
  const words = progress[0]?.replace(/waited \d+ s/, "waited … s");
  expect(words).toBe(
    `waiting until every name server serves "new": 1 of 2 name servers, not yet ns2.dns-host.test (${net}.0.12); waited … s of at most 20 s`,
  );
  await publish("new", [1]);
  await waiting;
  expect(progress).toHaveLength(1);
});

test("at the bound it fails, and names the server that lags", async () => {
  await publish("new", [1]);
  await expect(wait(callOf(0.3))).rejects.toMatchObject({
    code: "not-served",
    where: "DNS of contoso.test",
    problem: expect.stringContaining('every name server serves "new"'),
    value: `ns1.dns-host.test (${net}.0.11)`,
  });
});

test("a name server that is down counts as one that lags", async () => {
  await publish("new");
  await dns.setServerDown(0, true);
  try {
    await expect(wait(callOf(0.1))).rejects.toMatchObject({
      code: "not-served",
      value: `ns1.dns-host.test (${net}.0.11)`,
    });
  } finally {
    await dns.setServerDown(0, false);
  }
});

test("every name server is asked, and its answer is the caller's to judge", async () => {
  const seen: string[] = [];
  const elsewhere = await LiveDomain.open(
    callOf(),
    { domain: "nowhere.contoso.test" },
    { id: "0", name: "contoso.test" },
  );
  await untilServed(elsewhere, callOf(), "MX", "anything is answered", ({ server, answer }) => {
    seen.push(`${server.name} ${answer.status}`);
    return true;
  });
  expect(seen.toSorted()).toEqual(["ns1.dns-host.test nxdomain", "ns2.dns-host.test nxdomain"]);
});

test("a cancelled wait ends at once, with the reason", async () => {
  const stopped = new Cancelled("Stopped by the user.");
  const waiting = wait();
  const paused = pause(60, callOf(), "the overlap");
  await expect.poll(() => progress).toHaveLength(2);
  cancel.abort(stopped);
  await expect(waiting).rejects.toBe(stopped);
  await expect(paused).rejects.toBe(stopped);
  await expect(wait()).rejects.toBe(stopped);
  await expect(pause(60, callOf(), "the overlap")).rejects.toBe(stopped);
});

test("a pause takes its time, and says why", async () => {
  const ended = vi.fn<() => void>();
  const pausing = pause(0.2, callOf(), "old and new stand side by side").then(ended);
  await sleep(50);
  expect(ended).not.toHaveBeenCalled();
  await pausing;
  expect(progress).toEqual(["old and new stand side by side (0 s)"]);
});

test.each([
  [0, []],
  [-1, []],
])("a pause of %i seconds is none", async (seconds, said) => {
  await pause(seconds, callOf(), "nothing");
  expect(progress).toEqual(said);
});

test.each([
  [60, "60 s"],
  [119.4, "119 s"],
  [600, "10 min"],
])("%d seconds are written as %s", async (seconds, text) => {
  const paused = pause(seconds, callOf(), "waits");
  cancel.abort(new Cancelled("enough"));
  await expect(paused).rejects.toThrow("enough");
  expect(progress).toEqual([`waits (${text})`]);
});
