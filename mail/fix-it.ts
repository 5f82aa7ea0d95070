/** The fix-it address: where a person learns what to do once the gateway refuses a domain's mail. */
import { MailRuleError } from "./errors.ts";

/** A reply line has 512 octets (RFC 5321 section 4.5.3.1.5), of which the domain may take 253. */
const MAXIMUM = 128;

/**
 * Reads a web address or a mail address, as it will stand in SMTP replies.
 *
 * @throws {MailRuleError} `fix-it-malformed`
 */
export function parseFixIt(text: string): string {
  const isPlace = /^https?:\/\/[!-~]+$/i.test(text) || /^[!-~]+@[!-~]+\.[!-~]+$/.test(text);
  if (isPlace && text.length <= MAXIMUM) return text;
  throw new MailRuleError({
    code: "fix-it-malformed",
    problem: `${JSON.stringify(text)} is neither a web address nor a mail address of at most ${MAXIMUM} ASCII characters.`,
    fix: "Write where people learn what to do once the gateway refuses mail: https://… or an address. It stands in SMTP replies.",
    value: text,
  });
}
