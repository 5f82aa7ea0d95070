/**
 * What must hold between the values of a tenant's stack file. Each value by itself is right already.
 *
 * The rules take what could be read, so that a fault in one value does not hide those between others.
 */
import { isIP } from "node:net";
import type { MxRecord } from "../mail/dns.ts";
import type { MailRuleFault } from "../mail/errors.ts";
import { HOSTED_INBOUND, HOSTED_OUTBOUND } from "./hosted-gateway.ts";
import { quoted } from "./schema-faults.ts";
import type { DomainConfig, GatewayHosts } from "./tenant.ts";

/** What could be read of a value. */
export type Sound<T> = { readonly [Key in keyof T]?: T[Key] | undefined };

export interface SoundTenant {
  readonly gateway: Sound<GatewayHosts>;
  /** In the order of the file. */
  readonly domains: readonly Sound<DomainConfig>[];
}

/** Every fault between values. `where` is the path below `mail:`. */
export function tenantFaults({ gateway, domains }: SoundTenant): MailRuleFault[] {
  return [
    ...gatewayFaults(gateway),
    ...duplicateFaults(domains),
    ...spfIncludeFaults(gateway, domains),
    ...domains.flatMap((domain, index) => {
      const at = `domains[${index}]`;
      return [
        ...flowFaults(domain, at),
        ...hostFaults(domain, at, gatewayNames(gateway)),
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

function gatewayFaults({ mx = [], smtpIn, smtpRelay }: Sound<GatewayHosts>): MailRuleFault[] {
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
  const { inbound, outbound, relayServer, bypass, handBackTo, overlapSeconds, spf } = domain;
  const faults: MailRuleFault[] = [];
  if (inbound === "none" && outbound === "none") {
    faults.push({
      code: "domain-without-flow",
      where: at,
      problem: 'With inbound "none" and outbound "none" no mail of the domain passes the gateway.',
      fix: "Choose a flow, or delete the domain from the list.",
    });
  }
  const needBorder = {
    bypass: bypass === true ? true : undefined,
    handBackTo,
    overlapSeconds,
    "spf.replaceMx": spf?.replaceMx,
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
  if (relayServer !== undefined && outbound !== undefined && outbound !== "standard") {
    faults.push({
      code: "outbound-standard-needed",
      where: `${at}.relayServer`,
      value: relayServer.host,
      problem: `${quoted(relayServer.host)} has no effect with outbound ${quoted(outbound)}.`,
      fix: "Delete relayServer, or write outbound: standard.",
    });
  }
  return faults;
}

function hostFaults(
  { name, server, relayServer, handBackTo = [] }: Sound<DomainConfig>,
  at: string,
  gateway: ReadonlySet<string>,
): MailRuleFault[] {
  const faults: MailRuleFault[] = [];
  const refuseGateway = (where: string, value: string | undefined, fix: string) => {
    if (value === undefined || !gateway.has(value)) return;
    const problem = `${quoted(value)} is the gateway itself: mail would go round in a loop.`;
    faults.push({ code: "loop-through-gateway", where: `${at}.${where}`, value, problem, fix });
  };
  refuseGateway("name", name, "Name the mail domain of the organisation, not a host.");
  refuseGateway("server", server, "Name the system that finally receives the mail.");
  refuseGateway(
    "relayServer",
    relayServer?.host,
    "Name the host behind the gateway, or delete it.",
  );
  for (const [index, { exchange, preference }] of handBackTo.entries()) {
    const where = `handBackTo[${index}].exchange`;
    refuseGateway(where, exchange, "Name the mail system's own MX host.");
    const same = (mx: MxRecord) => mx.exchange === exchange && mx.preference === preference;
    if (handBackTo.findIndex(same) === index) continue;
    const problem = `${quoted(`${preference} ${exchange}`)} is already in the list.`;
    const fix = "Delete one of the two entries.";
    faults.push({
      code: "mx-target-twice",
      where: `${at}.${where}`,
      value: exchange,
      problem,
      fix,
    });
  }
  if (relayServer !== undefined && relayServer.host === server) {
    faults.push({
      code: "relay-server-is-server",
      where: `${at}.relayServer`,
      value: server,
      problem: `${quoted(server)} is the domain's own Server: outbound mail would come back in.`,
      fix: "Delete relayServer. If the mail system is to send the mail itself, write outbound: loopback.",
    });
  }
  return faults;
}

function mxLookupFaults(
  { server, mxLookup }: Sound<DomainConfig>,
  at: string,
  domains: SoundTenant["domains"],
): MailRuleFault[] {
  if (mxLookup !== true || server === undefined) return [];
  const fault = { where: `${at}.mxLookup`, value: "true" };
  if (isIP(server) !== 0) {
    const problem = `The Server ${quoted(server)} is an address, and an address has no MX records.`;
    const fix = "Delete mxLookup, or give the Server by name.";
    return [{ ...fault, code: "mx-lookup-of-address", problem, fix }];
  }
  if (!domains.some(({ name, inbound }) => name === server && inbound === "border")) return [];
  return [
    {
      ...fault,
      code: "mx-lookup-loop",
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

function gatewayNames({ mx = [], smtpIn, smtpRelay }: Sound<GatewayHosts>): ReadonlySet<string> {
  const own = [...mx.map(({ exchange }) => exchange), smtpIn, smtpRelay];
  const given = own.filter((name) => name !== undefined);
  return new Set([...given, ...HOSTED_INBOUND, ...HOSTED_OUTBOUND]);
}
