/**
 * What is wrong with a route by itself, apart from who holds the domain and what DNS and the Server say.
 *
 * The rules take what is known of a route, so that a fault in one value does not hide those of others.
 * `where` is the path within the route: `relayServer.tls`, `identities[1]`.
 */
import { parseTenantDomain } from "./domain-name.ts";
import { faultsOfReading, type MailRuleFault } from "./errors.ts";
import { domainOfAddress, parseMailAddress } from "./mail-address.ts";
import type { GatewayFacts, PartialRoute } from "./partial-route.ts";
import type { RcptLookup } from "./route.ts";
import { hopFaults, relayServerFaults } from "./route-hop-faults.ts";
import { identityFaults } from "./route-identity-faults.ts";

/** A reply line has 512 octets (RFC 5321 section 4.5.3.1.5), of which the domain may take 253. */
const FIX_IT_MAXIMUM = 128;

/** Every fault, in the order of the route's fields. */
export function routeFaults(route: PartialRoute, gateway: GatewayFacts): MailRuleFault[] {
  return [
    ...domainFaults(route, gateway),
    ...hopFaults(route, gateway),
    ...rcptLookupFaults(route),
    ...relayServerFaults(route, gateway),
    ...identityFaults(route, gateway),
    ...probeRecipientFaults(route),
    ...fixItFaults(route),
  ];
}

function domainFaults(
  { domain, inbound, outbound }: PartialRoute,
  { hosts }: GatewayFacts,
): MailRuleFault[] {
  const faults: MailRuleFault[] = [];
  if (domain !== undefined) {
    faults.push(...faultsOfReading(() => parseTenantDomain(domain), "domain"));
    if (hosts.has(domain)) {
      faults.push({
        code: "loop-through-gateway",
        where: "domain",
        value: domain,
        problem: `${JSON.stringify(domain)} is the gateway itself: mail would go round in a loop.`,
        fix: "Name the mail domain of the organisation, not a host.",
      });
    }
  }
  if (inbound === false && outbound === "none") {
    faults.push({
      code: "domain-without-flow",
      where: "outbound",
      problem: 'With inbound "none" and outbound "none" no mail of the domain passes the gateway.',
      fix: "Choose a flow, or delete the domain from the list.",
    });
  }
  return faults;
}

function rcptLookupFaults({ rcptLookup, domain }: PartialRoute): MailRuleFault[] {
  if (rcptLookup?.kind !== "list") return [];
  const where = "rcptLookup.recipients";
  if (rcptLookup.recipients.length === 0) {
    return [
      {
        code: "rcpt-list-empty",
        where,
        problem:
          "Recipients are looked up in a list, and the list is empty: all mail would be refused.",
        fix: "List every address of the domain, or look them up by probe.",
      },
    ];
  }
  return listFaults(rcptLookup, where, domain);
}

function listFaults(
  { recipients }: Extract<RcptLookup, { kind: "list" }>,
  where: string,
  domain: string | undefined,
): MailRuleFault[] {
  return recipients.flatMap((recipient, index) =>
    addressFaults(recipient, `${where}[${index}]`, domain),
  );
}

function probeRecipientFaults({ probeRecipient, domain }: PartialRoute): MailRuleFault[] {
  return probeRecipient === undefined
    ? []
    : addressFaults(probeRecipient, "probeRecipient", domain);
}

/** Of an address that must be one of the domain. */
function addressFaults(text: string, where: string, domain: string | undefined): MailRuleFault[] {
  const faults = faultsOfReading(() => parseMailAddress(text), where);
  if (faults.length > 0 || domain === undefined) return faults;
  if (domainOfAddress(parseMailAddress(text)) === domain) return [];
  return [
    {
      code: "recipient-of-other-domain",
      where,
      value: text,
      problem: `${JSON.stringify(text)} is not an address of ${domain}.`,
      fix: `Write an address that ends with @${domain}; the route of ${domain} is for no other domain, nor for subdomains.`,
    },
  ];
}

function fixItFaults({ fixIt }: PartialRoute): MailRuleFault[] {
  if (fixIt === undefined) return [];
  const isPlace = /^https?:\/\/[!-~]+$/i.test(fixIt) || /^[!-~]+@[!-~]+\.[!-~]+$/.test(fixIt);
  if (isPlace && fixIt.length <= FIX_IT_MAXIMUM) return [];
  return [
    {
      code: "fix-it-malformed",
      where: "fixIt",
      value: fixIt,
      problem: `${JSON.stringify(fixIt)} is neither a web address nor a mail address of at most ${FIX_IT_MAXIMUM} ASCII characters.`,
      fix: "Write where people learn what to do once the gateway refuses mail: https://… or an address. It stands in SMTP replies.",
    },
  ];
}
