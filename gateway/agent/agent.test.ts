/** The agent on a host with real Postfix. */
import { setTimeout as delay } from "node:timers/promises";
import { DynamoDBClient, UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type MailSystem, startMailSystem } from "../../lab/mail-system.ts";
import { transact } from "../../lab/smtp-client.ts";
import { testNet } from "../../lab/test-net.ts";
import type { Route, RouteProof, RouteRecord } from "../../mail/route.ts";
import { recordOf, routeOf } from "../../mail/testdata/routes.ts";
import { routeKey } from "../../store/item.ts";
import { HOST_PATHS } from "../host-config.ts";
import { startTestHost, type TestHost } from "./test-host.ts";

let gateway: TestHost;
let server: MailSystem;

const serverAddress = `${testNet}.2.1`;
const client = `${testNet}.3.1`;
const until = { timeout: 30_000, interval: 200 };

beforeAll(async () => {
  gateway = await startTestHost();
  server = await startMailSystem({
    name: "mail.contoso.test",
    address: serverAddress,
    certificate: await gateway.authority.issue("mail.contoso.test"),
    domains: ["contoso.test", "probe.test", "open.test", "locked.test", "other.test"],
    recipients: ["info@contoso.test", "info@probe.test", "info@locked.test"],
  });
}, 120_000);

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await gateway[Symbol.asyncDispose]();
});

function route(domain: string, changes: Partial<Route> = {}): Route {
  const own = { server: serverAddress, probeRecipient: `info@${domain}` };
  return routeOf(domain, {
    ...own,
    identities: [{ kind: "network", network: `${client}/32` }],
    ...changes,
  });
}

const write = (record: RouteRecord, read?: number) => gateway.lab.store.writeRoute(record, read);

async function answer(domain: string) {
  return (await gateway.lab.store.readDomain(domain)).answers[0];
}

async function acknowledged(domain: string): Promise<number | undefined> {
  return (await answer(domain))?.acknowledged;
}

async function proofOf(proposed: Route): Promise<RouteProof | undefined> {
  const { active: _, ...record } = recordOf(proposed);
  const written = await write({ ...record, proposed: { version: 1, route: proposed } });
  const verdict = async () => (await answer(proposed.domain))?.proof?.verdict;
  await expect.poll(verdict, until).toMatch(/proven|failed/);
  const proof = (await answer(proposed.domain))?.proof;
  expect(proof?.version).toBe(written.proposed?.version);
  return proof;
}

function send(from: string, to: string, address = `${testNet}.1.1`) {
  const content = "Subject: test\r\n\r\nHello.\r\n";
  const name = "client.test";
  return transact({ address, localAddress: client, name, sender: from, recipient: to, content });
}

test("a host becomes healthy, and says so to the store", async () => {
  await expect.poll(async () => (await gateway.health())?.healthy, until).toBe(true);
  expect(await gateway.health()).toMatchObject({ slot: "a", faults: [], queued: 0 });
  await expect
    .poll(() => gateway.lab.store.reports(), until)
    .toMatchObject([{ slot: "a", healthy: true, faults: [], queued: 0 }]);
});

test("a change comes into the maps, and is acknowledged", async () => {
  await write(recordOf(route("contoso.test")));
  await expect
    .poll(() => answer("contoso.test"), until)
    .toEqual({ domain: "contoso.test", slot: "a", acknowledged: 1 });
  const value = await gateway.lookUp("inbound-transport", "contoso.test");
  expect(value).toBe(`server:[${serverAddress}]`);
});

/** In milliseconds, by the slot's report. */
async function toldUntil(): Promise<number> {
  const [report] = await gateway.lab.store.reports();
  return Date.parse(report?.toldUntil ?? "");
}

test("mail that passed is told, with its client", async () => {
  expect(await send("someone@outside.test", "info@contoso.test")).toMatchObject({
    outcome: "delivered",
  });
  await expect
    .poll(async () => (await answer("contoso.test"))?.lastInbound?.from, until)
    .toBe(client);
  expect(server.messages.at(-1)?.recipients).toEqual(["info@contoso.test"]);

  const relayed = await send("info@contoso.test", "someone@outside.test", `${testNet}.1.2`);
  expect(relayed).toMatchObject({ outcome: "delivered" });
  await expect
    .poll(async () => (await answer("contoso.test"))?.lastOutbound?.from, until)
    .toBe(client);
  const told = (await answer("contoso.test"))?.lastOutbound;
  expect(told).toMatchObject({
    spell: { since: told?.at, messages: 1 },
    clients: { latest: [{ at: told?.at, from: client }] },
  });
  // Soon all that passed is told, and the report says so.
  await expect.poll(toldUntil, until).toBeGreaterThan(Date.parse(told?.at ?? ""));
});

async function queuedMail() {
  return (await answer("contoso.test"))?.queuedOutbound;
}

test("outbound mail that waits in the queue is told, and when it is gone", async () => {
  // Nobody listens there.
  const to = `someone@[${testNet}.9.9]`;
  expect(await send("info@contoso.test", to, `${testNet}.1.2`)).toMatchObject({
    outcome: "delivered",
  });
  await expect.poll(async () => (await queuedMail())?.messages, until).toBe(1);
  const { since = "", at = "" } = (await queuedMail()) ?? {};
  expect(Date.parse(since)).toBeLessThanOrEqual(Date.parse(at));
  await expect.poll(toldUntil, until).toBeGreaterThan(Date.parse(since));

  const drain = ["/opt/mxhero-gateway/node", "/opt/mxhero-gateway/agent.js", "drain"];
  // The letter to outside.test of the test before waits, too.
  const stdout = "2 messages are queued.";
  expect(await gateway.host.exec([...drain, "--seconds=4"])).toMatchObject({ exitCode: 1, stdout });

  const left = async () => {
    await gateway.host.run(["postsuper", "-c", HOST_PATHS.relayInstance, "-d", "ALL"]);
    return (await queuedMail())?.messages;
  };
  await expect.poll(left, until).toBe(0);
  expect(await gateway.host.run(drain)).toBe("0 messages are queued.");
}, 120_000);

test("the policy service decides, and without it nothing is relayed", async () => {
  const relay = `${testNet}.1.2`;
  expect(await send("x@fabrikam.test", "someone@outside.test", relay)).toMatchObject({
    outcome: "permanent",
    reply: expect.stringContaining("5.7.1"),
  });
  await gateway.service("stop");
  expect(await send("info@contoso.test", "someone@outside.test", relay)).toMatchObject({
    outcome: "temporary",
    reply: expect.stringMatching(/^451 4\.3\.5/),
  });
  await gateway.service("start");
});

test("what the policy service cannot read is told in the health, until the next good answer", async () => {
  const health = () => gateway.health();
  await expect.poll(async () => (await health())?.healthy, until).toBe(true);
  const ask = `const s = require("node:net").connect("${HOST_PATHS.policySocket}", () => s.write("nonsense\\n\\n")).on("data", (d) => { console.log(String(d)); s.end(); })`;
  expect(await gateway.host.run(["node", "-e", ask])).toContain("action=451");
  const log = () => gateway.host.run(["journalctl", "-u", "mxhero-gateway"]);
  await expect.poll(log, until).toMatch(/policy service: .*\n[^]*policy service: all well again/);
  await expect.poll(async () => (await health())?.faults.join(), until).toBe("");
}, 90_000);

test("a proposed route is proven by real SMTP", async () => {
  const proof = await proofOf(route("probe.test", { rcptLookup: { kind: "probe" } }));
  expect(proof).toMatchObject({ verdict: "proven" });
  const actions = proof?.steps.map(({ action }) => action.replace(/-[0-9a-f]{16}@/, "-*@"));
  expect(actions).toEqual([
    `connect ${serverAddress} (${serverAddress}) port 25`,
    "EHLO smtp-in.gateway.test",
    "STARTTLS",
    "TLS handshake",
    "EHLO smtp-in.gateway.test",
    "MAIL FROM:<double-bounce@smtp-in.gateway.test>",
    "RCPT TO:<info@probe.test>",
    "RCPT TO:<no-such-user-*@probe.test>",
  ]);
});

test("a Server that is locked against the gateway fails the proof, with its words", async () => {
  server.lockTo(["192.0.2.1"]);
  const proof = await proofOf(route("locked.test"));
  server.lockTo(undefined);
  expect(proof).toMatchObject({ verdict: "failed", code: "proof-gateway-refused" });
  expect(proof?.steps.at(-1)?.outcome).toContain(
    `550 5.7.51 TenantInboundAttribution; Mail from ${testNet}.1.1`,
  );
});

test("without the store the agent goes on, across its own restart and the host's", async () => {
  const { moto } = gateway.lab;
  await moto.pause();
  await gateway.service("restart");
  const away = async () => (await gateway.health())?.faults.join();
  await expect.poll(away, until).toContain("store: not answering since");
  expect(await gateway.health()).toMatchObject({
    healthy: true,
    storeAwaySince: expect.any(String),
  });
  expect(await send("a@outside.test", "info@contoso.test")).toMatchObject({ outcome: "delivered" });

  await gateway.service("enable");
  await gateway.host.kill();
  await gateway.host.boot();
  await expect.poll(async () => (await gateway.health())?.healthy, until).toBe(true);
  expect(await send("a@outside.test", "info@contoso.test")).toMatchObject({ outcome: "delivered" });
  const relayed = await send("info@contoso.test", "b@outside.test", `${testNet}.1.2`);
  expect(relayed).toMatchObject({ outcome: "delivered" });

  moto.resume();
  await write(recordOf(route("contoso.test", { server: `${testNet}.2.9` })), 1);
  await expect.poll(() => acknowledged("contoso.test"), until).toBe(2);
  expect(await gateway.health()).not.toHaveProperty("storeAwaySince");
}, 180_000);

test("a slot that starts with an empty disk acknowledges the routes that are there", async () => {
  await gateway.service("stop");
  const { revision } = await write(recordOf(route("before.test")));
  await gateway.host.run(["sh", "-c", `rm -rf ${HOST_PATHS.state}/*`]);
  await gateway.service("start");
  await expect.poll(() => acknowledged("before.test"), until).toBe(revision);
  const value = await gateway.lookUp("inbound-transport", "before.test");
  expect(value).toBe(`server:[${serverAddress}]`);
});

test("a route that a newer release wrote stays as it was, is told, and holds up no other one", async () => {
  const faults = async () => (await gateway.health())?.faults.join();
  const newer = await write(recordOf(route("newer.test")));
  await expect.poll(() => acknowledged("newer.test"), until).toBe(newer.revision);
  const { endpoint, region, table } = gateway.lab.options;
  const update = new UpdateItemCommand({
    TableName: table,
    Key: routeKey("newer.test"),
    UpdateExpression: "SET #record = :record",
    ExpressionAttributeNames: { "#record": "record" },
    ExpressionAttributeValues: { ":record": { S: '{"color":"red"}' } },
  });
  await new DynamoDBClient({ endpoint, region }).send(update);
  await expect.poll(faults, until).toMatch(/unreadable routes: .*newer\.test/);
  const next = await write(recordOf(route("next.test")));
  await expect.poll(() => acknowledged("next.test"), until).toBe(next.revision);
  const value = await gateway.lookUp("inbound-transport", "newer.test");
  expect(value).toBe(`server:[${serverAddress}]`);
  expect((await gateway.health())?.healthy).toBe(true);
});

test("a login's password comes from the secret store, and nobody else sees it", async () => {
  const { store } = gateway.lab;
  // As the provider names them: every password has a name of its own.
  const routeWithPassword = async (version: number) => {
    const secret = `relay/login.test/${version}`;
    await store.putSecret(secret, `s3cret-${version}`);
    const login = { user: "gw", secret, secretVersion: version };
    return route("login.test", {
      relayServer: { host: serverAddress, port: 587, tls: "required", login },
    });
  };
  const { revision } = await write(recordOf(await routeWithPassword(1)));
  const password = () => gateway.lookUp("relay-passwords", "@login.test");
  await expect.poll(password, until).toBe("gw:s3cret-1");
  await write(recordOf(await routeWithPassword(2)), revision);
  await expect.poll(password, until).toBe("gw:s3cret-2");

  const readable = `grep -rl s3cret ${HOST_PATHS.maps} ${HOST_PATHS.state} /etc/postfix* /var/log /etc/mxhero-gateway`;
  const asNobody = ["setpriv", "--reuid=nobody", "--clear-groups", "sh", "-c", readable];
  expect((await gateway.host.exec(asNobody)).stdout).toBe("");
  const found = (await gateway.host.exec(["sh", "-c", readable])).stdout.split("\n").toSorted();
  expect(found).toEqual([
    `${HOST_PATHS.maps}/relay-passwords.lmdb`,
    `${HOST_PATHS.state}/secrets.json`,
  ]);
});

test("a route that leaves changes by the clock alone", async () => {
  const record = recordOf(route("leaving.test"));
  const { revision } = await write(record);
  const seen = new Set<string>();
  const look = async () => {
    const value = await gateway.lookUp("inbound-transport", "leaving.test");
    if (value !== undefined) seen.add(value);
    return value;
  };
  await expect.poll(look, until).toBeDefined();
  const now = Date.now();
  const at = (seconds: number) => new Date(now + seconds * 1000).toISOString();
  const leaving = { since: at(-10), deferFrom: at(15), refuseFrom: at(30), expires: at(45) };
  await write({ ...record, leaving }, revision);
  await expect.poll(look, { ...until, timeout: 90_000 }).toBeUndefined();
  expect([...seen]).toEqual([
    `server:[${serverAddress}]`,
    expect.stringMatching(/^retry:4\.7\.1 .*gateway\.example\/help/),
    expect.stringMatching(/^error:5\.7\.1 .*gateway\.example\/help/),
  ]);
}, 150_000);

test("an install changes nothing where all is as it should be", async () => {
  const install = ["/opt/mxhero-gateway/node", "/opt/mxhero-gateway/agent.js", "install"];
  expect(await gateway.host.run(install)).toBe("Nothing to do.");
  const other = await gateway.authority.issue("smtp-in.gateway.test");
  await gateway.lab.store.putSecret("tls/key", other.key);
  // The pair is half written: that of before stays.
  const before = await gateway.host.run(["cat", HOST_PATHS.tlsChain]);
  const half = await gateway.host.exec(install);
  expect(half).toMatchObject({ exitCode: 0, stdout: "Nothing to do." });
  expect(half.stderr).toContain("tls/key and tls/certificate do not belong together");
  expect(await gateway.host.run(["cat", HOST_PATHS.tlsChain])).toBe(before);
  await gateway.lab.store.putSecret("tls/certificate", other.cert);
  expect(await gateway.host.run(install)).toBe(
    `Wrote ${HOST_PATHS.tlsChain}.\nReloaded postfix-in.\nReloaded postfix-relay.`,
  );
  const mode = ["stat", "--format=%a %U", HOST_PATHS.tlsChain];
  expect(await gateway.host.run(mode)).toBe("600 root");
}, 90_000);

test("a first install waits for the other half of the certificate's pair", async () => {
  const install = ["/opt/mxhero-gateway/node", "/opt/mxhero-gateway/agent.js", "install"];
  const other = await gateway.authority.issue("smtp-in.gateway.test");
  await gateway.lab.store.putSecret("tls/key", other.key);
  await gateway.host.run(["rm", HOST_PATHS.tlsChain]);
  const installing = gateway.host.run(install, { timeout: 90 });
  // Long enough that the half pair is what it meets first.
  const early = await Promise.race([installing, delay(5_000, "waits")]);
  expect(early).toBe("waits");
  await gateway.lab.store.putSecret("tls/certificate", other.cert);
  expect(await installing).toContain(`Wrote ${HOST_PATHS.tlsChain}.`);
  const chain = await gateway.host.run(["cat", HOST_PATHS.tlsChain]);
  expect(chain).toContain(other.cert.trim());
}, 120_000);
