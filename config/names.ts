/** The names and addresses in a stack file, each read into its one normal form. */
import { isIP } from "node:net";
import ipaddr from "ipaddr.js";
import { parseDomainName, parseTenantDomain } from "../mail/domain-name.ts";
import { MailRuleError } from "../mail/errors.ts";
import { type About, parsedText } from "./parsed-text.ts";

/** The name of a host, as lower-case A-labels without the trailing dot. */
export function hostName(about: About) {
  return parsedText(about, parseDomainName);
}

/** A mail domain that one organisation can hold. */
export function tenantDomainName(about: About) {
  return parsedText(about, parseTenantDomain);
}

/** The name of a host, or its IPv4 or IPv6 address. */
export function mailHost(about: About) {
  return parsedText(about, (text) => {
    const address = text.replace(/^\[(.*)\]$/, "$1");
    return isIP(address) === 0 ? parseDomainName(text) : address.toLowerCase();
  });
}

/** `localhost` or a loopback address: what listens on the slot itself. */
export function loopbackHost(about: About) {
  return parsedText(about, (text) => {
    const host = text.replace(/^\[(.*)\]$/, "$1").toLowerCase();
    const isAddress = isIP(host) !== 0 && ipaddr.parse(host).range() === "loopback";
    if (isAddress || host === "localhost") return host;
    throw new MailRuleError({
      code: "host-not-loopback",
      value: text,
      problem: `"${text}" is not on the slot itself, and mail comes back on loopback only.`,
      fix: "Run it, or a relay to it, on the slots, and name 127.0.0.1.",
    });
  });
}
