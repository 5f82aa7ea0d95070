/** Domain names: read what a person wrote into the one form used everywhere, and relate names to zones. */

import { isIP } from "node:net";
import { domainToASCII, domainToUnicode } from "node:url";
import { getPublicSuffix } from "tldts";
import { MailRuleError } from "./errors.ts";

/** Lengths of RFC 1035 section 2.3.4, in the text form without the trailing dot. */
const LABEL_MAXIMUM = 63;
const NAME_MAXIMUM = 253;

interface TextFault {
  readonly found: RegExp;
  readonly code: string;
  readonly problem: string;
  readonly fix: string;
}

/** What is written instead of a domain name, in the order in which it is looked for. */
const TEXT_FAULTS: readonly TextFault[] = [
  {
    found: /^$/,
    code: "domain-name-empty",
    problem: "is empty",
    fix: "Write a domain name such as mail.example.com.",
  },
  {
    found: /@/,
    code: "domain-name-character",
    problem: "is a mail address",
    fix: "Write only what stands after the @.",
  },
  {
    found: /[/\\?#]/,
    code: "domain-name-character",
    problem: "looks like a URL",
    fix: "Write the bare host name, without scheme and path.",
  },
  {
    found: /:/,
    code: "domain-name-character",
    problem: "has a colon in it",
    fix: "Write the bare host name, without a port.",
  },
  {
    found: /\*/,
    code: "domain-name-wildcard",
    problem: "is a wildcard",
    fix: "Name each domain by itself.",
  },
  {
    found: /[_＿]/,
    code: "domain-name-underscore",
    problem: "has an underscore, which no host name may have",
    fix: "Maybe a hyphen was meant.",
  },
  {
    found: /\s/,
    code: "domain-name-character",
    problem: "has white space in it",
    fix: "Remove the white space.",
  },
  {
    found: /[^a-zA-Z0-9.\-\u0080-\u{10ffff}]/u,
    code: "domain-name-character",
    problem: "has a character that no domain name may have",
    fix: "Use letters, digits, hyphens and dots only.",
  },
];

/**
 * Reads the name of a host or a mail domain, as a person writes it.
 *
 * @param text may have capital letters, a trailing dot and letters of any script (`Bücher.Example.`).
 * @returns the name in lower-case A-labels without the trailing dot (`xn--bcher-kva.example`);
 *   mapped by UTS #46, non-transitional (`ß` stays `ß`).
 * @throws {MailRuleError} with a code that starts with `domain-name-`: for IP addresses, wildcards,
 *   underscores, single labels and everything else that is not a host name (RFC 1123 section 2.1).
 */
export function parseDomainName(text: string): string {
  if (isIP(text.replace(/^\[(.*)\]$/, "$1")) !== 0) throw addressFault(text);
  for (const { found, code, problem, fix } of TEXT_FAULTS) {
    if (found.test(text)) throw fault(text, code, problem, fix);
  }
  const name = toALabels(text).replace(/\.$/, "");
  const labels = name.split(".");
  for (const label of labels) checkLabel(text, label);
  checkName(text, name, labels);
  return name;
}

/**
 * Reads a name that a tenant can own: a domain name that is no public suffix (`co.uk`).
 * Suffixes are those of the ICANN section of the Public Suffix List.
 *
 * @throws {MailRuleError} as `parseDomainName`, and with the code `domain-name-public-suffix`.
 */
export function parseTenantDomain(text: string): string {
  const name = parseDomainName(text);
  if (getPublicSuffix(name) === name) {
    throw fault(
      text,
      "domain-name-public-suffix",
      "is a public suffix, under which anyone can register a domain",
      `Write the organisation's own domain, such as contoso.${toUnicodeName(name)}.`,
    );
  }
  return name;
}

/** Whether `name` is `zone` or lies below it. Both as `parseDomainName` returns them. */
export function isWithin(name: string, zone: string): boolean {
  return name === zone || name.endsWith(`.${zone}`);
}

/** The names above `name`, nearest first, down to the top-level domain, without `name` itself. */
export function parentNames(name: string): string[] {
  const labels = name.split(".");
  return labels.slice(1).map((_, index) => labels.slice(index + 1).join("."));
}

/** The name as its owner writes it (`bücher.example`). For messages only. */
export function toUnicodeName(name: string): string {
  return domainToUnicode(name);
}

/** `domainToASCII` maps as a URL's host is mapped; names of ASCII letters alone need no mapping. */
function toALabels(text: string): string {
  const isAscii = /^[\0-\x7f]*$/.test(text);
  const name = isAscii ? text.toLowerCase() : domainToASCII(text);
  const roundTrips = !/(^|\.)xn--/.test(name) || domainToASCII(domainToUnicode(name)) === name;
  if (name === "" || !roundTrips) throw internationalFault(text);
  return name;
}

function checkLabel(text: string, label: string): void {
  if (label === "") {
    throw fault(
      text,
      "domain-name-empty-label",
      "has an empty label",
      "Remove the dot that is too many.",
    );
  }
  if (label.length > LABEL_MAXIMUM) {
    throw fault(
      text,
      "domain-name-label-too-long",
      `has a label of ${label.length} characters ("${label}"), and ${LABEL_MAXIMUM} are allowed`,
      "Check the name for a missing dot.",
    );
  }
  if (label.startsWith("-") || label.endsWith("-")) {
    throw fault(
      text,
      "domain-name-hyphen",
      `has a label that starts or ends with a hyphen ("${label}")`,
      "Remove the hyphen.",
    );
  }
  if (label.startsWith("xn--") && domainToUnicode(label) === label) throw internationalFault(text);
}

function checkName(text: string, name: string, labels: readonly string[]): void {
  if (name.length > NAME_MAXIMUM) {
    throw fault(
      text,
      "domain-name-too-long",
      `has ${name.length} characters, and ${NAME_MAXIMUM} are allowed`,
      "Shorten the name.",
    );
  }
  // No top-level domain is a number; software reads such a name as an IPv4 address.
  if (/^(\d+|0x[0-9a-f]*)$/.test(labels.at(-1) ?? "")) throw addressFault(text);
  if (labels.length === 1) {
    throw fault(
      text,
      "domain-name-single-label",
      "has only one label",
      "Write the full name, with its domain: mail.example.com.",
    );
  }
}

function addressFault(text: string): MailRuleError {
  return fault(
    text,
    "domain-name-address",
    "is an IP address or ends like one",
    "Write a domain name here.",
  );
}

function internationalFault(text: string): MailRuleError {
  return fault(
    text,
    "domain-name-international",
    "is not a valid internationalised domain name (UTS #46)",
    "Write it in the letters of its language, or copy its xn-- form from the registrar.",
  );
}

function fault(value: string, code: string, problem: string, fix: string): MailRuleError {
  return new MailRuleError({ code, problem: `${JSON.stringify(value)} ${problem}.`, fix, value });
}
