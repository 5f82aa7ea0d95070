/** What the gateway does to a message on its way: nothing but a trace; and what it does not let pass. */
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { dkimSign } from "mailauth/lib/dkim/sign.js";
import { dkimVerify } from "mailauth/lib/dkim/verify.js";
import { afterAll, expect, test } from "vitest";
import { exampleRoute } from "../gateway/postfix/testdata/example.ts";
import { type PlainMailServer, startPlainMailServer } from "../lab/plain-mail-server.ts";
import { deliver, openSession } from "../lab/smtp-dialogue.ts";
import { testNet as net } from "../lab/test-net.ts";
import { startPostfixHost } from "./postfix-host.ts";

const parts = new AsyncDisposableStack();
afterAll(() => parts.disposeAsync());
const gateway = parts.use(await startPostfixHost({ net }));
await gateway.allowRelay();
const client = { address: gateway.inbound, localAddress: `${net}.4.1` };
const sender = "alice@sender.test";
const start = async (name: string, number: number, keywords?: readonly string[]) =>
  parts.use(
    await startPlainMailServer({
      name,
      address: `${net}.2.${number}`,
      ...(keywords === undefined ? {} : { keywords }),
    }),
  );
const server = await start("mail.contoso.test", 1);
const oldServer = await start("mail.old.test", 2, ["SIZE"]);
await gateway.setRoutes([
  exampleRoute("contoso.test", { server: server.address }),
  exampleRoute("old.test", { server: oldServer.address }),
  exampleRoute("fabrikam.test", {
    server: server.address,
    outbound: "standard",
    relayServer: { host: server.address, port: 25, tls: "opportunistic" },
  }),
]);

/** Sends content as a client does, and gives what arrived. */
async function pass(content: Buffer, more: { parameters?: string; to?: PlainMailServer } = {}) {
  const { parameters = " BODY=8BITMIME", to = server } = more;
  const count = to.messages.length;
  const recipient = to === server ? "bob@contoso.test" : "bob@old.test";
  const stuffed = Buffer.from(content.toString("latin1").replaceAll(/^\./gm, ".."), "latin1");
  const reply = await deliver(
    client,
    { sender, recipient, parameters },
    stuffed.subarray(0, stuffed.length - 2),
  );
  expect(reply).toMatch(/^250 /);
  await expect.poll(() => to.messages.length, { timeout: 60_000 }).toBe(count + 1);
  const message = to.messages[count];
  if (message === undefined) throw new Error("No message arrived");
  const arrived = Buffer.from(message.wire.toString("latin1").replaceAll(/^\./gm, ""), "latin1");
  return { ...message, arrived };
}

/** The header fields that stand above the content. */
function added(arrived: Buffer, content: Buffer): string[] {
  expect(arrived.length).toBeGreaterThanOrEqual(content.length);
  const above = arrived.subarray(0, arrived.length - content.length);
  expect(arrived.subarray(above.length).equals(content)).toBe(true);
  return [...above.toString("latin1").matchAll(/^([\w-]+):/gm)].map(([, name = ""]) => name);
}

const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const publicText = publicKey.export({ type: "spki", format: "der" }).toString("base64");
const header =
  "From: <alice@sender.test>\r\nTo: <bob@contoso.test>\r\nSubject:  two  spaces\r\nBcc: <carol@contoso.test>\r\n" +
  `X-Long: ${"x".repeat(5000)}\r\nMIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\n`;

const signature = {
  signingDomain: "sender.test",
  selector: "s",
  privateKey: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
};

async function signed(body: Buffer): Promise<Buffer> {
  const message = Buffer.concat([Buffer.from(header), body]);
  const { signatures, errors } = await dkimSign(message, {
    canonicalization: "simple/simple",
    ...signature,
    signatureData: [signature],
  });
  expect(errors).toEqual([]);
  return Buffer.concat([Buffer.from(signatures), message]);
}

function resolver(): Promise<string[][]> {
  return Promise.resolve([[`v=DKIM1; k=rsa; p=${publicText}`]]);
}

async function verdict(message: Buffer): Promise<unknown> {
  const { results } = await dkimVerify(message, { resolver });
  return results.map(({ status }) => status.result);
}

const longLine = `${"long line ".repeat(10_000)}\r\n`;
test.for([
  ["7-bit", Buffer.from("Hello\r\n.\r\n..two\r\n \t trailing \t \r\n\r\n\r\n")],
  ["8-bit", Buffer.from("Gr\xfc\xdfe \x80\xff\r\n=20 \xa0\r\n", "latin1")],
  ["UTF-8", Buffer.from("Grüße, 你好\r\n")],
  ["long lines", Buffer.from(`${longLine}.${longLine}${"y".repeat(998)}\r\n`)],
  [
    "multipart",
    Buffer.from(
      "--b\r\nContent-Type: message/rfc822\r\n\r\nX-Gateway-Inbound-Pass: 5\r\n\r\n--b--\r\n",
    ),
  ],
] as const)("a signed message of %s passes bit by bit", async ([_name, body]) => {
  const content = await signed(body);
  expect(await verdict(content)).toEqual(["pass"]);
  const { arrived, sender: from } = await pass(content);
  expect(added(arrived, content)).toEqual(["X-Gateway-Inbound-Pass", "Received"]);
  expect(await verdict(arrived)).toEqual(["pass"]);
  expect(from).toContain("BODY=8BITMIME");
});

test("a Server that does not know 8BITMIME gets the same bytes", async () => {
  const content = await signed(Buffer.from("Gr\xfc\xdfe\r\n", "latin1"));
  const { arrived, sender: from } = await pass(content, { to: oldServer });
  expect(added(arrived, content)).toEqual(["X-Gateway-Inbound-Pass", "Received"]);
  expect(from).not.toContain("BODY");
});

test("a message of 150 MB, with its attachment in base64, passes bit by bit", async () => {
  const lines = randomBytes(57 * 27_594)
    .toString("base64")
    .replaceAll(/.{76}/g, "$&\r\n");
  const attachment = Buffer.concat(Array.from({ length: 100 }, () => Buffer.from(lines)));
  const content = Buffer.concat([Buffer.from(header), attachment]);
  expect((attachment.length / 78) * 57).toBeGreaterThanOrEqual(157_286_400 - 57 * 100);
  const count = server.messages.length;
  const envelope = { sender, recipient: "bob@contoso.test", parameters: ` SIZE=${content.length}` };
  const reply = await deliver(client, envelope, content.subarray(0, content.length - 2));
  expect(reply).toMatch(/^250 /);
  await expect.poll(() => server.messages.length, { timeout: 60_000 }).toBe(count + 1);
  const wire = server.messages[count]?.wire;
  expect(wire?.subarray(wire.length - content.length).equals(content)).toBe(true);
}, 120_000);

test("a larger one is refused before it is sent", async () => {
  await using session = await openSession(client);
  const [, limit = ""] = /250-SIZE (\d+)/.exec(session.offers) ?? [];
  expect(Number(limit)).toBeGreaterThan(215_000_000);
  expect(await session.say(`MAIL FROM:<${sender}> SIZE=${Number(limit) + 1}`)).toMatch(
    /^552 5\.3\.4 /,
  );
});

test("SMTPUTF8 passes with addresses in any script", async () => {
  const count = server.messages.length;
  const envelope = {
    sender: "älice@sender.test",
    recipient: "bób@contoso.test",
    parameters: " SMTPUTF8",
  };
  expect(await deliver(client, envelope, "Subject: Grüße\r\n\r\nHello\r\n")).toMatch(/^250 /);
  await expect.poll(() => server.messages.length).toBe(count + 1);
  const message = server.messages[count];
  expect(Buffer.from(message?.sender ?? "", "latin1").toString()).toMatch(
    /^<älice@sender\.test>.* SMTPUTF8/,
  );
  expect(Buffer.from(message?.recipients[0] ?? "", "latin1").toString()).toContain(
    "<bób@contoso.test>",
  );
});

test("a Server that does not know SMTPUTF8 gets what needs none", async () => {
  const content = Buffer.from("Subject: plain\r\n\r\nHello\r\n");
  const { arrived } = await pass(content, { to: oldServer, parameters: " SMTPUTF8" });
  expect(added(arrived, content)).toEqual(["X-Gateway-Inbound-Pass", "Received"]);
});

const ends = [
  "\n.\n",
  "\n.\r\n",
  "\r\n.\n",
  "\r.\r",
  "\r.\r\n",
  "\r\n.\r",
  "\n.\r",
  "\r.\n",
  "\r\n\0.\r\n",
  "\r\r\n.\r\r\n",
];
const sides = [
  ["in", gateway.inbound, "alice@sender.test"],
  ["out", gateway.relay, "alice@fabrikam.test"],
] as const;

test.for(sides.flatMap((side) => ends.map((end) => [JSON.stringify(end), ...side] as const)))(
  "%s does not end a message, on the way %s",
  async ([quoted, _side, address, from]) => {
    const end: unknown = JSON.parse(quoted);
    const count = server.messages.length;
    const smuggled = `MAIL FROM:<evil@evil.test>\r\nRCPT TO:<bob@contoso.test>\r\nDATA\r\nSubject: smuggled\r\n\r\nsmuggled`;
    const content = `Subject: cover\r\n\r\ncover${String(end)}${smuggled}`;
    const envelope = { sender: from, recipient: "bob@contoso.test" };
    expect(await deliver({ ...client, address }, envelope, content)).toMatch(/^250 /);
    await expect.poll(() => server.messages.length).toBe(count + 1);
    const wire = server.messages[count]?.wire.toString("latin1") ?? "";
    expect(wire).toContain("smuggled");
    // What goes on has standard line ends only, so that no next hop can see an end in it.
    expect(wire).not.toMatch(/(?<!\r)\n|\r(?!\n)/);
    expect(wire).not.toContain("\r\n.\r\n");
    expect(server.messages).toHaveLength(count + 1);
  },
);

test("an end inside BDAT ends nothing", async () => {
  const count = server.messages.length;
  await using session = await openSession(client);
  await session.say(`MAIL FROM:<${sender}>`);
  await session.say("RCPT TO:<bob@contoso.test>");
  const content = "Subject: chunk\r\n\r\ncover\r\n.\r\nMAIL FROM:<evil@evil.test>\n.\nsmuggled\r\n";
  session.write(`BDAT ${content.length} LAST\r\n${content}`);
  expect(await session.reply()).toMatch(/^250 /);
  await expect.poll(() => server.messages.length).toBe(count + 1);
  const wire = server.messages[count]?.wire.toString("latin1") ?? "";
  expect(wire).toContain("cover\r\n..\r\nMAIL FROM:<evil@evil.test>\r\n..\r\nsmuggled");
  expect(wire).toContain("X-Gateway-Inbound-Pass: 1");
});

test("commands that come before the server is ready for them end the session", async () => {
  await using session = await openSession(client);
  session.write(
    `MAIL FROM:<${sender}>\r\nRCPT TO:<bob@contoso.test>\r\nDATA\r\nSubject: x\r\n\r\nx\r\n.\r\n`,
  );
  const replies = [await session.reply(), await session.reply(), await session.reply()];
  expect(replies.join("\n")).toMatch(/554 5\.5\.0 /);
});

test.for([
  ["TLSv1.1", { minVersion: "TLSv1.1", maxVersion: "TLSv1.1" }, false],
  [
    "TLSv1.2 with forward secrecy and AEAD",
    { maxVersion: "TLSv1.2", ciphers: "ECDHE+AESGCM:@SECLEVEL=0" },
    true,
  ],
  [
    "TLSv1.2 with CBC",
    { maxVersion: "TLSv1.2", ciphers: "AES128-SHA:ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0" },
    false,
  ],
  ["TLSv1.3", { minVersion: "TLSv1.3" }, true],
] as const)("%s: %o is accepted: %s", async ([_name, tls, accepted]) => {
  for (const address of [gateway.inbound, gateway.relay]) {
    await using session = await openSession({ ...client, address });
    const started = session.startTls({ ciphers: "ALL:@SECLEVEL=0", ...tls }).then(
      () => true,
      () => false,
    );
    expect(await started).toBe(accepted);
  }
});
