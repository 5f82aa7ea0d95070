/** Mail messages (RFC 5322) as far as the lab needs them: identify one, and see which way it came. */
import { domainToASCII } from "node:url";

export interface TestMessage {
  /** Identifies the message: the left-hand side of its `Message-ID`. */
  readonly id: string;
  /** Addresses as in the header. */
  readonly from: string;
  readonly to: string;
  readonly subject: string;
}

/** The message as text, with CRLF line ends. */
export function composeMessage({ id, from, to, subject }: TestMessage): string {
  const lines = [
    `Date: ${new Date().toUTCString().replace("GMT", "+0000")}`,
    `From: <${from}>`,
    `To: <${to}>`,
    `Message-ID: <${id}@lab.test>`,
    `Subject: ${subject}`,
    "",
    "A message of the lab.",
  ];
  return lines.map((line) => `${line}\r\n`).join("");
}

/** The values of all header fields of that name, unfolded, from top to bottom. */
export function headerValues(message: string, name: string): string[] {
  const end = message.indexOf("\r\n\r\n");
  const header = (end === -1 ? message : message.slice(0, end)).replaceAll(/\r\n(?=[ \t])/g, "");
  return header.split("\r\n").flatMap((line) => {
    const colon = line.indexOf(":");
    const matches = line.slice(0, colon).toLowerCase() === name.toLowerCase();
    return matches ? [line.slice(colon + 1).trim()] : [];
  });
}

/** The left-hand side of the `Message-ID`; empty if there is none. */
export function messageId(message: string): string {
  const [value = ""] = headerValues(message, "Message-ID");
  return /^<([^@>]+)@/.exec(value)?.[1] ?? "";
}

export interface Hop {
  /** What the client called itself. */
  readonly from: string;
  readonly clientAddress: string;
  readonly by: string;
  /** E.g. `ESMTPS`. */
  readonly protocol: string;
}

/** A trace field (RFC 5321 section 4.4), to be put before the message. */
export function receivedField({ from, clientAddress, by, protocol }: Hop): string {
  const date = new Date().toUTCString().replace("GMT", "+0000");
  return `Received: from ${from} ([${clientAddress}])\r\n by ${by} with ${protocol}; ${date}\r\n`;
}

/** The hosts that a message passed, oldest first. */
export function receivedBy(message: string): string[] {
  return headerValues(message, "Received")
    .map((value) => /\sby\s+(\S+)/.exec(value)?.[1] ?? "")
    .toReversed();
}

/** The domain of a mail address, in lower case and A-labels. */
export function domainOf(address: string): string {
  return domainToASCII(address.slice(address.lastIndexOf("@") + 1));
}
