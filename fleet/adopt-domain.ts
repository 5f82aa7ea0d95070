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
import type { Route, RouteRecord } from "../mail/route.ts";
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
  /**
   * What the gateway's route store serves, or is to serve once it is proven; absent where it has none, or keeps no
   * routes here.
   */
  readonly route?: Route;
  /** `proposed`: not yet proven, so that nothing serves. `leaving`: it was given up. */
  readonly routeStage?: "proposed" | "active" | "leaving";
  /** The gateway refuses the domain's mail. */
  readonly isInactive?: boolean;
  /** Who holds that route. */
  readonly routeHolder?: string;
}

/** What the route store's record says, as evidence. */
export function routeEvidence({ active, proposed, leaving, inactive, holder }: RouteRecord) {
  const route = (active ?? proposed)?.route;
  const ofRoute = active === undefined ? "proposed" : "active";
  return {
    ...(route !== undefined && { route }),
    routeStage: leaving === undefined ? ofRoute : "leaving",
    isInactive: inactive !== undefined,
    routeHolder: holder.organisation,
  } as const;
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
  refuseLeaving(row, evidence);
  const inbound = row.inbound ?? inboundOf(evidence, isAtGateway);
  const outbound = row.outbound ?? route?.outbound ?? outboundOf(evidence, gateway);
  if (inbound === "none" && outbound === "none") throw notThere(evidence.domain);
  const former = formerMx(evidence, gateway);
  const { mailSystem, server } = systemOf(row, evidence, former);
  const mxLookup = row.mxLookup ?? (route?.mxLookup || undefined);
  const isTaken = inbound === "border" && isAtGateway;
  const isForgotten = evidence.journal.mx === undefined && former.length === 0;
  // With mxLookup the Server is a domain, and no host to which an MX could point.
  const isHost = mxLookup !== true;
  const handBackTo =
    row.handBackTo ??
    (isTaken && isForgotten && isHost ? [{ exchange: server, preference: 10 }] : undefined);
  const entry = {
    name: row.domain,
    mailSystem,
    server,
    mxLookup,
    rcptLookup: row.rcptLookup ?? rcptLookupOf(route),
    inbound,
    bypass: inbound === "border" && isBypassed(evidence, isAtGateway) ? true : undefined,
    inactive: evidence.isInactive || undefined,
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

/** To write it into a file would take it back. */
function refuseLeaving({ inbound, outbound }: AdoptRow, { domain, routeStage }: AdoptEvidence) {
  if (routeStage !== "leaving" || (inbound !== undefined && outbound !== undefined)) return;
  const hint = "Its route was given up: leave it out of the table, or say how its mail is to go.";
  throw unknownValue(domain, inbound === undefined ? "inbound" : "outbound", hint);
}

/** Where the journal, the MX and the route do not agree, only a person knows what is meant. */
function inboundOf(evidence: AdoptEvidence, isAtGateway: boolean) {
  const { domain, journal, route, routeStage } = evidence;
  const phase = journal.mx?.phase;
  if (phase === "taking" || isBypassed(evidence, isAtGateway)) return "border";
  if (phase === "returning" || (phase !== undefined && (phase === "held") !== isAtGateway)) {
    const place = isAtGateway ? "lead to the gateway" : "do not lead to the gateway";
    throw unknownValue(domain, "inbound", `By its journal it is ${phase}, and its MX ${place}.`);
  }
  if (isAtGateway) return "border";
  if (route?.inbound !== true) return "none";
  if (routeStage !== "proposed") return "loopback";
  const hint = "Its route waits for its proof: border is as possible as loopback.";
  throw unknownValue(domain, "inbound", hint);
}

/** The MX were put back, while the domain stays the organisation's. */
function isBypassed({ journal }: AdoptEvidence, isAtGateway: boolean): boolean {
  return journal.mx?.phase === "bypassed" && !isAtGateway;
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
