/** Lines as Postfix 3.7.11 wrote them on hosts of the lab. */
import { expect, test } from "vitest";
import { MailLog, type PassedMail } from "./mail-log.ts";

const now = new Date(2026, 10, 26, 12, 0, 0);

function readAll(direction: "inbound" | "outbound", text: string, at = now): PassedMail[] {
  const log = new MailLog(direction);
  return text.split("\n").flatMap((line) => log.read(line, at) ?? []);
}

test("nothing in a log is mail that passed where nothing passed", () => {
  const text =
    "no log\n\nNov 26 11:34:01 smtp-in postfix-in/master[520]: daemon started -- version 3.7.11";
  expect(readAll("inbound", text)).toEqual([]);
});
