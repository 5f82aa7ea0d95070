/** The names and addresses in a stack file, each read into its one normal form. */
import { isIP } from "node:net";
import { parseDomainName, parseTenantDomain } from "../mail/domain-name.ts";
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
