/** Where mail goes next, and where it does not: routes that were given up, loops, names that are not followed. */
import { afterAll, expect, test, vi } from "vitest";
import { exampleRecord, exampleRoute, now } from "../gateway/postfix/testdata/example.ts";
import { startPlainMailServer } from "../lab/plain-mail-server.ts";
import { deliver, openSession } from "../lab/smtp-dialogue.ts";
import { testNet as net } from "../lab/test-net.ts";
import { startPostfixHost } from "./postfix-host.ts";

vi.setConfig({ testTimeout: 120_000 });

const parts = new AsyncDisposableStack();
afterAll(() => parts.disposeAsync());
// A public gateway: the names of tenants' hosts lead to public addresses only. The lab has none, so routes
// that are to work have addresses.
const gateway = parts.use(await startPostfixHost({ net, config: { nextHops: "public" } }));
const inbound = { address: gateway.inbound, localAddress: `${net}.4.1` };
const relay = { address: gateway.relay, localAddress: `${net}.4.1` };
const start = async (name: string, number: number, keywords: readonly string[]) =>
  parts.use(await startPlainMailServer({ name, address: `${net}.2.${number}`, keywords }));
const server = await start("mail.contoso.test", 1, ["8BITMIME"]);
const relayServer = await start("relay.contoso.test", 2, ["AUTH PLAIN LOGIN"]);
/** Stands for another slot: it has the fleet's name. */
const otherSlot = await start("smtp-in.gateway.test", 3, ["8BITMIME"]);

const toRelay = { host: relayServer.address, port: 25, tls: "opportunistic" } as const;
const sends = { outbound: "standard", server: server.address } as const;
const login = { user: "contoso", secret: "password", secretVersion: 1 };
const served = [
  exampleRoute("contoso.test", sends),
  exampleRoute("b.zone.test", { server: server.address }),
  exampleRoute("loop.test", { server: gateway.inbound }),
  exampleRoute("other-slot.test", { server: otherSlot.address }),
  exampleRoute("hidden.test", { server: "hidden.zone.test" }),
  exampleRoute("gone.test", { server: "no-such.zone.test" }),
  exampleRoute("required.test", { ...sends, relayServer: { ...toRelay, tls: "required" } }),
  exampleRoute("login.test", { ...sends, relayServer: { ...toRelay, login } }),
  exampleRoute("back.test", { ...sends, outbound: "loopback" }),
].map((route) => exampleRecord(route));
const given = exampleRoute("given-up.test", sends);

await gateway.dns.addZone("zone.test");
await gateway.dns.publish("zone.test", [
  { name: "hidden.zone.test", type: "A", ttl: 1, records: [server.address] },
  { name: "b.zone.test", type: "MX", ttl: 1, records: ["10 smtp-in.gateway.test."] },
]);
await gateway.setRoutes(served, now);

async function ask(options: typeof inbound, sender: string, recipient: string): Promise<string> {
  await using session = await openSession(options);
  expect(await session.say(`MAIL FROM:<${sender}>`)).toMatch(/^250 /);
  return await session.say(`RCPT TO:<${recipient}>`);
}

async function send(options: typeof inbound, sender: string, recipient: string, above = "") {
  const subject = `${recipient} ${Math.random()}`;
  const content = `${above}Subject: ${subject}\r\n\r\nHello`;
  const reply = await deliver(options, { sender, recipient }, content);
  return { reply, subject };
}

/** What the instance has last logged of a recipient's delivery. */
function delivery(side: "inbound" | "relay", recipient: string) {
  const last = async () =>
    (await gateway.log(side))
      .split("\n")
      .findLast((line) => line.includes(`to=<${recipient}>, relay`)) ?? "";
  return expect.poll(last);
}

const arrived = (text: string) =>
  server.messages.map(({ wire }) => wire.toString()).filter((wire) => wire.includes(text));

test("without an answer of the policy service nothing is relayed", async () => {
  const reply = await ask(relay, "a@contoso.test", "x@b.zone.test");
  expect(reply).toMatch(/^451 4\.3\.5 .*cannot check now who may send/);
  await gateway.allowRelay();
  expect(await ask(relay, "a@contoso.test", "x@b.zone.test")).toMatch(/^250 /);
});

test.for([
  [1, "250 2.1.5"],
  [8, "450 4.7.1"],
  [10, "550 5.7.1"],
  [100, "554 5.7.1"],
] as const)("%i days after a route was given up: %s", async ([days, begin]) => {
  await gateway.setRoutes([...served, exampleRecord(given, days)], now);
  const reply = await ask(inbound, "a@sender.test", "x@given-up.test");
  expect(reply.startsWith(begin)).toBe(true);
  expect(reply.includes(given.fixIt)).toBe(begin === "450 4.7.1" || begin === "550 5.7.1");
});

test("a new domain is accepted at once, also for who was refused before", async () => {
  const added = exampleRecord(exampleRoute("added.test", sends));
  await using session = await openSession(inbound);
  await session.say("MAIL FROM:<a@sender.test>");
  expect(await session.say("RCPT TO:<x@added.test>")).toMatch(/^554 5\.7\.1 .*Relay access denied/);
  await gateway.setRoutes([...served, added], now);
  expect(await session.say("RCPT TO:<x@added.test>")).toMatch(/^250 /);
});

test("an open session sees every stage of a route at once, for an address that it has asked for, too", async () => {
  await using session = await openSession(inbound);
  await session.say("MAIL FROM:<a@sender.test>");
  const replies: string[] = [];
  for (const days of [100, 1, 8, 10, 100, 1]) {
    await gateway.setRoutes([...served, exampleRecord(given, days)], now);
    replies.push(await session.say("RCPT TO:<x@given-up.test>"));
  }
  const refused = "554 5.7.1 <x@given-up.test>: Recipient address rejected: Relay access denied";
  expect(replies).toEqual([
    refused,
    "250 2.1.5 Ok",
    expect.stringMatching(/^450 4\.7\.1 .*https:/),
    expect.stringMatching(/^550 5\.7\.1 .*https:/),
    refused,
    "250 2.1.5 Ok",
  ]);
});

test("mail that is queued when its route is given up is kept, and returned once it is refused", async () => {
  const waiting = exampleRoute("waiting.test", { server: `${net}.2.99` });
  await gateway.setRoutes([...served, exampleRecord(waiting)], now);
  await send(inbound, "a@contoso.test", "x@waiting.test");
  await delivery("inbound", "x@waiting.test").toMatch(/status=deferred .*Connection refused/);
  await gateway.setRoutes([...served, exampleRecord(waiting, 8)], now);
  // The queue manager remembers its last look-up for 30 s.
  const other = await send(inbound, "a@sender.test", "x@contoso.test");
  await expect.poll(() => arrived(other.subject)).toHaveLength(1);
  await gateway.postfix("inbound", "postqueue", "-f");
  await delivery("inbound", "x@waiting.test").toMatch(/dsn=4\.7\.1, status=deferred .*no longer/);
  await gateway.setRoutes([...served, exampleRecord(waiting, 10)], now);
  const next = await send(inbound, "a@sender.test", "x@contoso.test");
  await expect.poll(() => arrived(next.subject)).toHaveLength(1);
  await gateway.postfix("inbound", "postqueue", "-f");
  await delivery("inbound", "x@waiting.test").toMatch(/dsn=5\.7\.1, status=bounced .*no longer/);
  await expect.poll(() => arrived("<x@waiting.test>: waiting.test no longer")).toHaveLength(1);
});

test.for(["loop.test", "other-slot.test"])(
  "a Server that is the gateway itself is a loop at once: %s",
  async (domain) => {
    await send(inbound, "a@contoso.test", `x@${domain}`);
    await delivery("inbound", `x@${domain}`).toMatch(
      /dsn=5\.4\.6, status=bounced .*loops back to myself/,
    );
    await expect
      .poll(() => arrived(`Final-Recipient: rfc822; x@${domain}`), { timeout: 5000 })
      .toHaveLength(1);
  },
);

test("a message that has passed too often is refused, with the reason", async () => {
  const field = "X-Gateway-Inbound-Pass: ";
  const [first, last] = [`${field}4\r\n`, `${field}5\r\n`];
  const { subject } = await send(inbound, "a@sender.test", "x@contoso.test", first);
  await expect.poll(() => arrived(subject)).toHaveLength(1);
  expect(arrived(subject)[0]).toContain(last);
  const { reply } = await send(inbound, "a@sender.test", "x@contoso.test", last);
  expect(reply).toMatch(/^550 5\.4\.6 Mail loop/);
});

test("names of tenants' hosts are not followed to addresses that are not public", async () => {
  const { reply } = await send(inbound, "a@contoso.test", "x@hidden.test");
  expect(reply).toMatch(/^250 /);
  await delivery("inbound", "x@hidden.test").toMatch(/status=deferred .*filter drops all results/);
});

test("mail for a Server whose name is gone waits", async () => {
  const { reply } = await send(inbound, "a@contoso.test", "x@gone.test");
  expect(reply).toMatch(/^250 /);
  await delivery("inbound", "x@gone.test").toMatch(/dsn=4\.4\.4, status=deferred .*not found/);
});

test("mail from tenant to tenant goes to the private address of a slot", async () => {
  const { subject } = await send(relay, "a@contoso.test", "x@b.zone.test");
  await expect.poll(() => arrived(subject)).toHaveLength(1);
  await delivery("relay", "x@b.zone.test").toContain("relay=smtp-in.gateway.test[10.");
  expect(arrived(subject)[0]).toMatch(/with ESMTPS/);
});

test("mail that loops back goes to the sender's Server", async () => {
  const { subject } = await send(relay, "a@back.test", "x@b.zone.test");
  await expect.poll(() => arrived(subject)).toHaveLength(1);
  expect(arrived(subject)[0]).not.toContain("X-Gateway-Inbound-Pass");
});

test("where TLS is required, nothing goes in clear; a password never does", async () => {
  await send(relay, "a@required.test", "x@sender.test");
  await delivery("relay", "x@sender.test").toMatch(
    /dsn=4\.7\.4, status=deferred .*TLS is required/,
  );
  await send(relay, "a@login.test", "y@sender.test");
  await delivery("relay", "y@sender.test").toMatch(
    /dsn=4\.7\.0, status=deferred .*no mechanism available/,
  );
  expect(relayServer.messages).toEqual([]);
});

test("the file of passwords is root's alone", async () => {
  const maps = "/var/lib/mxhero-gateway/maps";
  const files = await gateway.host.run(["sh", "-c", `stat -c "%a %U %n" ${maps}/relay-passwords*`]);
  expect(files.split("\n").filter((line) => !line.startsWith("600 root "))).toEqual([]);
  const tables = await gateway.host.run(["postmap", "-s", `lmdb:${maps}/relay-passwords`]);
  expect(tables).toContain("@login.test\tcontoso:password");
});
