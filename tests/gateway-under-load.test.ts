/** The inbound side while some tenants' Servers hang, and while someone forges senders. */
import { afterAll, expect, test } from "vitest";
import { exampleRoute } from "../gateway/postfix/testdata/example.ts";
import { startPlainMailServer } from "../lab/plain-mail-server.ts";
import { deliver, openSession } from "../lab/smtp-dialogue.ts";
import { testNet as net } from "../lab/test-net.ts";
import { startPostfixHost } from "./postfix-host.ts";

const parts = new AsyncDisposableStack();
afterAll(() => parts.disposeAsync());
const gateway = parts.use(await startPostfixHost({ net }));
const client = { address: gateway.inbound, localAddress: `${net}.4.1` };

const numbers = Array.from({ length: 30 }, (_, index) => index + 1);
const steps = ["BANNER", "EHLO", "MAIL", "RCPT", "DATA", "END"];
/** Each hangs at another step. */
const hanging = await Promise.all(
  numbers.map(async (number) => {
    const step = steps[number % steps.length];
    const answer = (verb: string) => (verb === step ? "hang" : undefined);
    const address = `${net}.3.${number}`;
    return parts.use(await startPlainMailServer({ name: `hang-${number}.test`, address, answer }));
  }),
);
const server = parts.use(
  await startPlainMailServer({
    name: "mail.contoso.test",
    address: `${net}.2.1`,
    answer: (verb, argument) =>
      verb === "RCPT" && !argument.startsWith("<bob@") ? "550 5.1.1 no such user" : undefined,
  }),
);
/** Where bounces would go. */
const forged = parts.use(
  await startPlainMailServer({ name: "mx.forged.test", address: `${net}.2.2` }),
);
await gateway.dns.addZone("forged.test");
await gateway.dns.publish("forged.test", [
  { name: "forged.test", type: "MX", ttl: 1, records: ["10 mx.forged.test."] },
  { name: "mx.forged.test", type: "A", ttl: 1, records: [forged.address] },
]);
await gateway.setRoutes([
  exampleRoute("contoso.test", { server: server.address, rcptLookup: { kind: "probe" } }),
  exampleRoute("fabrikam.test", { server: server.address }),
  ...hanging.map(({ address }, index) =>
    exampleRoute(`hang-${index}.test`, { server: address, rcptLookup: { kind: "off" } }),
  ),
]);

/** Many messages in one connection, each to one recipient. */
async function sendAll(localAddress: string, from: string, recipients: readonly string[]) {
  await using session = await openSession({ ...client, localAddress });
  const replies: string[] = [];
  for (const recipient of recipients) {
    await session.say(`MAIL FROM:<${from}>`);
    const reply = await session.say(`RCPT TO:<${recipient}>`);
    replies.push(reply);
    if (!reply.startsWith("250")) {
      await session.say("RSET");
      continue;
    }
    await session.say("DATA");
    session.write(`Subject: x\r\n\r\nHello\r\n.\r\n`);
    await session.reply();
  }
  return replies;
}

/** The replies to unknown recipients; one whose probe takes longer than 5 s is asked for again, as senders do. */
async function finalReplies(localAddress: string, from: string, recipients: readonly string[]) {
  const final: string[] = [];
  let asked = recipients;
  for (let round = 0; round < 5 && asked.length > 0; round += 1) {
    const replies = await sendAll(localAddress, from, asked);
    final.push(...replies.filter((reply) => !reply.startsWith("451")));
    asked = asked.filter((_, index) => replies[index]?.startsWith("451"));
  }
  return final;
}

test("the hung Servers of 30 tenants do not delay the others", async () => {
  const stuck = hanging.flatMap((_, index) =>
    Array.from({ length: 10 }, (_user, user) => `user-${user}@hang-${index}.test`),
  );
  await sendAll(client.localAddress, "alice@forged.test", stuck);
  const connected = () => hanging.filter(({ connections }) => connections > 0).length;
  await expect.poll(connected).toBe(hanging.length);
  const others = Array.from({ length: 60 }, () => "bob@fabrikam.test");
  await sendAll(client.localAddress, "alice@forged.test", others);
  await expect.poll(() => server.messages.length).toBe(60);
  expect(hanging.flatMap(({ messages }) => messages)).toEqual([]);
});

test("1,000 messages of forged senders to unknown recipients make no bounce", async () => {
  const before = server.messages.length;
  const batches = Array.from({ length: 100 }, (_, batch) =>
    Array.from({ length: 10 }, (_user, user) => `nobody-${batch}-${user}@contoso.test`),
  );
  const sent = batches.map((recipients, batch) =>
    finalReplies(`${net}.4.${10 + (batch % 4)}`, "victim@forged.test", recipients),
  );
  const replies = (await Promise.all(sent)).flat();
  const codes = Map.groupBy(replies, (reply) => reply.slice(0, 3));
  expect([...codes].map(([code, { length }]) => [code, length])).toEqual([["550", 1000]]);
  // Mail that goes the same way a bounce would has passed by now.
  const envelope = { sender: "alice@forged.test", recipient: "bob@contoso.test" };
  expect(await deliver(client, envelope, "Subject: last\r\n\r\nx")).toMatch(/^250 /);
  await expect.poll(() => server.messages.length).toBe(before + 1);
  expect(forged.connections).toBe(0);
  const queue = await gateway.postfix("inbound", "postqueue", "-j");
  expect(queue).not.toMatch(/victim|MAILER-DAEMON/);
}, 240_000);
