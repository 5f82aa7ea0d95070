/** What the steps of a domain are made from, out of a tenant's configuration. */
import { isIPv4 } from "node:net";
import { formatSendingIdentity } from "../mail/sending-identity.ts";
import type { StepFacts } from "../mail/steps/index.ts";
import type { Gateway } from "./gateway-hosts.ts";
import { HOSTED_EGRESS, HOSTED_FORMER, HOSTED_INBOUND } from "./hosted-gateway.ts";
import { rcptLookupOf } from "./route-rules.ts";
import type { DomainConfig, TenantConfig } from "./tenant.ts";

/** @param byHand what the records get, where a person changes them */
export function stepFacts(
  { gateway, domains }: TenantConfig,
  config: DomainConfig,
  byHand?: StepFacts["byHand"],
): StepFacts {
  const { name, mailSystem, server, mxLookup, inbound, outbound, relayServer } = config;
  const others = domains.filter((other) => other.mailSystem === mailSystem && other !== config);
  return {
    domain: name,
    mailSystem,
    server,
    mxLookup,
    rcptLookup: rcptLookupOf(config).kind,
    inbound,
    outbound,
    relayServer: relayServer && { host: relayServer.host, port: relayServer.port },
    gateway: gatewayFacts(gateway),
    sendingFrom: (config.sendingFrom ?? []).map(formatSendingIdentity),
    probeRecipient: config.probeRecipient,
    byHand,
    neighbours: others.map((other) => ({
      domain: other.name,
      inbound: other.inbound,
      outbound: other.outbound,
    })),
  };
}

/** A gateway that is given by its host names does not tell its addresses; the hosted one's are published. */
function gatewayFacts(gateway: Gateway): StepFacts["gateway"] {
  const { smtpIn, smtpRelay, mx, addresses = {}, routeStore } = gateway;
  const isPublished = HOSTED_INBOUND.has(smtpIn);
  const slots = Object.values(addresses);
  const own = (role: "inbound" | "relay") => slots.map((slot) => slot[role]).filter(isIPv4);
  return {
    smtpIn,
    smtpRelay,
    mx: mx.map(({ exchange }) => exchange),
    deliversFrom: isPublished ? HOSTED_EGRESS : own("inbound"),
    relaysFrom: isPublished ? HOSTED_EGRESS : own("relay"),
    isHosted: routeStore === undefined,
    formerNames: HOSTED_FORMER,
  };
}
