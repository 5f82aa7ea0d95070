/**
 * What is wrong with a route by itself, apart from who holds the domain and what DNS and the Server say.
 *
 * The rules take what is known of a route, so that a fault in one value does not hide those of others.
 * `where` is the path within the route: `relayServer.tls`, `identities[1]`; it is empty for the route itself.
 */
import { parseTenantDomain } from "./domain-name.ts";
import { faultsOfReading, type MailRuleFault } from "./errors.ts";
import { parseFixIt } from "./fix-it.ts";
import { domainOfAddress, parseMailAddress } from "./mail-address.ts";
import type { GatewayFacts, PartialRoute } from "./partial-route.ts";
import type { RcptLookup } from "./route.ts";
import { hopFaults, relayServerFaults } from "./route-hop-faults.ts";
import { identityFaults } from "./route-identity-faults.ts";

/**
 * Octets of a list. The store keeps two versions of a route in one item, which has at most 400 KB (DynamoDB,
 * "Service, account, and table quotas").
 */
export const LIST_MAXIMUM = 150_000;

/** As they stand in the item: as JSON. */
export function listOctets(recipients: readonly string[]): number {
  return Buffer.byteLength(JSON.stringify(recipients));
}

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
      where: "",
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
  const octets = listOctets(rcptLookup.recipients);
  if (octets > LIST_MAXIMUM) {
    return [
      {
        code: "rcpt-list-too-long",
        where,
        problem: `The list of ${rcptLookup.recipients.length} recipients takes ${octets} octets, and ${LIST_MAXIMUM} are possible.`,
        fix: "Look the recipients up by probe.",
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
  return fixIt === undefined ? [] : faultsOfReading(() => parseFixIt(fixIt), "fixIt");
}
