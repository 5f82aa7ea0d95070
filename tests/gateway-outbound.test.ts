/**
 * Outbound mail whose way its sender's domain alone does not tell: that of the null sender, and what is in the
 * queue while its route changes. By real sessions with real Postfix.
 */
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { HOST_PATHS } from "../gateway/host-config.ts";
import { fleetNames } from "../lab/hosts/fleet.ts";
import {
  exampleRoute,
  type FleetWorld,
  queueOf,
  startFleetWorld,
} from "../lab/hosts/fleet-world.ts";
import type { MailSystem } from "../lab/mail-system.ts";
import { composeMessage } from "../lab/message.ts";
import { testNet as net } from "../lab/test-net.ts";
import type { RelayServer, Route } from "../mail/route.ts";

vi.setConfig({ testTimeout: 120_000 });

let world: FleetWorld;
let outside: MailSystem;

beforeAll(async () => {
  world = await startFleetWorld({ net, slots: 1 });
  outside = await world.addMailSystem({
    name: "mail.outside.test",
    address: `${net}.6.1`,
    domains: ["outside.test"],
  });
  await world.addDomain("outside.test", "mail.outside.test");
}, 240_000);

afterAll(() => world?.[Symbol.asyncDispose]());

/** A tenant that sends from `<net>.2.<number>`. */
function sends(domain: string, number: number, more: Partial<Route> = {}): Route {
  const identities = [{ kind: "network", network: `${net}.2.${number}/32` }] as const;
  return exampleRoute(domain, { identities, ...more });
}

function relayAt(host: string, more: Partial<RelayServer> = {}): { relayServer: RelayServer } {
  return { relayServer: { host, port: 25, tls: "opportunistic", ...more } };
}

let messages = 0;

/** Hands a message in at smtp-relay, from `<net>.2.<number>`; gives its id. */
async function relay(number: number, sender: string, ...recipients: readonly string[]) {
  messages += 1;
  const id = `outbound-${messages}`;
  await using session = await world.toRelay("a", `2.${number}`);
  const content = composeMessage({ id, from: "ann@x.test", to: "bob@x.test", subject: "Out" });
  expect(await session.say(`MAIL FROM:<${sender}>`)).toMatch(/^250 /);
  for (const recipient of recipients) {
    expect(await session.say(`RCPT TO:<${recipient}>`)).toMatch(/^250 /);
  }
  expect(await session.say("DATA")).toMatch(/^354 /);
  session.write(`${content}.\r\n`);
  expect(await session.reply()).toMatch(/^250 /);
  return id;
}

/** The message at a mail system, once it is there. */
async function arrived(system: MailSystem, id: string) {
  const find = () => system.messages.find((message) => message.id === id);
  await expect.poll(find).toBeDefined();
  return find();
}

test("the null sender's mail goes through its tenant's Relay Server, to recipients inside the fleet, too", async () => {
  const server = await world.addMailSystem({
    name: "mail.inside.test",
    address: `${net}.6.2`,
    domains: ["inside.test"],
  });
  await world.addDomain("inside.test");
  const filters = await Promise.all(
    [1, 2].map((number) =>
      world.addMailSystem({ name: `filter${number}.hop.test`, address: `${net}.7.${number}` }),
    ),
  );
  await world.fleet.activate([
    exampleRoute("inside.test"),
    sends("one.test", 1, relayAt("filter1.hop.test", { tls: "required" })),
    sends("two.test", 2, relayAt("filter2.hop.test")),
    sends("plain.test", 3),
  ]);
  for (const [index, filter] of filters.entries()) {
    const id = await relay(index + 1, "", "bob@outside.test", "eve@inside.test");
    const message = await arrived(filter, id);
    expect(message?.recipients.toSorted()).toEqual(["bob@outside.test", "eve@inside.test"]);
    expect(message).toMatchObject({
      sender: "",
      path: [fleetNames.smtpRelay, `filter${index + 1}.hop.test`],
      secure: true,
    });
  }
  const id = await relay(3, "", "bob@outside.test", "eve@inside.test");
  for (const system of [outside, server]) {
    expect(await arrived(system, id)).toMatchObject({ sender: "" });
    expect(system.messages.filter(({ sender }) => sender === "")).toHaveLength(1);
  }
});

test("where mail loops back to the Server, the null sender's does, too", async () => {
  const server = await world.addMailSystem({ name: "mail.back.test", address: `${net}.6.3` });
  await world.fleet.activate([sends("back.test", 4, { outbound: "loopback" })]);
  const id = await relay(4, "", "bob@outside.test");
  expect(await arrived(server, id)).toMatchObject({ recipients: ["bob@outside.test"] });
});

test("a null sender has no login: its mail goes by MX, and never with another tenant's", async () => {
  const host = await world.addMailSystem({
    name: "login.hop.test",
    address: `${net}.7.3`,
    port: 587,
    logins: { red: "secret" },
  });
  const login = await world.fleet.putLogin("login.test", "red", "secret");
  const at587 = { port: 587, tls: "verified" } as const;
  await world.fleet.activate([
    sends("login.test", 5, relayAt("login.hop.test", { ...at587, login })),
    sends("no-login.test", 6, relayAt("login.hop.test", at587)),
  ]);
  const withSender = await relay(5, "ann@login.test", "bob@outside.test");
  expect(await arrived(host, withSender)).toMatchObject({ user: "red" });
  expect(await arrived(outside, await relay(5, "", "bob@outside.test"))).toBeDefined();
  await relay(6, "", "other@outside.test");
  // The host demands a login, and this tenant has none.
  await expect
    .poll(() => world.slot("a").host.run(["cat", HOST_PATHS.relayLog]))
    .toMatch(/to=<other@outside\.test>.*status=bounced .*said: 530 /);
  expect(host.messages).toHaveLength(1);
});

/** Mail that waits for a Relay Server which does not answer. @returns its id */
async function waiting(number: number, domain: string): Promise<string> {
  await world.fleet.activate([sends(domain, number, relayAt(`${net}.7.99`))]);
  const id = await relay(number, `ann@${domain}`, "bob@outside.test");
  const reason = async () =>
    (await queueOf(world.slot("a"), "postfix-relay")).find(({ sender }) => sender.endsWith(domain))
      ?.reason;
  await expect.poll(reason).toMatch(/Connection refused/);
  return id;
}

/**
 * Has the queue tried again. Postfix's queue manager remembers for 30 s where the last address went that it
 * asked for: so it is asked for another one before.
 */
async function flush(): Promise<void> {
  await world.fleet.activate([sends("other.test", 10)]);
  await arrived(outside, await relay(10, "ann@other.test", "other@outside.test"));
  await world.slot("a").host.run(["postqueue", "-c", "/etc/postfix-relay", "-f"]);
}

/** So many seconds from now. */
function at(seconds: number): string {
  return new Date(Date.now() + seconds * 1000).toISOString();
}

test("queued mail of a domain that sends no more still goes through its Relay Server; new mail is refused", async () => {
  const id = await waiting(7, "ended.test");
  await world.fleet.write({
    domain: "ended.test",
    holder: { organisation: "ended.test", claims: ["ended.test.1"] },
    active: { version: 2, route: exampleRoute("ended.test", { outbound: "none" }) },
    formerWay: { outbound: "standard", ...relayAt(`${net}.7.98`) },
  });
  await using session = await world.toRelay("a", "2.7");
  expect((await session.ask("ann@ended.test", "x@outside.test")).rcpt).toMatch(/^550 5\.7\.1 /);
  const host = await world.addMailSystem({ name: "ended.hop.test", address: `${net}.7.98` });
  await flush();
  expect(await arrived(host, id)).toMatchObject({ sender: "ann@ended.test" });
});

test("a domain that receives no more is accepted for a while; after that queued mail still goes to its Server", async () => {
  const address = `${net}.6.7`;
  const server = { server: address };
  await world.fleet.activate([exampleRoute("closed.test", server)]);
  const id = "closed-1";
  const content = composeMessage({ id, from: "x@x.test", to: "ann@closed.test", subject: "In" });
  await using before = await world.toInbound("a");
  expect(await before.deliver("x@outside.test", "ann@closed.test", content)).toMatch(/^250 /);
  const isWaiting = async () =>
    (await queueOf(world.slot("a"), "postfix-in")).some(({ reason }) =>
      reason?.includes("Connection refused"),
    );
  await expect.poll(isWaiting).toBe(true);
  const end = at(30);
  await world.fleet.write({
    domain: "closed.test",
    holder: { organisation: "closed.test", claims: ["closed.test.1"] },
    active: { version: 2, route: exampleRoute("closed.test", { inbound: false }) },
    formerServer: {
      ...server,
      mxLookup: false,
      until: at(600),
      accepts: { rcptLookup: { kind: "off" }, until: end },
    },
  });
  await using after = await world.toInbound("a");
  const answer = async () => (await after.ask("x@outside.test", "ann@closed.test")).rcpt;
  expect(await answer()).toMatch(/^250 /);
  await expect.poll(answer, { timeout: 75_000, interval: 500 }).toMatch(/^554 5\.7\.1 /);
  expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(end));
  const host = await world.addMailSystem({ name: "mail.closed.test", address });
  await world.slot("a").host.run(["postqueue", "-c", "/etc/postfix-in", "-f"]);
  expect(await arrived(host, id)).toMatchObject({ recipients: ["ann@closed.test"] });
});

test("a bounce to a domain that never received through the gateway takes its MX", async () => {
  const filter = await world.addMailSystem({
    name: "mx.only.test",
    address: `${net}.6.8`,
    domains: ["only.test"],
  });
  await world.addDomain("only.test", "mx.only.test");
  await world.addMailSystem({ name: "mail.refuses.test", address: `${net}.6.9`, domains: [] });
  const only = { server: `${net}.6.10`, inbound: false };
  await world.fleet.activate([
    exampleRoute("only.test", only),
    exampleRoute("refuses.test", { server: `${net}.6.9` }),
  ]);
  const content = composeMessage({
    id: "b",
    from: "a@only.test",
    to: "x@refuses.test",
    subject: "B",
  });
  await using session = await world.toInbound("a");
  expect(await session.deliver("ann@only.test", "x@refuses.test", content)).toMatch(/^250 /);
  const bounce = () => filter.messages.find(({ recipients }) => recipients[0] === "ann@only.test");
  await expect.poll(bounce).toMatchObject({ sender: "" });
});

test("queued mail of a domain that gives up its Relay Server goes by MX, as new mail does", async () => {
  const id = await waiting(8, "freed.test");
  await world.fleet.activate([sends("freed.test", 8)]);
  await flush();
  expect(await arrived(outside, id)).toMatchObject({ sender: "ann@freed.test" });
});

test("queued mail of a route that is given up still goes through its Relay Server, in every stage", async () => {
  const id = await waiting(9, "given-up.test");
  const route = sends("given-up.test", 9, relayAt(`${net}.7.99`));
  await world.fleet.write({
    domain: "given-up.test",
    holder: { organisation: "given-up.test", claims: [] },
    active: { version: 1, route },
    leaving: { since: at(-30), deferFrom: at(-20), refuseFrom: at(-10), expires: at(3600) },
  });
  await using session = await world.toRelay("a", "2.9");
  expect((await session.ask("ann@given-up.test", "x@outside.test")).rcpt).toMatch(/^550 5\.7\.1 /);
  const host = await world.addMailSystem({ name: "late.hop.test", address: `${net}.7.99` });
  await flush();
  expect(await arrived(host, id)).toMatchObject({ sender: "ann@given-up.test" });
});
