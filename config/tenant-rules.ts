/**
 * What must hold between the values of a tenant's stack file. Each value by itself is right already.
 *
 * The rules take what could be read, so that a fault in one value does not hide those between others.
 */
import type { MxRecord } from "../mail/dns.ts";
import type { MailRuleFault } from "../mail/errors.ts";
import { type Gateway, gatewayNames } from "./gateway-hosts.ts";
import { HOSTED_INBOUND, HOSTED_OUTBOUND } from "./hosted-gateway.ts";
import { domainRouteFaults } from "./route-rules.ts";
import { quoted } from "./schema-faults.ts";
import type { Sound, SoundTenant } from "./sound-tenant.ts";
import type { DomainConfig } from "./tenant.ts";

/** Every fault between values. `where` is the path below `mail:`. */
export function tenantFaults(tenant: SoundTenant): MailRuleFault[] {
  const { gateway, domains } = tenant;
  const hosts = new Set([...gatewayNames(gateway), ...HOSTED_INBOUND, ...HOSTED_OUTBOUND]);
  const facts = { hosts, nextHops: gateway.routeStore?.nextHops };
  return [
    ...gatewayFaults(gateway),
    ...duplicateFaults(domains),
    ...spfIncludeFaults(gateway, domains),
    ...domains.flatMap((domain, index) => {
      const at = `domains[${index}]`;
      return [
        ...flowFaults(domain, at),
        ...handBackFaults(domain, at, hosts),
        ...dnsFaults(domain, at),
        ...domainRouteFaults(domain, at, tenant, facts),
        ...mxLookupFaults(domain, at, domains),
        ...spfFaults(domain, at),
      ];
    }),
  ];
}

/** Whether mail of the domain leaves from the gateway to the world, so that SPF must name the gateway. */
export function leavesThroughGateway({ outbound, relayServer }: Sound<DomainConfig>): boolean {
  return outbound === "standard" && relayServer === undefined;
}

function gatewayFaults({ mx = [], smtpIn, smtpRelay }: Sound<Gateway>): MailRuleFault[] {
  const faults: MailRuleFault[] = [];
  for (const [index, { exchange }] of mx.entries()) {
    const where = `gateway.mx[${index}].exchange`;
    const isRelay = exchange === smtpRelay && exchange !== smtpIn;
    if (isRelay || HOSTED_OUTBOUND.has(exchange)) {
      faults.push(endpointFault(where, exchange, "an outbound endpoint", smtpIn));
    }
    if (mx.findIndex((other) => other.exchange === exchange) !== index) {
      const problem = `${quoted(exchange)} is already in the list.`;
      const fix = "Delete one of the two entries.";
      faults.push({ code: "mx-target-twice", where, value: exchange, problem, fix });
    }
  }
  if (smtpIn !== undefined && HOSTED_OUTBOUND.has(smtpIn)) {
    faults.push(endpointFault("gateway.smtpIn", smtpIn, "an outbound endpoint", undefined));
  }
  if (smtpRelay !== undefined && (smtpRelay === smtpIn || HOSTED_INBOUND.has(smtpRelay))) {
    faults.push(endpointFault("gateway.smtpRelay", smtpRelay, "the inbound endpoint", undefined));
  }
  return faults;
}

function endpointFault(
  where: string,
  value: string,
  what: string,
  instead: string | undefined,
): MailRuleFault {
  return {
    code: "gateway-endpoints-mixed-up",
    where,
    value,
    problem: `${quoted(value)} is ${what} of the gateway.`,
    fix:
      `Mail comes in at smtpIn and goes out at smtpRelay, which are two hosts.` +
      (instead === undefined ? "" : ` Maybe ${quoted(instead)} was meant.`),
  };
}

function duplicateFaults(domains: SoundTenant["domains"]): MailRuleFault[] {
  return domains.flatMap(({ name }, index) => {
    const first = domains.findIndex((other) => other.name === name);
    if (name === undefined || first === index) return [];
    return {
      code: "domain-twice",
      where: `domains[${index}].name`,
      value: name,
      problem: `${quoted(name)} is the same domain as domains[${first}].`,
      fix: "Delete one of the two entries.",
    };
  });
}

function spfIncludeFaults(
  gateway: SoundTenant["gateway"],
  domains: SoundTenant["domains"],
): MailRuleFault[] {
  const names = domains.filter(leavesThroughGateway).flatMap(({ name }) => name ?? []);
  const hostsAreKnown = gateway.smtpRelay !== undefined;
  if (gateway.spfInclude !== undefined || !hostsAreKnown || names.length === 0) return [];
  return [
    {
      code: "spf-include-missing",
      where: "gateway.spfInclude",
      problem: `It is missing, and mail of ${names.join(", ")} leaves from the gateway to the world.`,
      fix: 'Write the domain of the gateway\'s SPF record, or give the domain a relayServer, or another outbound than "standard".',
    },
  ];
}

/** Values that mean something for some flows only: given for others, they show a misunderstanding. */
function flowFaults(domain: Sound<DomainConfig>, at: string): MailRuleFault[] {
  const { inbound, bypass, handBackTo, handBackConfirmed, overlapSeconds, spf } = domain;
  const faults: MailRuleFault[] = [];
  const needBorder = {
    bypass: bypass === true ? true : undefined,
    handBackTo,
    handBackConfirmed: handBackConfirmed === true ? true : undefined,
    overlapSeconds,
    // The term of a gateway that the domain was at before stands there as long as mail may leave from it.
    "spf.replaceMx": spf?.replaceMx?.some((term) => term.startsWith("include:"))
      ? undefined
      : spf?.replaceMx,
  };
  for (const [key, value] of Object.entries(needBorder)) {
    if (value === undefined || inbound === undefined || inbound === "border") continue;
    faults.push({
      code: "inbound-border-needed",
      where: `${at}.${key}`,
      value: JSON.stringify(value),
      problem: `${quoted(value)} has no effect: with inbound ${quoted(inbound)} the MX is not touched.`,
      fix: `Delete ${key}, or write inbound: border.`,
    });
  }
  return faults;
}

function handBackFaults(
  { handBackTo = [] }: Sound<DomainConfig>,
  at: string,
  gateway: ReadonlySet<string>,
): MailRuleFault[] {
  return handBackTo.flatMap(({ exchange, preference }, index) => {
    const fault = { where: `${at}.handBackTo[${index}].exchange`, value: exchange };
    const faults: MailRuleFault[] = [];
    if (gateway.has(exchange)) {
      const problem = `${quoted(exchange)} is the gateway itself: mail would go round in a loop.`;
      const fix = "Name the mail system's own MX host.";
      faults.push({ ...fault, code: "loop-through-gateway", problem, fix });
    }
    const same = (mx: MxRecord) => mx.exchange === exchange && mx.preference === preference;
    if (handBackTo.findIndex(same) !== index) {
      const problem = `${quoted(`${preference} ${exchange}`)} is already in the list.`;
      const fix = "Delete one of the two entries.";
      faults.push({ ...fault, code: "mx-target-twice", problem, fix });
    }
    return faults;
  });
}

/** What finds a zone at Cloudflare means nothing elsewhere. */
function dnsFaults({ dns, zoneId, credential }: Sound<DomainConfig>, at: string): MailRuleFault[] {
  if (dns !== "manual") return [];
  return Object.entries({ zoneId, credential }).flatMap(([key, value]) => {
    if (value === undefined) return [];
    const problem = `${quoted(value)} has no effect: with dns "manual" nobody asks Cloudflare.`;
    const fix = `Delete ${key}, or write dns: cloudflare.`;
    return { code: "dns-cloudflare-needed", where: `${at}.${key}`, value, problem, fix };
  });
}

function mxLookupFaults(
  { server, mxLookup }: Sound<DomainConfig>,
  at: string,
  domains: SoundTenant["domains"],
): MailRuleFault[] {
  if (mxLookup !== true || server === undefined) return [];
  if (!domains.some(({ name, inbound }) => name === server && inbound === "border")) return [];
  return [
    {
      code: "mx-lookup-loop",
      where: `${at}.mxLookup`,
      value: "true",
      problem: `The MX of the Server ${quoted(server)} will point at the gateway: mail would go round in a loop.`,
      fix: "Delete mxLookup and give the Server's own host name.",
    },
  ];
}

function spfFaults(domain: Sound<DomainConfig>, at: string): MailRuleFault[] {
  const { spf, outbound } = domain;
  if (spf?.base === undefined || outbound === undefined) return [];
  if (leavesThroughGateway(domain) || (spf.replaceMx ?? []).length > 0) return [];
  return [
    {
      code: "spf-not-edited",
      where: `${at}.spf.base`,
      value: spf.base,
      problem: `${quoted(spf.base)} has no effect: the SPF record of this domain is not edited.`,
      fix: "Delete spf.base: SPF is edited only where mail leaves from the gateway to the world.",
    },
  ];
}
