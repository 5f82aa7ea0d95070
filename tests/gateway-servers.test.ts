/** How the inbound side finds a domain's Server, and which recipients it accepts. */
import { afterAll, expect, test } from "vitest";
import { exampleRoute } from "../gateway/postfix/testdata/example.ts";
import { addLabAddress } from "../lab/hosts/host.ts";
import { type PlainMailServer, startPlainMailServer } from "../lab/plain-mail-server.ts";
import { deliver, openSession } from "../lab/smtp-dialogue.ts";
import { testNet as net } from "../lab/test-net.ts";
import { startPostfixHost } from "./postfix-host.ts";

const parts = new AsyncDisposableStack();
afterAll(() => parts.disposeAsync());
const gateway = parts.use(await startPostfixHost({ net }));
const { dns, inbound: address } = gateway;
const client = { address, localAddress: `${net}.4.1` };
const sender = "alice@sender.test";
const ipv6 = `fd00::${net.slice("127.".length)}:2:1`;
await addLabAddress(ipv6);

async function startServer(name: string, serverAddress: string, answer?: Answer) {
  const more = answer === undefined ? {} : { answer };
  return parts.use(await startPlainMailServer({ name, address: serverAddress, ...more }));
}
type Answer = (verb: string, argument: string) => string | undefined;

const probing = { rcptLookup: { kind: "probe" } } as const;
await dns.addZone("zone.test");
await dns.publish("zone.test", [
  { name: "zone.test", type: "A", ttl: 1, records: [`${net}.2.1`] },
  { name: "zone.test", type: "MX", ttl: 1, records: ["10 dead.zone.test.", "20 live.zone.test."] },
  { name: "dead.zone.test", type: "A", ttl: 1, records: [`${net}.2.99`] },
  { name: "live.zone.test", type: "A", ttl: 1, records: [`${net}.2.2`] },
  { name: "six.zone.test", type: "AAAA", ttl: 1, records: [ipv6] },
  { name: "probed.zone.test", type: "A", ttl: 1, records: [`${net}.2.3`] },
]);
await gateway.setRoutes([
  exampleRoute("by-name.test", { server: "zone.test" }),
  exampleRoute("by-ipv4.test", { server: `${net}.2.1` }),
  exampleRoute("by-ipv6.test", { server: ipv6 }),
  exampleRoute("by-ipv6-name.test", { server: "six.zone.test" }),
  exampleRoute("by-mx.test", { server: "zone.test", mxLookup: true }),
  exampleRoute("xn--bcher-kva.test", { server: `${net}.2.1` }),
  exampleRoute("probe.test", { server: "probed.zone.test", ...probing }),
  exampleRoute("probe-down.test", { server: `${net}.2.98`, ...probing }),
  exampleRoute("probe-gone.test", { server: "no-such-host.zone.test", ...probing }),
  exampleRoute("list.test", {
    server: `${net}.2.1`,
    rcptLookup: { kind: "list", recipients: ["info@list.test"] },
  }),
]);

const known = new Set(["info@probe.test"]);
/** What the probed Server says at RCPT, if it is not about a mailbox. */
let disturbance: string | undefined;
const [byAddress, byMx, bySix] = await Promise.all([
  startServer("mail.zone.test", `${net}.2.1`),
  startServer("live.zone.test", `${net}.2.2`),
  startServer("six.zone.test", ipv6),
]);
const unknownUser = { text: "550 5.1.1 no such user" };
const probed = await startServer("probed.zone.test", `${net}.2.3`, (verb, argument) => {
  const [, asked = ""] = /^<(.*)>/.exec(argument) ?? [];
  if (disturbance?.startsWith(`${verb} `) === true) return disturbance.slice(verb.length + 1);
  return verb === "RCPT" && !known.has(asked.toLowerCase()) ? unknownUser.text : undefined;
});

async function askFor(recipient: string, parameters = ""): Promise<string> {
  await using session = await openSession(client);
  expect(await session.say(`MAIL FROM:<${sender}>${parameters}`)).toMatch(/^250 /);
  return await session.say(`RCPT TO:<${recipient}>`);
}

async function arrives(recipient: string, server: PlainMailServer) {
  const subject = `Subject: ${recipient} ${Math.random()}`;
  const reply = await deliver(client, { sender, recipient }, `${subject}\r\n\r\nHello\r\n`);
  expect(reply).toMatch(/^250 /);
  const found = () => server.messages.filter(({ wire }) => wire.includes(subject));
  await expect.poll(found).toHaveLength(1);
  return found()[0];
}

test.for([
  ["by-name.test", byAddress],
  ["by-ipv4.test", byAddress],
  ["by-ipv6.test", bySix],
  ["by-ipv6-name.test", bySix],
  ["by-mx.test", byMx],
] as const)("mail for %s arrives at its Server", async ([domain, server]) => {
  const arrived = await arrives(`bob@${domain}`, server);
  expect(arrived?.recipients).toEqual([`<bob@${domain}>`]);
  expect(arrived?.sender).toContain(`<${sender}>`);
  expect(arrived?.hello).toBe("smtp-in.gateway.test");
  expect(arrived?.clientAddress).toBe(server === bySix ? gateway.address6 : address);
});

test("the domain's name may come in letters of its language", async () => {
  await using session = await openSession(client);
  await session.say(`MAIL FROM:<${sender}> SMTPUTF8`);
  expect(await session.say("RCPT TO:<bob@bücher.test>")).toMatch(/^250 /);
  expect(await session.say("RCPT TO:<bob@xn--bcher-kva.test>")).toMatch(/^250 /);
  expect(await session.say("RCPT TO:<bob@kücher.test>")).toMatch(/^554 5\.7\.1 /);
});

test.for([
  "bob@unknown.test",
  "bob@sub.by-name.test",
  "bob@test",
  "bob@by-name.test.example",
  "bob%unknown.test@smtp-in.gateway.test",
  "bob@[127.0.0.1]",
  "root@smtp-in.gateway.test",
])("%s is refused at RCPT", async (recipient) => {
  expect(await askFor(recipient)).toMatch(/^5\d\d 5\./);
});

test("Rcpt Lookup by list accepts those of the list, with a tag too, in any case", async () => {
  expect(await askFor("info@list.test")).toMatch(/^250 /);
  expect(await askFor("INFO@List.TEST")).toMatch(/^250 /);
  expect(await askFor("info+tag@list.test")).toMatch(/^250 /);
  expect(await askFor("bob@list.test")).toMatch(/^550 5\.1\.1 /);
  expect(await askFor("info@probe.test.list.test")).toMatch(/^554 /);
});

test("Rcpt Lookup by probe refuses who the Server does not know, and does not say where it is", async () => {
  await arrives("info@probe.test", probed);
  const reply = await askFor("nobody@probe.test");
  expect(reply).toMatch(/^550 5\.1\.1 /);
  expect(reply).not.toMatch(/zone\.test|127\./);
});

test.for([
  ["550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup", 550],
  ["550 5.4.1 Recipient address rejected: Access denied. [x.outlook.com]", 550],
  ["550 No such user here", 550],
  ["550 5.7.1 Service unavailable, client host blocked", 451],
  ["550 5.7.51 TenantInboundAttribution; not accepted by the inbound connector", 451],
  ["550 5.7.64 TenantAttribution; Relay Access Denied", 451],
  ["550 5.4.1 Access denied", 451],
  ["552 5.2.2 mailbox full", 451],
  ["550 go away", 451],
  ["554 5.5.1 no valid recipients", 451],
  ["450 4.2.0 greylisted", 451],
] as const)("to a probe the Server says %s", async ([text, code]) => {
  disturbance = `RCPT ${text}`;
  const recipient = `user-${Math.random()}@probe.test`;
  const replies: string[] = [];
  // A probe that takes longer than 5 s is answered 451 at first, whatever comes of it.
  const ask = async () => {
    const reply = await askFor(recipient);
    replies.push(reply);
    return reply;
  };
  try {
    await expect.poll(ask).toMatch(new RegExp(`^${code} `));
  } finally {
    disturbance = undefined;
  }
  expect(replies.slice(0, -1).filter((reply) => !reply.startsWith("451 "))).toEqual([]);
  expect(replies.join()).not.toContain("zone.test");
});

test.for([
  "MAIL 550 5.1.8 sender address rejected: no such user",
  "MAIL 550 5.1.1 no such user",
  "BANNER 554 5.7.1 no such user",
  "EHLO 421 no such user",
])("what a Server says before RCPT is not about the recipient: %s", async (text) => {
  disturbance = text;
  const reply = await askFor(`user-${Math.random()}@probe.test`);
  disturbance = undefined;
  expect(reply).toMatch(/^451 /);
});

test.for(["probe-down.test", "probe-gone.test"])(
  "where the Server is not there, recipients of %s are refused for the moment",
  async (domain) => {
    expect(await askFor(`info@${domain}`)).toMatch(/^451 4\.1\.1 /);
  },
);

test("a mailbox that is new is accepted at the first mail after the time for refusals", async () => {
  const recipient = "new@probe.test";
  await gateway.postfix("inbound", "postconf", "-e", "address_verify_negative_expire_time=15s");
  await gateway.postfix("inbound", "postfix", "reload");
  await expect.poll(() => askFor(recipient)).toMatch(/^550 /);
  known.add(recipient);
  expect(await askFor(recipient)).toMatch(/^550 /);
  await expect.poll(() => askFor(recipient), { timeout: 60_000 }).toMatch(/^250 /);
  // Once known, it stays so while the Server cannot be asked.
  disturbance = "BANNER 554 5.7.1 blocked";
  expect(await askFor(recipient)).toMatch(/^250 /);
  disturbance = undefined;
}, 120_000);
