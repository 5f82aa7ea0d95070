/** The way of a domain's mail before and after, in words. */
import type { MxRecord } from "../mail/dns.ts";
import type { DomainPlan } from "./tenant-plan.ts";

export interface BeforeAfter {
  readonly before: string;
  readonly after: string;
}

/** The MX of a domain whose takeover is part of the plan. */
export interface MxBeforeAfter {
  readonly before: readonly MxRecord[];
  readonly after: readonly MxRecord[];
}

const mailSystems = {
  microsoft365: "Microsoft 365",
  google: "Google Workspace",
  exchange: "Exchange",
  other: "mail system",
} as const;

/** How mail to a domain arrives where the MX points at the gateway. */
export function inboundByBorder(
  { config }: DomainPlan,
  { before, after }: MxBeforeAfter,
): BeforeAfter {
  const server = `${mailSystem(config)} (Server ${config.server})`;
  return {
    before: path("sender", `MX ${mxWords(before)}`),
    after: config.bypass
      ? `${path("sender", `MX ${mxWords(after)}`)} (bypass: the gateway is left out)`
      : path("sender", `MX ${mxWords(after)}`, "gateway", server),
  };
}

/** How mail to a domain arrives where the MX is not touched. */
export function inboundWithoutMx({ config, gateway }: DomainPlan): BeforeAfter {
  const before = path("sender", "MX (not touched)", mailSystem(config));
  if (config.inbound !== "loopback") return { before, after: before };
  const server = `${mailSystem(config)} (Server ${config.server})`;
  return { before, after: path(before, `gateway (${gateway.smtpIn})`, server) };
}

/** How mail from a domain leaves. */
export function outboundPath({ config, gateway }: DomainPlan): BeforeAfter {
  const { outbound, relayServer } = config;
  const world = "recipient's MX";
  const before = path(mailSystem(config), world);
  if (outbound === "none") return { before, after: before };
  const throughGateway = path(mailSystem(config), `gateway (${gateway.smtpRelay})`);
  if (outbound === "loopback") {
    return { before, after: path(throughGateway, mailSystem(config), world) };
  }
  const end = relayServer && `Relay Server (${relayServer.host}, port ${relayServer.port})`;
  return { before, after: path(throughGateway, end ?? world) };
}

function mailSystem({ mailSystem: kind }: DomainPlan["config"]): string {
  return mailSystems[kind];
}

function mxWords(records: readonly MxRecord[]): string {
  if (records.length === 0) return "none (the domain's own address)";
  return records
    .toSorted((a, b) => a.preference - b.preference || a.exchange.localeCompare(b.exchange))
    .map(({ preference, exchange }) => `${preference} ${exchange || ". (accepts no mail)"}`)
    .join(", ");
}

function path(...stations: readonly string[]): string {
  return stations.join(" → ");
}
