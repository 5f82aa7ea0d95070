/** Which way mail takes through a fleet: by real sessions with real Postfix on two hosts. */
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { fleetNames } from "../lab/hosts/fleet.ts";
import {
  exampleRoute,
  type FleetWorld,
  queueOf,
  startFleetWorld,
} from "../lab/hosts/fleet-world.ts";
import type { KeptMessage, MailSystem } from "../lab/mail-system.ts";
import { composeMessage, headerValues } from "../lab/message.ts";
import { transact } from "../lab/smtp-client.ts";
import { testNet as net } from "../lab/test-net.ts";
import type { RelayServer, Route, TlsLevel } from "../mail/route.ts";

vi.setConfig({ testTimeout: 120_000 });

let world: FleetWorld;
let outside: MailSystem;

beforeAll(async () => {
  world = await startFleetWorld({ net });
  outside = await world.addMailSystem({
    name: "mail.outside.test",
    address: `${net}.6.1`,
    domains: ["outside.test"],
  });
  await world.addDomain("outside.test", "mail.outside.test");
}, 240_000);

afterAll(() => world?.[Symbol.asyncDispose]());

/** The address that a tenant's mail system sends from. */
const identity = (number: number) =>
  ({ kind: "network", network: `${net}.2.${number}/32` }) as const;

let messages = 0;

/** Hands a message in at smtp-relay, from `<net>.2.<number>`; gives its id. */
async function relay(number: number, sender: string, recipient: string, slot = "a") {
  messages += 1;
  const id = `relayed-${messages}`;
  await using session = await world.toRelay(slot, `2.${number}`);
  const content = composeMessage({ id, from: sender, to: recipient, subject: "Out" });
  expect(await session.deliver(sender, recipient, content)).toMatch(/^250 /);
  return id;
}

/** The message, once it has arrived. */
async function arrived(system: MailSystem, id: string): Promise<KeptMessage> {
  const find = () => system.messages.find((message) => message.id === id);
  await expect.poll(find).toBeDefined();
  const found = find();
  if (found === undefined) throw new Error("It was there a moment ago");
  return found;
}

/** A tenant that sends from `<net>.2.<number>` by a Relay Server. */
function withRelay(domain: string, number: number, relayServer: RelayServer): Route {
  return exampleRoute(domain, { identities: [identity(number)], relayServer });
}

test("without a Relay Server, mail goes to the recipient's MX, from the slot's own relay address", async () => {
  await world.fleet.activate([exampleRoute("direct.test", { identities: [identity(1)] })]);
  for (const slot of ["a", "b"]) {
    const id = await relay(1, "ann@direct.test", "bob@outside.test", slot);
    const message = await arrived(outside, id);
    expect(message).toMatchObject({
      sender: "ann@direct.test",
      recipients: ["bob@outside.test"],
      clientAddress: world.slot(slot).relay.public,
      path: [fleetNames.smtpRelay, "mail.outside.test"],
      secure: true,
    });
  }
});

test("inbound mail reaches the Server from the slot's own inbound address", async () => {
  const server = await world.addMailSystem({
    name: "mail.inbound.test",
    address: `${net}.6.2`,
    domains: ["inbound.test"],
  });
  await world.fleet.activate([exampleRoute("inbound.test")]);
  for (const slot of ["a", "b"]) {
    await using session = await world.toInbound(slot);
    const content = composeMessage({
      id: `in-${slot}`,
      from: "x@outside.test",
      to: "y@inbound.test",
      subject: "In",
    });
    expect(await session.deliver("x@outside.test", "y@inbound.test", content)).toMatch(/^250 /);
    expect(await arrived(server, `in-${slot}`)).toMatchObject({
      clientAddress: world.slot(slot).inbound.public,
      path: [fleetNames.smtpIn, "mail.inbound.test"],
    });
  }
});

test("unknown domains, and subdomains of known ones, are refused at RCPT", async () => {
  await world.fleet.activate([exampleRoute("known.test", { identities: [identity(2)] })]);
  await using inbound = await world.toInbound("a");
  expect((await inbound.ask("x@outside.test", "y@known.test")).rcpt).toMatch(/^250 /);
  expect((await inbound.ask("x@outside.test", "y@unknown.test")).rcpt).toMatch(/^554 5\.7\.1 /);
  expect((await inbound.ask("x@outside.test", "y@sub.known.test")).rcpt).toMatch(/^554 5\.7\.1 /);
  expect((await inbound.ask("x@outside.test", "y@notknown.test")).rcpt).toMatch(/^554 5\.7\.1 /);
  await using outbound = await world.toRelay("a", "2.2");
  expect((await outbound.ask("x@known.test", "y@outside.test")).rcpt).toMatch(/^250 /);
  expect((await outbound.ask("x@sub.known.test", "y@outside.test")).rcpt).toMatch(/^550 5\.7\.1 /);
});

interface TlsCase {
  readonly level: TlsLevel;
  /** What the Relay Server shows. */
  readonly shows: "right" | "wrong name" | "expired" | "none";
}

const accepted: readonly (TlsCase & { readonly secure: boolean })[] = [
  { level: "opportunistic", shows: "right", secure: true },
  { level: "opportunistic", shows: "expired", secure: true },
  { level: "opportunistic", shows: "none", secure: false },
  { level: "required", shows: "right", secure: true },
  { level: "required", shows: "wrong name", secure: true },
  { level: "verified", shows: "right", secure: true },
];

const kept: readonly (TlsCase & { readonly reason: RegExp })[] = [
  { level: "required", shows: "none", reason: /TLS is required, but was not offered/ },
  { level: "verified", shows: "wrong name", reason: /Server certificate not verified/ },
  { level: "verified", shows: "expired", reason: /Server certificate not (trusted|verified)/ },
  { level: "verified", shows: "none", reason: /TLS is required, but was not offered/ },
];

/** A tenant with such a Relay Server, and a message of its. */
async function relayBy({ level, shows }: TlsCase, number: number) {
  const { authority } = world;
  const name = `relay-${number}.hop.test`;
  const certificates = {
    right: await authority.issue(name),
    "wrong name": await authority.issue("other.hop.test"),
    expired: await authority.issue(name, { expired: true }),
    none: "none" as const,
  };
  const address = `${net}.7.${number}`;
  const certificate = certificates[shows];
  const host = await world.addMailSystem({ name, address, port: 2525, certificate });
  const domain = `tls-${number}.test`;
  const relayServer = { host: name, port: 2525, tls: level };
  await world.fleet.activate([withRelay(domain, number, relayServer)]);
  const id = await relay(number, `ann@${domain}`, "bob@outside.test");
  return { host, id, sender: `ann@${domain}` };
}

test("a Relay Server whose TLS is as the route's level says gets the mail", async () => {
  const all = accepted.map(async ({ secure, ...one }, index) => {
    const { host, id } = await relayBy(one, 20 + index);
    expect(await arrived(host, id)).toMatchObject({ secure });
  });
  await Promise.all(all);
  expect(all).toHaveLength(accepted.length);
});

test("a Relay Server whose TLS is less than the route's level says gets nothing", async () => {
  const all = kept.map(async ({ reason, ...one }, index) => {
    const { host, sender } = await relayBy(one, 40 + index);
    await expect.poll(() => reasonOf(sender)).toMatch(reason);
    expect(host.messages).toEqual([]);
  });
  await Promise.all(all);
  expect(all).toHaveLength(kept.length);
  await world.slot("a").host.run(["postsuper", "-c", "/etc/postfix-relay", "-d", "ALL"]);
});

/** Why a sender's message is still in the relay queue of slot a. */
async function reasonOf(sender: string): Promise<string> {
  const queue = await queueOf(world.slot("a"), "postfix-relay");
  return queue.find((message) => message.sender === sender)?.reason ?? "";
}

test("two tenants log in at one Relay Server, each with its own login; a wrong one keeps its mail", async () => {
  const name = "smart.hop.test";
  const host = await world.addMailSystem({
    name,
    address: `${net}.7.50`,
    port: 587,
    logins: { red: "Passw0rd:red", blue: "Passw0rd blue", green: "right" },
  });
  const passwords = { red: "Passw0rd:red", blue: "Passw0rd blue", green: "wrong" };
  const tenants = Object.entries(passwords).map(async ([user, password], index) => {
    const domain = `${user}.test`;
    const login = await world.fleet.putLogin(domain, user, password);
    const relayServer = { host: name, port: 587, tls: "verified", login } as const;
    await world.fleet.activate([withRelay(domain, 60 + index, relayServer)]);
    return relay(60 + index, `ann@${domain}`, "bob@outside.test");
  });
  const [red = "", blue = ""] = await Promise.all(tenants);
  expect(await arrived(host, red)).toMatchObject({ user: "red", sender: "ann@red.test" });
  expect(await arrived(host, blue)).toMatchObject({ user: "blue", sender: "ann@blue.test" });
  await expect.poll(() => reasonOf("ann@green.test")).toMatch(/535 5\.7\.8/);
  // A new password is a new version of the route, and the mail of before leaves with it.
  const login = await world.fleet.putLogin("green.test", "green", "right", 2);
  const relayServer = { host: name, port: 587, tls: "verified", login } as const;
  await world.fleet.activate([withRelay("green.test", 62, relayServer)]);
  await world.slot("a").host.run(["postqueue", "-c", "/etc/postfix-relay", "-f"]);
  await expect.poll(() => host.messages.some(({ user }) => user === "green")).toBe(true);
});

test("mail from tenant to tenant goes through the sender's Relay Server", async () => {
  const { fleet } = world;
  const filter = await world.addMailSystem({ name: "filter.hop.test", address: `${net}.7.60` });
  const server = await world.addMailSystem({
    name: "mail.beta.test",
    address: `${net}.6.5`,
    domains: ["beta.test"],
  });
  await world.addDomain("beta.test");
  const relayServer = { host: "filter.hop.test", port: 25, tls: "opportunistic" } as const;
  await fleet.activate([withRelay("alpha.test", 70, relayServer), exampleRoute("beta.test")]);
  const id = await relay(70, "ann@alpha.test", "bob@beta.test");
  expect(await arrived(filter, id)).toMatchObject({
    recipients: ["bob@beta.test"],
    path: [fleetNames.smtpRelay, "filter.hop.test"],
  });
  expect(server.messages).toEqual([]);
});

test("without a Relay Server, mail from tenant to tenant stays inside the fleet", async () => {
  const { fleet } = world;
  const server = await world.addMailSystem({
    name: "mail.delta.test",
    address: `${net}.6.6`,
    domains: ["delta.test"],
  });
  await world.addDomain("delta.test");
  await fleet.activate([
    exampleRoute("gamma.test", { identities: [identity(71)] }),
    exampleRoute("delta.test"),
  ]);
  for (const slot of ["a", "b"]) {
    const id = await relay(71, "ann@gamma.test", "bob@delta.test", slot);
    const message = await arrived(server, id);
    expect(message.path).toEqual([fleetNames.smtpRelay, fleetNames.smtpIn, "mail.delta.test"]);
    // From private to private address: a public one would have been translated.
    const [, between] = headerValues(message.content, "Received");
    expect(between).toContain(`[${world.slot(slot).relay.private}]`);
  }
});

test("outbound loopback brings mail back to the Server", async () => {
  const server = await world.addMailSystem({ name: "mail.loop-back.test", address: `${net}.6.7` });
  const route = exampleRoute("loop-back.test", {
    outbound: "loopback",
    identities: [identity(72)],
  });
  await world.fleet.activate([route]);
  const id = await relay(72, "ann@loop-back.test", "bob@outside.test");
  expect(await arrived(server, id)).toMatchObject({ recipients: ["bob@outside.test"] });
});

test("a Server that sends everything back is a loop, and ends with a clear reply", async () => {
  const replies: string[] = [];
  await world.addMailSystem({
    name: "mail.circle.test",
    address: `${net}.6.8`,
    domains: ["circle.test"],
    onMessage: ({ content }) => {
      void sendBack(content).then((reply) => replies.push(reply));
    },
  });
  const sendBack = async (content: string) => {
    const { reply } = await transact({
      address: world.slot(replies.length % 2 === 0 ? "a" : "b").inbound.public,
      localAddress: `${net}.6.8`,
      name: "mail.circle.test",
      sender: "x@outside.test",
      recipient: "y@circle.test",
      content,
    });
    return reply;
  };
  await world.fleet.activate([exampleRoute("circle.test")]);
  await using session = await world.toInbound("a");
  const content = composeMessage({
    id: "circle",
    from: "x@outside.test",
    to: "y@circle.test",
    subject: "O",
  });
  expect(await session.deliver("x@outside.test", "y@circle.test", content)).toMatch(/^250 /);
  const refused = /^550 5\.4\.6 Mail loop: .* sends it back here/;
  await expect.poll(() => replies.at(-1)).toMatch(refused);
  expect(replies.length).toBeLessThan(8);
});

const bounce = () =>
  outside.messages.find(({ recipients }) => recipients.includes("m@outside.test"));

test("a Server that is the gateway itself is told to the sender in a bounce", async () => {
  await world.fleet.activate([exampleRoute("mirror.test", { server: fleetNames.smtpIn })]);
  await using session = await world.toInbound("b");
  const content = composeMessage({
    id: "mirror",
    from: "m@outside.test",
    to: "y@mirror.test",
    subject: "O",
  });
  expect(await session.deliver("m@outside.test", "y@mirror.test", content)).toMatch(/^250 /);
  await expect.poll(bounce).toMatchObject({ sender: "" });
  expect(bounce()?.content).toMatch(/loops back to myself/);
  expect(bounce()?.content).toMatch(/Status: 5\.4\.6/);
});
