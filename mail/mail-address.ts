/** A mail address as a route has it: one mailbox, compared as text. */
import { domainToASCII } from "node:url";
import { parseDomainName } from "./domain-name.ts";
import { MailRuleError } from "./errors.ts";

/** Octets, RFC 5321 section 4.5.3.1.1. */
const LOCAL_MAXIMUM = 64;

/** A dot-string of RFC 5321 section 4.1.2, with the letters of RFC 6531. */
const DOT_STRING = /^[^\s\p{C}.@<>()[\]\\,;:"]+(?:\.[^\s\p{C}.@<>()[\]\\,;:"]+)*$/u;

/**
 * Reads a mail address.
 *
 * @returns it in lower case, with the domain in A-labels: mail systems tell capital letters apart nowhere,
 *   and Postfix looks addresses up in lower case
 * @throws {MailRuleError} `mail-address-malformed`, or a code of `parseDomainName`
 */
export function parseMailAddress(text: string): string {
  const at = text.lastIndexOf("@");
  const local = text.slice(0, at).toLowerCase();
  if (at < 1 || Buffer.byteLength(local) > LOCAL_MAXIMUM || !DOT_STRING.test(local)) {
    throw new MailRuleError({
      code: "mail-address-malformed",
      problem: `${JSON.stringify(text)} is not a mail address.`,
      fix: "Write one such as info@contoso.com, without a name and without angle brackets.",
      value: text,
    });
  }
  return `${local}@${parseDomainName(text.slice(at + 1))}`;
}

/**
 * The domain of an address, in A-labels; empty without any. It is behind the last @, for a local part may have one in
 * quotes (RFC 5321 section 4.1.2), and a mail server may give it in U-labels (SMTPUTF8, RFC 6531).
 *
 * @example domainOfAddress("anna@Bücher.test") // "xn--bcher-kva.test"
 */
export function domainOfAddress(address: string): string {
  const at = address.lastIndexOf("@");
  const domain = at === -1 ? "" : address.slice(at + 1).toLowerCase();
  return /^[\0-\x7f]*$/.test(domain) ? domain : domainToASCII(domain);
}
