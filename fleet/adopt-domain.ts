/**
 * Decides what a stack file says of a domain that is adopted: what the table says, and for the rest what DNS and the
 * route store know. Pure.
 *
 * Nothing is guessed that decides where mail goes: where neither knows the Server, a person must name it.
 */
import type { Gateway } from "../config/gateway-hosts.ts";
import type { MxRecord } from "../mail/dns.ts";
import { MailRuleError } from "../mail/errors.ts";
import type { Journal } from "../mail/journal.ts";
import { recogniseMailSystem, recommendServer } from "../mail/mail-system.ts";
import { includesAllMx, plainMx } from "../mail/mx.ts";
import type { Route } from "../mail/route.ts";
import { formatSendingIdentity } from "../mail/sending-identity.ts";
import { MAIL_SYSTEM_KINDS, type MailSystemKind } from "../mail/sending-setting.ts";
import { findTerm, selectSpf } from "../mail/spf/index.ts";
import type { AdoptRow } from "./adopt-csv.ts";

/** What was read of a domain. */
export interface AdoptEvidence {
  /** In A-labels. */
  readonly domain: string;
  readonly mx: readonly MxRecord[];
  readonly texts: readonly string[];
  readonly journal: Journal;
  /** What the gateway's route store serves; absent where it has none, or keeps no routes here. */
  readonly route?: Route;
  /** Who holds that route. */
  readonly routeHolder?: string;
}

/** An entry of `mail:domains`, in the order in which people read it. */
export type AdoptedDomain = Readonly<Record<string, unknown>>;

/** @throws MailRuleError `adopt-held`, `adopt-unknown` */
export function adoptDomain(
  row: AdoptRow,
  evidence: AdoptEvidence,
  gateway: Gateway,
): AdoptedDomain {
  refuseOthers(row, evidence);
  const { route } = evidence;
  const isAtGateway = includesAllMx(evidence.mx, gateway.mx);
  const inbound = row.inbound ?? inboundOf(isAtGateway, route);
  const outbound = row.outbound ?? route?.outbound ?? outboundOf(evidence, gateway);
  if (inbound === "none" && outbound === "none") throw notThere(evidence.domain);
  const former = formerMx(evidence, gateway);
  const { mailSystem, server } = systemOf(row, evidence, former);
  const handBackTo =
    row.handBackTo ??
    (inbound === "border" && isAtGateway && evidence.journal.mx === undefined && former.length === 0
      ? [{ exchange: server, preference: 10 }]
      : undefined);
  const entry = {
    name: row.domain,
    mailSystem,
    server,
    mxLookup: row.mxLookup ?? (route?.mxLookup || undefined),
    rcptLookup: row.rcptLookup ?? rcptLookupOf(route),
    inbound,
    outbound,
    relayServer: relayServerOf(route),
    sendingFrom: row.sendingFrom ?? sendersOf(route),
    probeRecipient: row.probeRecipient ?? route?.probeRecipient,
    handBackTo,
    dns: row.dns,
    zoneId: row.zoneId,
    credential: row.credential,
    fixIt: route?.fixIt === gateway.fixIt ? undefined : route?.fixIt,
  };
  return Object.fromEntries(Object.entries(entry).filter(([, value]) => value !== undefined));
}

/** A domain that another organisation holds is not taken from it. */
function refuseOthers({ organisation }: AdoptRow, evidence: AdoptEvidence): void {
  const { domain, journal, routeHolder } = evidence;
  const holders = [journal.mx?.holder, ...journal.spf.map(({ holder }) => holder), routeHolder];
  const other = holders.find((holder) => holder !== undefined && holder !== organisation);
  if (other === undefined) return;
  throw new MailRuleError({
    code: "adopt-held",
    where: domain,
    value: organisation,
    problem: `The organisation ${other} holds the domain, by its journal or its route.`,
    fix: `Write ${other} into the column organisation, or have ${other} give the domain up first.`,
  });
}

function inboundOf(isAtGateway: boolean, route: Route | undefined) {
  if (isAtGateway) return "border";
  return route?.inbound === true ? "loopback" : "none";
}

function outboundOf({ texts }: AdoptEvidence, { spfInclude }: Gateway) {
  const spf = selectSpf(texts);
  if (spf.status !== "one" || spfInclude === undefined) return "none";
  return findTerm(spf.record, `include:${spfInclude}`) === undefined ? "none" : "standard";
}

/** Those that were before the gateway's, as far as anybody knows. */
function formerMx({ mx, journal }: AdoptEvidence, gateway: Gateway): MxRecord[] {
  const hosts = gateway.mx.map(({ exchange }) => exchange);
  const beside = mx.filter(({ exchange }) => !hosts.includes(exchange));
  return (journal.mx?.former ?? beside).map(plainMx);
}

function systemOf(
  row: AdoptRow,
  { domain, route }: AdoptEvidence,
  former: readonly MxRecord[],
): { mailSystem: MailSystemKind; server: string } {
  const known = row.server ?? route?.server;
  const seen = known === undefined ? former : [{ exchange: known, preference: 0 }];
  const { system } = recogniseMailSystem(seen);
  const mailSystem = row.mailSystem ?? MAIL_SYSTEM_KINDS.find((kind) => kind === system);
  if (mailSystem === undefined)
    throw unknownValue(domain, "mailSystem", MAIL_SYSTEM_KINDS.join(", "));
  if (known !== undefined) return { mailSystem, server: known };
  const { server, source, explanation } = recommendServer(mailSystem, domain, former);
  // What is only derived may be another host.
  if (server === undefined || source === "naming-scheme") {
    const guess = server === undefined ? "" : `Perhaps it is ${server}. `;
    throw unknownValue(domain, "server", `${guess}${explanation}`);
  }
  return { mailSystem, server };
}

function rcptLookupOf(route: Route | undefined) {
  if (route === undefined || route.rcptLookup.kind === "off") return undefined;
  return route.rcptLookup.kind === "probe" ? true : [...route.rcptLookup.recipients];
}

function relayServerOf(route: Route | undefined) {
  if (route?.relayServer === undefined) return undefined;
  const { host, port, tls, login } = route.relayServer;
  return { host, port, tls, ...(login && { login: { user: login.user, passwordName: "relay" } }) };
}

function sendersOf(route: Route | undefined): string[] | undefined {
  const identities = route?.identities ?? [];
  return identities.length === 0 ? undefined : identities.map(formatSendingIdentity);
}

function notThere(domain: string): MailRuleError {
  return new MailRuleError({
    code: "adopt-unknown",
    where: domain,
    problem: "Its mail does not run through the gateway, by its MX, its SPF record and its route.",
    fix: "Say in the columns inbound and outbound how it is to.",
  });
}

function unknownValue(domain: string, column: string, hint: string): MailRuleError {
  return new MailRuleError({
    code: "adopt-unknown",
    where: domain,
    problem: `Neither DNS nor the route store tells its ${column}.`,
    fix: `Write it into the column ${column}. ${hint}`,
  });
}
