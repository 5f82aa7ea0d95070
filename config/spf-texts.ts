/** The parts of SPF records in a stack file. */
import { parseDomainName } from "../mail/domain-name.ts";
import { MailRuleError } from "../mail/errors.ts";
import { parseRecord } from "../mail/spf/record.ts";
import { isDirective, parseTerm } from "../mail/spf/term.ts";
import { type About, parsedText } from "./parsed-text.ts";

/** The domain of an SPF `include:`. Unlike a host name it may have labels such as `_spf`. */
export function spfDomain(about: About) {
  return parsedText(about, (text) => {
    const domain = /^(?:v=spf1\s+)?[+?~-]?include:(\S+)/i.exec(text)?.[1];
    if (domain !== undefined) {
      throw new MailRuleError({
        code: "spf-include-is-a-term",
        problem: `${JSON.stringify(text)} is an SPF term, and its domain alone is expected.`,
        fix: `Write ${JSON.stringify(domain)}.`,
        value: text,
      });
    }
    const labels = parseDomainName(text.replaceAll(/(^|\.)_/g, "$1")).split(".");
    const written = text.split(".");
    return labels.map((label, i) => (written[i]?.startsWith("_") ? `_${label}` : label)).join(".");
  });
}

/** A whole SPF record, as it is written. */
export function spfRecord(about: About) {
  return parsedText(about, (text) => {
    parseRecord(text);
    return text;
  });
}

/** A term that authorises the hosts that `mx` stood for. */
export function spfMxReplacement(about: About) {
  return parsedText(about, (text) => {
    const term = parseTerm(text);
    if (isDirective(term) && term.kind !== "all" && !(term.kind === "mx" && !term.domain)) {
      return text;
    }
    throw new MailRuleError({
      code: "spf-replacement-names-no-host",
      problem: `${JSON.stringify(text)} does not name the hosts that "mx" stood for.`,
      fix: 'Write terms such as "a:mail.contoso.com" or "ip4:192.0.2.10".',
      value: text,
    });
  });
}
