/** Asking a mail server, against servers that answer in every way that matters. */
import { once } from "node:events";
import { mkdtempDisposable } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createAuthority } from "../lab/certificates.ts";
import { startMailSystem } from "../lab/mail-system.ts";
import { startPlainMailServer } from "../lab/plain-mail-server.ts";
import { testNet } from "../lab/test-net.ts";
import { askRecipient, type RecipientQuestion } from "./ask-recipient.ts";

const address = `${testNet}.6.1`;
const host = "mail.contoso.test";

const question = (change: Partial<RecipientQuestion> = {}): RecipientQuestion => ({
  host,
  address,
  port: 25,
  recipient: "info@contoso.test",
  connectMilliseconds: 2_000,
  replyMilliseconds: 1_000,
  signal: new AbortController().signal,
  ...change,
});

const actions = (steps: readonly { action: string }[]) => steps.map(({ action }) => action);

test("a server that accepts is asked up to RCPT, and gets no message", async () => {
  await using server = await startPlainMailServer({ name: host, address });
  const { answer, steps, seenFrom } = await askRecipient(question());
  expect(answer).toEqual({ kind: "accepted" });
  expect(actions(steps)).toEqual([
    `connect ${host} (${address}) port 25`,
    expect.stringMatching(/^EHLO /),
    "MAIL FROM:<>",
    "RCPT TO:<info@contoso.test>",
  ]);
  expect(steps.at(-1)?.outcome).toBe("250 2.0.0 fine");
  expect(seenFrom).toContain("127.0.0.1");
  expect(server.messages).toEqual([]);
});

test("TLS is used where it is offered, whatever the certificate", async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), "ask-"));
  const authority = await createAuthority(directory.path);
  const certificate = await authority.issue("other.test");
  await using system = await startMailSystem({ name: host, address, certificate });
  const { answer, steps } = await askRecipient(question({ address: system.address }));
  expect(answer.kind).toBe("accepted");
  expect(steps).toContainEqual({ action: "TLS handshake", outcome: "done" });
});

test("where TLS fails it is left out", async () => {
  const hellos: string[] = [];
  const server = createServer((socket: Socket) => {
    socket.on("error", () => undefined);
    socket.write(`220 ${host}\r\n`);
    let secured = false;
    socket.on("data", (data) => {
      const line = data.toString();
      if (secured) return socket.destroy();
      if (line.startsWith("EHLO")) hellos.push(line);
      secured = line.startsWith("STARTTLS");
      return socket.write(
        secured
          ? "220 go\r\n"
          : line.startsWith("EHLO")
            ? `250-${host}\r\n250 STARTTLS\r\n`
            : "250 ok\r\n",
      );
    });
  }).listen(25, address);
  await once(server, "listening");
  try {
    const { answer, steps } = await askRecipient(question());
    expect(answer).toEqual({ kind: "accepted" });
    expect(actions(steps)).not.toContain("STARTTLS");
    expect(hellos).toHaveLength(2);
  } finally {
    server.close();
  }
});

test.each([
  ["BANNER", "554 5.7.1 no service for you", { kind: "refused", atRecipient: false }],
  ["EHLO", "550 5.7.1 bad name", { kind: "refused", atRecipient: false }],
  ["MAIL", "550 5.7.1 no", { kind: "refused", atRecipient: false }],
  ["RCPT", "550 5.7.51 TenantInboundAttribution", { kind: "refused", atRecipient: true }],
  ["BANNER", "421 4.3.2 busy", { kind: "deferred" }],
  ["RCPT", "451 4.7.1 greylisted", { kind: "deferred" }],
  ["BANNER", "hang", { kind: "failed", failure: "silent" }],
  ["RCPT", "hang", { kind: "failed", failure: "silent" }],
])("at %s it answers %s", async (verb, reply, expected) => {
  await using server = await startPlainMailServer({
    name: host,
    address,
    answer: (asked) => (asked === verb ? reply : undefined),
  });
  const { answer, steps } = await askRecipient(question({ address: server.address }));
  expect(answer).toMatchObject(expected);
  expect(steps.at(-1)?.outcome).toContain(reply === "hang" ? "no reply within 1 s" : reply);
});

test("nobody listens", async () => {
  const { answer } = await askRecipient(question());
  expect(answer).toEqual({ kind: "failed", failure: "unreachable" });
});

test("the address that the server greets is known: behind NAT it is another", async () => {
  const greeting = `250 ${host} Hello [198.51.100.7], pleased to meet you`;
  await using server = await startPlainMailServer({
    name: host,
    address,
    answer: (verb) => (verb === "EHLO" ? greeting : undefined),
  });
  const { seenFrom } = await askRecipient(question({ address: server.address }));
  expect(seenFrom).toEqual(["127.0.0.1", "198.51.100.7"]);
});

test("a cancel ends the dialogue at once", async () => {
  await using server = await startPlainMailServer({
    name: host,
    address,
    answer: (verb) => (verb === "RCPT" ? "hang" : undefined),
  });
  const controller = new AbortController();
  const asking = askRecipient(
    question({ address: server.address, signal: controller.signal, replyMilliseconds: 600_000 }),
  );
  setTimeout(() => controller.abort(), 100);
  expect((await asking).answer).toEqual({ kind: "failed", failure: "closed" });
});
