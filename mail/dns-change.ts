/** A change of a domain's records that a person makes, where the domain's DNS is kept. */
import { MailRuleError } from "./errors.ts";

/** The lines are those of a zone file. */
export interface DnsChange {
  readonly domain: string;
  /** Which records: `MX`, `SPF`. */
  readonly what: string;
  readonly add: readonly string[];
  readonly remove: readonly string[];
  /** What may be removed with the same change, where a DNS host saves both at once; else it is the next one. */
  readonly mayGo: readonly string[];
  /** How long what stays must have stood beside what goes, in seconds. */
  readonly overlapSeconds: number;
}

/** The change in words, with a line for each record. */
export function describeDnsChange(change: DnsChange): string {
  const { domain, add, remove, mayGo, overlapSeconds } = change;
  const together = add.length > 0 && remove.length > 0;
  return [
    `To be changed by hand, where the DNS of ${domain} is kept:`,
    ...remove.map((line) => `    remove  ${line}`),
    ...add.map((line) => `    add     ${line}`),
    ...(together ? ["  Save both as one change: neither alone is right."] : []),
    ...(add.length > 0 && !together ? ["  Leave what stands beside it."] : []),
    ...(mayGo.length > 0
      ? [
          "  Where your DNS host saves several changes as one, this may go with it; else it is next:",
        ]
      : []),
    ...mayGo.map((line) => `    remove  ${line}`),
    ...(overlapSeconds > 0 && !together && remove.length > 0
      ? [`  Every name server shows both by now: let them stand for ${overlapSeconds} s first.`]
      : []),
  ].join("\n");
}

/** What ends a run where a person must go on. Mail flows as before, and nothing is lost by waiting. */
export function dnsChangeNeeded(change: DnsChange): MailRuleError {
  return new MailRuleError({
    code: "dns-change-needed",
    where: `${change.what} of ${change.domain}`,
    problem: describeDnsChange(change),
    fix: "\nMail keeps flowing meanwhile. Then run the same command again: it goes on once every name server shows the change.",
    value: change.domain,
  });
}
