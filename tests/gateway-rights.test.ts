/** Who may send through a fleet, and what a stranger can do with it: by real sessions with real Postfix. */
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Certificate, fingerprintOf } from "../lab/certificates.ts";
import { exampleRoute, type FleetWorld, startFleetWorld } from "../lab/hosts/fleet-world.ts";
import type { Host } from "../lab/hosts/host.ts";
import { runAsRoot } from "../lab/hosts/root.ts";
import type { MailSystem } from "../lab/mail-system.ts";
import { composeMessage } from "../lab/message.ts";
import { SmtpDialogue } from "../lab/smtp-dialogue.ts";
import { testNet as net } from "../lab/test-net.ts";
import type { SendingIdentity } from "../mail/route.ts";

/** From where a tenant's mail system connects, and what it shows. */
interface Client {
  /** Below the world's network: `2.1` for `<net>.2.1`. */
  readonly from: string;
  readonly certificate?: Certificate;
}

interface Tenant {
  readonly domain: string;
  readonly organisation: string;
  readonly identities: readonly SendingIdentity[];
  readonly client: Client;
  /** Tenants with the same one are known by the same identity. */
  readonly group: string;
}

let world: FleetWorld;
let tenants: readonly Tenant[];
let outside: MailSystem;

beforeAll(async () => {
  world = await startFleetWorld({ net });
  outside = await world.addMailSystem({
    name: "mail.outside.test",
    address: `${net}.6.1`,
    domains: ["outside.test"],
  });
  await world.addDomain("outside.test", "mail.outside.test");
  tenants = await mixedTenants();
  const written = tenants.map(({ domain, organisation, identities }) =>
    world.fleet.activate([exampleRoute(domain, { identities })], organisation),
  );
  await Promise.all(written);
}, 240_000);

afterAll(() => world?.[Symbol.asyncDispose]());

function network(text: string): SendingIdentity {
  return { kind: "network", network: `${net}.${text}` };
}

function alone(name: string, identities: readonly SendingIdentity[], client: Client): Tenant {
  return { domain: `${name}.test`, organisation: name, identities, client, group: name };
}

/** 20 tenants: 6 with an address, 5 with a network, 3 of one company that share one, 5 with a certificate, 1 with two. */
async function mixedTenants(): Promise<Tenant[]> {
  const withAddress = [1, 2, 3, 4, 5, 6].map((number) =>
    alone(`address${number}`, [network(`2.${number}/32`)], { from: `2.${number}` }),
  );
  // Neighbours, so that a mask that is read wrongly shows.
  const withNetwork = [0, 1, 2, 3, 4].map((number) =>
    alone(`network${number}`, [network(`3.${number * 16}/28`)], { from: `3.${number * 16 + 15}` }),
  );
  const ofOne = ["north", "south", "west"].map((name) => ({
    ...alone(name, [network("3.128/25")], { from: "3.200" }),
    organisation: "company",
    group: "company",
  }));
  const withCertificate = await Promise.all(
    [1, 2, 3, 4, 5].map(async (number) => {
      const name = `certificate${number}`;
      const certificate = await world.authority.issue(`mail.${name}.test`);
      const fingerprint = fingerprintOf(certificate);
      return alone(name, [{ kind: "certificate", fingerprint }], { from: "2.100", certificate });
    }),
  );
  const certificate = await world.authority.issue("mail.both.test");
  const both: SendingIdentity[] = [
    network("2.50/32"),
    { kind: "certificate", fingerprint: fingerprintOf(certificate) },
  ];
  const withBoth = alone("both", both, { from: "2.100", certificate });
  return [...withAddress, ...withNetwork, ...ofOne, ...withCertificate, withBoth];
}

async function connect(client: Client, slot = "a"): Promise<SmtpDialogue> {
  const session = await world.toRelay(slot, client.from);
  if (client.certificate !== undefined) await session.startTls(client.certificate);
  return session;
}

/** Replies to RCPT for each sender; few in each session, since refusals count as errors. */
async function askAll(client: Client, senders: readonly string[]): Promise<Map<string, string>> {
  const replies = new Map<string, string>();
  for (let start = 0; start < senders.length; start += 7) {
    await using session = await connect(client, start % 2 === 0 ? "a" : "b");
    for (const sender of senders.slice(start, start + 7)) {
      replies.set(sender, (await session.ask(sender, "bob@outside.test")).rcpt);
    }
  }
  return replies;
}

test("no tenant of 20 can send as another one: all pairs", async () => {
  expect(tenants).toHaveLength(20);
  const senders = tenants.map(({ domain }) => `ann@${domain}`);
  const rows = tenants.map(async ({ domain: client, client: from, group }) => {
    const replies = await askAll(from, senders);
    return tenants.map(({ domain, group: owner }) => {
      const reply = replies.get(`ann@${domain}`)?.slice(0, 10);
      const expected = owner === group ? "250 2.1.5 " : "550 5.7.1 ";
      return { client, sender: domain, reply, expected };
    });
  });
  const pairs = (await Promise.all(rows)).flat();
  expect(pairs).toHaveLength(400);
  expect(pairs.filter(({ reply, expected }) => reply !== expected)).toEqual([]);
});

test("an identity is one whole: neither the next address nor another certificate of the same name passes", async () => {
  const forged = await world.authority.issue("mail.certificate1.test");
  const strangers: (Client & { readonly as: string })[] = [
    { from: "2.7", as: "address1" },
    { from: "3.80", as: "network4" },
    { from: "3.127", as: "north" },
    { from: "4.1", as: "address1" },
    { from: "2.100", as: "certificate1" },
    { from: "2.100", certificate: forged, as: "certificate1" },
  ];
  for (const { as, ...client } of strangers) {
    await using session = await connect(client);
    expect((await session.ask(`ann@${as}.test`, "bob@outside.test")).rcpt).toMatch(/^550 5\.7\.1 /);
  }
  // Either of two suffices, and the sender's case does not matter.
  await using byAddress = await connect({ from: "2.50" });
  expect((await byAddress.ask("ann@both.test", "bob@outside.test")).rcpt).toMatch(/^250 /);
  expect((await byAddress.ask("Ann@BOTH.Test", "bob@outside.test")).rcpt).toMatch(/^250 /);
});

test("the null sender is accepted from a tenant's identity only", async () => {
  const accepted: Client[] = [{ from: "2.1" }, { from: "3.17" }, { from: "3.200" }];
  for (const client of accepted) {
    await using session = await connect(client);
    expect((await session.ask("", "bob@outside.test")).rcpt).toMatch(/^250 /);
  }
  await using stranger = await connect({ from: "4.1" });
  expect((await stranger.ask("", "bob@outside.test")).rcpt).toMatch(/^550 5\.7\.1 /);
});

test("submission demands TLS, and knows the same identities", async () => {
  const [tenant] = tenants.filter(({ group }) => group === "certificate1");
  const address = world.slot("b").relay.public;
  await using session = await SmtpDialogue.open({
    address,
    port: 587,
    localAddress: `${net}.2.100`,
  });
  await session.hello();
  expect(await session.say("MAIL FROM:<ann@certificate1.test>")).toMatch(/^530 5\.7\.0 /);
  await session.startTls(tenant?.client.certificate);
  expect((await session.ask("ann@certificate1.test", "bob@outside.test")).rcpt).toMatch(/^250 /);
});

/** The relay attempts that open-relay testers have always made, as sender and recipient. */
function relayAttempts(host: string, address: string): (readonly [string, string])[] {
  const [user, domain] = ["victim", "outside.test"];
  return [
    ["<spam@spammer.test>", `<${user}@${domain}>`],
    ["<spam>", `<${user}@${domain}>`],
    ["<>", `<${user}@${domain}>`],
    [`<spam@${host}>`, `<${user}@${domain}>`],
    [`<spam@[${address}]>`, `<${user}@${domain}>`],
    [`<spam@${host}>`, `<${user}%${domain}@${host}>`],
    [`<spam@${host}>`, `<${user}%${domain}@[${address}]>`],
    [`<spam@${host}>`, `<"${user}@${domain}">`],
    [`<spam@${host}>`, `<"${user}%${domain}">`],
    [`<spam@${host}>`, `<${user}@${domain}@${host}>`],
    [`<spam@${host}>`, `<"${user}@${domain}"@${host}>`],
    [`<spam@${host}>`, `<${user}@${domain}@[${address}]>`],
    [`<spam@${host}>`, `<@${host}:${user}@${domain}>`],
    [`<spam@${host}>`, `<@[${address}]:${user}@${domain}>`],
    [`<spam@${host}>`, `<${domain}!${user}>`],
    [`<spam@${host}>`, `<${domain}!${user}@${host}>`],
  ];
}

test.for(["smtp-in", "smtp-relay"])(
  "%s is no open relay: the 16 classic attempts",
  async (name) => {
    const slot = world.slot("b");
    const address = name === "smtp-in" ? slot.inbound.public : slot.relay.public;
    const attempts = relayAttempts(`${name}.gateway.test`, address);
    expect(attempts).toHaveLength(16);
    const replies: string[] = [];
    for (const [sender, recipient] of attempts) {
      await using session = await SmtpDialogue.open({ address, localAddress: `${net}.4.9` });
      await session.hello("mx.spammer.test");
      await session.say(`MAIL FROM:${sender}`);
      replies.push(`${recipient}: ${await session.say(`RCPT TO:${recipient}`)}`);
      replies.push(`${recipient}: DATA: ${await session.say("DATA")}`);
    }
    expect(replies).toHaveLength(32);
    expect(replies.filter((reply) => !/: 5\d\d /.test(reply))).toEqual([]);
    expect(outside.messages).toEqual([]);
  },
);

test("it tells nobody which addresses exist, and offers nothing that it does not need", async () => {
  for (const open of [() => world.toInbound("a"), () => world.toRelay("a", "4.9")]) {
    await using session = await open();
    const offers = await session.hello();
    expect(offers).toMatch(/250-STARTTLS/);
    expect(offers).not.toMatch(/VRFY|EXPN|ETRN|AUTH/);
    expect(await session.say("VRFY info@address1.test")).toMatch(/^502 5\.5\.1 /);
    expect(await session.say("EXPN info@address1.test")).toMatch(/^50[02] 5\.5\.[12] /);
    expect(await session.say("ETRN address1.test")).toMatch(/^(50[02]|459|554) /);
  }
});

/** Whether a handshake with these options of openssl succeeds, at each port that speaks TLS. */
async function handshakes(...options: string[]): Promise<boolean[]> {
  const { inbound, relay } = world.slot("b");
  const endpoints = [`${inbound.public}:25`, `${relay.public}:25`, `${relay.public}:587`];
  return Promise.all(
    endpoints.map(async (endpoint) => {
      const args = ["s_client", "-brief", "-starttls", "smtp", "-connect", endpoint, ...options];
      const { stderr } = await execa("openssl", args, { input: "QUIT\n", reject: false });
      return stderr.includes("CONNECTION ESTABLISHED");
    }),
  );
}

test("TLS is 1.2 or newer, with forward secrecy and authenticated encryption", async () => {
  const all = [true, true, true];
  const none = [false, false, false];
  expect(await handshakes("-tls1_3")).toEqual(all);
  expect(await handshakes("-tls1_2")).toEqual(all);
  expect(await handshakes("-tls1_2", "-cipher", "ECDHE+CHACHA20")).toEqual(all);
  const old = ["-cipher", "ALL:@SECLEVEL=0"];
  expect(await handshakes("-tls1_1", ...old)).toEqual(none);
  expect(await handshakes("-tls1", ...old)).toEqual(none);
  const weak = ["kRSA", "aNULL", "SHA1", "SHA256", "3DES", "RC4", "NULL", "PSK", "EXPORT"];
  const broken: string[] = [];
  for (const family of weak) {
    const done = await handshakes("-tls1_2", "-cipher", `${family}:@SECLEVEL=0`);
    if (done.includes(true)) broken.push(family);
  }
  expect(broken).toEqual([]);
});

test("the certificate is the fleet's, and its names are those of the endpoints", async () => {
  for (const open of [() => world.toInbound("a"), () => world.toRelay("b", "4.9")]) {
    await using session = await open();
    const { subjectaltname } = await session.startTls();
    expect(subjectaltname).toBe(
      "DNS:smtp-in.gateway.test, DNS:smtp-relay.gateway.test, DNS:smtp.gateway.test",
    );
  }
});

/** Prints where the text of /run/text stands, as far as who runs it can see: among the files of /run/files too. */
const search = `
grep -lFf /run/text /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null
xargs -0 grep -lFf /run/text </run/files 2>/dev/null`;

/** All files that a host has written, with a zero byte behind each. */
function writtenFiles({ root }: Host): Promise<string> {
  const upper = join(root, "..", "upper");
  return runAsRoot(["find", upper, "-type", "f", "-size", "-20M", "-printf", String.raw`/%P\0`]);
}

test("no secret is in a process list or in a file that others may read", async () => {
  const { host } = world.slot("a");
  const password = "hunter2-of-address1";
  await host.run([
    "sh",
    "-c",
    `while :; do cat /proc/[0-9]*/cmdline; sleep 0.01; done >/tmp/seen 2>/dev/null & echo $! >/run/watcher`,
  ]);
  const identities = [network("2.1/32")];
  const seen = (text: string) => host.exec(["grep", "-acF", text, "/tmp/seen"]);
  // Until the watcher, which looks now and then, has seen the command that a password could stand in.
  const enough = async (count: number) => count > 3 && (await seen("postmap")).stdout !== "0";
  for (let count = 1; count <= 30 && !(await enough(count)); count += 1) {
    const secret = `${password}-${count}`;
    const login = await world.fleet.putLogin("address1.test", "gateway", secret, count);
    const relayServer = { host: `${net}.7.1`, port: 587, tls: "required", login } as const;
    await world.fleet.activate([exampleRoute("address1.test", { identities, relayServer })]);
  }
  await host.run(["sh", "-c", "kill $(cat /run/watcher)"]);
  expect((await seen("postmap")).stdout).not.toBe("0");
  expect((await seen(password)).stdout).toBe("0");
  const asNobody = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"];
  const [, key = ""] = (await world.fleet.store.readSecret("tls/key"))?.split("\n") ?? [];
  expect(key).toMatch(/^[A-Za-z0-9+/=]{40,}$/);
  await host.run(["sh", "-c", "cat >/run/files"], { input: await writtenFiles(host) });
  for (const text of [password, key]) {
    await host.run(["sh", "-c", "cat >/run/text"], { input: text });
    const command = ["sh", "-c", search];
    const rootSees = await host.exec(command);
    const nobodySees = await host.exec([...asNobody, ...command]);
    expect(rootSees.stdout).toMatch(/\/(relay-passwords\.lmdb|network\.pem)$/m);
    expect(nobodySees.stdout).toBe("");
  }
}, 120_000);

test("while nothing answers who may relay, all is put off with 451, and inbound mail passes", async () => {
  const { host } = world.slot("b");
  await host.run(["systemctl", "stop", "mxhero-gateway"]);
  await using outbound = await world.toRelay("b", "2.2");
  expect((await outbound.ask("ann@address2.test", "bob@outside.test")).rcpt).toMatch(
    /^451 4\.3\.5 /,
  );
  await using stranger = await world.toRelay("b", "4.9");
  expect((await stranger.ask("ann@address2.test", "bob@outside.test")).rcpt).toMatch(
    /^451 4\.3\.5 /,
  );
  await using inbound = await world.toInbound("b");
  expect((await inbound.ask("x@outside.test", "y@address2.test")).rcpt).toMatch(/^250 /);
  await host.run(["systemctl", "start", "mxhero-gateway"]);
  const again = async () => {
    await using session = await world.toRelay("b", "2.2");
    return (await session.ask("ann@address2.test", "bob@outside.test")).rcpt;
  };
  await expect.poll(again, { timeout: 45_000, interval: 500 }).toMatch(/^250 /);
}, 120_000);

test("a message of a tenant arrives as it was sent", async () => {
  await using session = await connect({ from: "2.3" }, "b");
  const content = composeMessage({
    id: "whole",
    from: "ann@address3.test",
    to: "bob@outside.test",
    subject: "x",
  });
  expect(await session.deliver("ann@address3.test", "bob@outside.test", content)).toMatch(/^250 /);
  await expect.poll(() => outside.messages.at(-1)?.id).toBe("whole");
  expect(outside.messages.at(-1)?.content.endsWith(content)).toBe(true);
});
