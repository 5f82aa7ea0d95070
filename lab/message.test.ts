import { expect, test } from "vitest";
import {
  composeMessage,
  domainOf,
  headerValues,
  messageId,
  receivedBy,
  receivedField,
} from "./message.ts";

const message = composeMessage({
  id: "m-1",
  from: "alice@sender.test",
  to: "bob@contoso.test",
  subject: "Hello",
});

test("a message carries its id", () => {
  expect(messageId(message)).toBe("m-1");
  expect(messageId("Subject: no id\r\n\r\nMessage-ID: <in-the-body@lab.test>\r\n")).toBe("");
});

test("header fields are found by name whatever its case, and unfolded", () => {
  const folded = "X-Note: one\r\n\ttwo\r\nx-note: three\r\n\r\nX-Note: body\r\n";
  expect(headerValues(folded, "X-Note")).toEqual(["one\ttwo", "three"]);
});

test("trace fields tell the hosts that a message passed, oldest first", () => {
  const hop = { from: "mx.sender.test", clientAddress: "127.1.4.1", protocol: "ESMTPS" };
  const first = receivedField({ ...hop, by: "smtp-in.gateway.test" });
  const second = receivedField({ ...hop, by: "mail.contoso.test" });
  expect(receivedBy(second + first + message)).toEqual([
    "smtp-in.gateway.test",
    "mail.contoso.test",
  ]);
});

test("the domain of an address is in A-labels", () => {
  expect(domainOf("info@Bücher.test")).toBe("xn--bcher-kva.test");
  expect(domainOf('"odd@local"@contoso.test')).toBe("contoso.test");
});
