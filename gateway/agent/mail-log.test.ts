/** Lines as Postfix 3.7.11 wrote them on a host of the lab. */
import { expect, test } from "vitest";
import { MailLog, type PassedMail } from "./mail-log.ts";

const now = new Date(2026, 10, 26, 13, 0, 0);

function readAll(direction: "inbound" | "outbound", text: string, at = now): PassedMail[] {
  const log = new MailLog(direction);
  return text.split("\n").flatMap((line) => log.read(line, at) ?? []);
}

/** In the host's own time zone, as the log has it. */
function local(second: number, year = 2026): string {
  return new Date(year, 10, 26, 12, 35, second).toISOString();
}

const text = `\
Nov 26 12:35:11 smtp-in postfix-in/master[520]: daemon started -- version 3.7.11, configuration /etc/postfix-in
Nov 26 12:35:37 smtp-in postfix-in/smtpd[1441]: connect from unknown[127.101.3.1]
Nov 26 12:35:37 smtp-in postfix-in/smtpd[1441]: Anonymous TLS connection established from unknown[127.101.3.1]: TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits) key-exchange X25519 server-signature ECDSA (prime256v1) server-digest SHA256
Nov 26 12:35:38 smtp-in postfix-in/smtpd[1441]: 4jZwxk2JF7z3l: client=unknown[127.101.3.1]
Nov 26 12:35:38 smtp-in postfix-in/cleanup[1473]: 4jZwxk2JF7z3l: replace: header X-Gateway-Inbound-Pass: 0 from unknown[127.101.3.1]; from=<someone@outside.test> to=<info@contoso.test> proto=ESMTP helo=<client.test>: X-Gateway-Inbound-Pass: 1
Nov 26 12:35:38 smtp-in postfix-in/cleanup[1473]: 4jZwxk2JF7z3l: message-id=<>
Nov 26 12:35:38 smtp-in postfix-in/qmgr[1474]: 4jZwxk2JF7z3l: from=<someone@outside.test>, size=418, nrcpt=1 (queue active)
Nov 26 12:35:38 smtp-in postfix-in/smtpd[1441]: disconnect from unknown[127.101.3.1] ehlo=2 starttls=1 mail=1 rcpt=1 data=1 quit=1 commands=7
Nov 26 12:35:39 smtp-in postfix-in/smtp[1475]: 4jZwxk2JF7z3l: to=<info@contoso.test>, relay=127.101.2.1[127.101.2.1]:25, delay=1.3, delays=1/0.13/0.13/0, dsn=2.0.0, status=sent (250 OK: message queued)
Nov 26 12:35:39 smtp-in postfix-in/qmgr[1474]: 4jZwxk2JF7z3l: removed`;

test("inbound mail has passed when it is delivered; it is the recipient's", () => {
  expect(readAll("inbound", text)).toEqual([
    { domain: "contoso.test", direction: "inbound", mail: { at: local(39), from: "127.101.3.1" } },
  ]);
});

test("outbound mail has passed when it is accepted; it is the sender's", () => {
  expect(readAll("outbound", text)).toEqual([
    { domain: "outside.test", direction: "outbound", mail: { at: local(38), from: "127.101.3.1" } },
  ]);
});

test("mail that waits is no delivery, and its next attempts are no new acceptance", () => {
  const waiting = text.replace(
    "dsn=2.0.0, status=sent (250 OK: message queued)",
    "dsn=4.4.1, status=deferred (connect: timed out)",
  );
  expect(readAll("inbound", waiting)).toEqual([]);
  const [again = ""] = text.split("\n").filter((line) => line.includes("queue active"));
  const lines = text.split("\n").toSpliced(8, 0, again, again).join("\n");
  expect(readAll("outbound", lines)).toHaveLength(1);
});

test("what comes back from the processor is not counted again", () => {
  const back = text.replaceAll("unknown[127.101.3.1]", "localhost[127.0.0.1]");
  expect(readAll("inbound", back)).toEqual([]);
  expect(readAll("outbound", back)).toEqual([]);
});

test("a bounce has no sender's domain", () => {
  const bounce = text.replaceAll("from=<someone@outside.test>", "from=<>");
  expect(readAll("outbound", bounce)).toEqual([]);
  expect(readAll("inbound", bounce)).toHaveLength(1);
});

test("a line of November that is read in January is one of the year before", () => {
  const january = new Date(2027, 0, 2);
  expect(readAll("inbound", text, january)[0]?.mail.at).toBe(local(39));
});

test("IPv6 clients and short queue ids are read, too", () => {
  const other = text
    .replaceAll("127.101.3.1", "2001:db8::7")
    .replaceAll("4jZwxk2JF7z3l", "9F0A212C4");
  expect(readAll("inbound", other)[0]?.mail.from).toBe("2001:db8::7");
});

test("a domain that is written in U-labels is the one of its A-labels", () => {
  const international = text
    .replaceAll("outside.test", "Bücher.test")
    .replaceAll("contoso.test", "bücher.test");
  for (const direction of ["inbound", "outbound"] as const) {
    expect(readAll(direction, international)).toMatchObject([{ domain: "xn--bcher-kva.test" }]);
  }
});
