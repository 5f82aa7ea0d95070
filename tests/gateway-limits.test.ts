/** How much one client may do, by real sessions: up to each limit all passes, and others never feel it. */
import { afterAll, beforeEach, expect, test } from "vitest";
import { exampleRoute } from "../gateway/postfix/testdata/example.ts";
import { SmtpDialogue } from "../lab/smtp-dialogue.ts";
import { testNet as net } from "../lab/test-net.ts";
import { startPostfixHost } from "./postfix-host.ts";

const parts = new AsyncDisposableStack();
afterAll(() => parts.disposeAsync());
const gateway = parts.use(await startPostfixHost({ net }));
await gateway.setRoutes([exampleRoute("contoso.test", { server: `${net}.2.99` })]);

/** The limit as Postfix has it, a minute and a client. */
async function limitOf(setting: string): Promise<number> {
  expect(await gateway.postfix("inbound", "postconf", "-h", "anvil_rate_time_unit")).toBe("60s");
  return Number(await gateway.postfix("inbound", "postconf", "-h", setting));
}

let clients = 0;
let client = "";

/** Every test is a client of its own, for the limits go by its address. */
beforeEach(() => {
  clients += 1;
  client = `${net}.4.${clients}`;
});

function connect(localAddress = client): Promise<SmtpDialogue> {
  return SmtpDialogue.open({ address: gateway.inbound, localAddress });
}

/** Says hello, all of these lines at once, and gives the replies to them. */
async function sayAll(lines: readonly string[]): Promise<string[]> {
  await using session = await connect();
  await session.hello();
  session.write(lines.map((line) => `${line}\r\n`).join(""));
  const replies: string[] = [];
  for (const _ of lines) replies.push(await session.reply());
  return replies;
}

/** Does some work so often, and no more than a few at a time. */
async function repeat<Result>(times: number, work: () => Promise<Result>): Promise<Result[]> {
  const results: Result[] = [];
  while (results.length < times) {
    const now = Math.min(8, times - results.length);
    results.push(...(await Promise.all(Array.from({ length: now }, work))));
  }
  return results;
}

/** The replies that do not begin so. */
function others(replies: readonly string[], begin: string): string[] {
  return replies.filter((reply) => !reply.startsWith(begin));
}

async function expectOthersToPass(): Promise<void> {
  await using session = await connect(`${net}.5.${clients}`);
  await session.hello();
  const { mail, rcpt } = await session.ask("a@sender.test", "x@contoso.test");
  expect(others([session.greeting], "220 ")).toEqual([]);
  expect(others([mail, rcpt], "250 ")).toEqual([]);
}

test("connections at a time", async () => {
  const limit = await limitOf("smtpd_client_connection_count_limit");
  await using sessions = new AsyncDisposableStack();
  for (let count = 0; count < limit; count += 1) {
    expect(sessions.use(await connect()).greeting).toMatch(/^220 /);
  }
  expect(await greet()).toMatch(/^421 4\.7\.0 .*too many connections/);
  await expectOthersToPass();
});

async function greet(): Promise<string> {
  await using session = await connect();
  return session.greeting;
}

test("connections in a minute", async () => {
  const limit = await limitOf("smtpd_client_connection_rate_limit");
  expect(others(await repeat(limit, greet), "220 ")).toEqual([]);
  expect(await greet()).toMatch(/^421 4\.7\.0 .*too many connections/);
  await expectOthersToPass();
});

test("messages in a minute, accepted or not", async () => {
  const limit = await limitOf("smtpd_client_message_rate_limit");
  // A session that says RSET more often makes errors: smtpd_junk_command_limit.
  const inSession = 75;
  expect(limit % inSession).toBe(0);
  const lines = Array.from({ length: inSession }, () => ["MAIL FROM:<a@sender.test>", "RSET"]);
  const replies = await repeat(limit / inSession, () => sayAll(lines.flat()));
  expect(others(replies.flat(), "250 ")).toEqual([]);
  expect(await sayAll(["MAIL FROM:<a@sender.test>"])).toEqual([
    expect.stringMatching(/^450 4\.7\.1 .*too much mail/),
  ]);
  await expectOthersToPass();
});

test("recipients in a minute", async () => {
  const limit = await limitOf("smtpd_client_recipient_rate_limit");
  const inMessage = await limitOf("smtpd_recipient_limit");
  expect(limit % inMessage).toBe(0);
  const recipients = Array.from({ length: inMessage }, (_, index) => `x${index}@contoso.test`);
  const lines = recipients.map((recipient) => `RCPT TO:<${recipient}>`);
  const replies = await repeat(limit / inMessage, () =>
    sayAll(["MAIL FROM:<a@sender.test>", ...lines]),
  );
  expect(others(replies.flat(), "250 ")).toEqual([]);
  expect(await sayAll(["MAIL FROM:<a@sender.test>", "RCPT TO:<x@contoso.test>"])).toEqual([
    expect.stringMatching(/^250 /),
    expect.stringMatching(/^450 4\.7\.1 .*too many recipients/),
  ]);
  await expectOthersToPass();
});

test("recipients of a message: the sender tries again with the others", async () => {
  const limit = await limitOf("smtpd_recipient_limit");
  const lines = Array.from({ length: limit + 1 }, (_, at) => `RCPT TO:<x${at}@contoso.test>`);
  const [, ...replies] = await sayAll(["MAIL FROM:<a@sender.test>", ...lines]);
  expect(others(replies.slice(0, limit), "250 ")).toEqual([]);
  expect(replies[limit]).toMatch(/^452 4\.5\.3 .*too many recipients/);
});

test("errors of a session", async () => {
  const limit = await limitOf("smtpd_hard_error_limit");
  await using session = await connect();
  await session.hello();
  await session.say("MAIL FROM:<a@sender.test>");
  const replies: string[] = [];
  for (let count = 0; count < limit; count += 1) {
    replies.push(await session.say("RCPT TO:<x@unknown.test>"));
  }
  expect(others(replies, "554 5.7.1 ")).toEqual([]);
  expect(await session.say("NOOP")).toMatch(/^421 4\.7\.0 .*too many errors/);
  await expectOthersToPass();
});
