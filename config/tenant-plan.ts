/** Decides what a tenant's stack does in the world: which resources each domain gets, with which values. */
import type { NextHops } from "../mail/address-scope.ts";
import { toUnicodeName } from "../mail/domain-name.ts";
import { QUIET_SECONDS } from "../mail/outbound-quiet.ts";
import type { OutboundFlow, RcptLookup, TlsLevel } from "../mail/route.ts";
import { formatSendingIdentity } from "../mail/sending-identity.ts";
import type { MailSystemKind } from "../mail/sending-setting.ts";
import type { StepFacts } from "../mail/steps/index.ts";
import { stepFacts } from "./domain-steps.ts";
import { type Gateway, gatewayNames, type MxTarget } from "./gateway-hosts.ts";
import { rcptLookupOf, relayServerOf } from "./route-rules.ts";
import type { DomainConfig, TenantConfig } from "./tenant.ts";
import { leavesThroughGateway } from "./tenant-rules.ts";

export interface TenantPlan {
  readonly organisation: string;
  readonly domains: readonly DomainPlan[];
}

export interface DomainPlan {
  /** In A-labels; it is a part of the resources' names, so it is never written in another way. */
  readonly name: string;
  /** The domain as its owner writes it. */
  readonly displayName: string;
  readonly config: DomainConfig;
  readonly gateway: Gateway;
  /** Absent: whoever runs the gateway keeps its routes. */
  readonly route: RoutePlan | undefined;
  /** Absent: the domain's SPF record is not touched. */
  readonly spf: SpfPlan | undefined;
  /** Absent: the domain's mail system sends nothing to the gateway. */
  readonly drain: DrainPlan | undefined;
  /** Absent: the domain's MX is not touched. */
  readonly takeover: TakeoverPlan | undefined;
  /** What a person has to be told of it. */
  readonly steps: StepFacts;
}

/** Where a gateway keeps its routes. */
export interface StorePlan {
  readonly table: string;
  readonly region: string;
  readonly secretPrefix: string;
  readonly keyId: string | undefined;
}

/** What the gateway is to know of a domain. */
export interface RoutePlan {
  readonly organisation: string;
  readonly domain: string;
  readonly store: StorePlan;
  readonly gatewayHosts: string[];
  readonly nextHops: NextHops;
  readonly server: string;
  readonly mxLookup: boolean;
  readonly rcptLookup: RcptLookup["kind"];
  readonly recipients: string[] | undefined;
  readonly inbound: boolean;
  readonly outbound: OutboundFlow;
  readonly relayServer: RelayServerPlan | undefined;
  readonly sendingFrom: string[];
  readonly probeRecipient: string;
  readonly fixIt: string;
  readonly excludeSlots: string[];
  /** `include`: the gateway's SPF domain, where the domain's SPF record names it. */
  readonly sending: SendingPlan & { readonly include: string | undefined };
  readonly inactive: boolean;
  /** Whether the domain's SPF record is edited, so that it keeps former gateways' terms. */
  readonly editsSpf: boolean;
}

export interface RelayServerPlan {
  readonly host: string;
  readonly port: number;
  readonly tls: TlsLevel;
  /** The password is a secret. */
  readonly login: { readonly user: string; readonly password: string } | undefined;
}

/** What both resources in a domain's zone are told of it. */
interface ZonePlan {
  readonly organisation: string;
  readonly domain: string;
  /** Absent: Cloudflare. */
  readonly dns: "manual" | undefined;
  readonly zoneId: string | undefined;
  readonly credential: string | undefined;
}

export interface SpfPlan extends ZonePlan {
  readonly include: string | undefined;
  /** The gateway's endpoint for outbound mail. */
  readonly relay: string;
  readonly replacements: string[] | undefined;
  readonly base: string | undefined;
  /** Before the gateway's term goes, a person is asked. */
  readonly unseen: true | undefined;
}

/** What must be known before mail that goes out through the gateway may be refused. */
interface SendingPlan {
  readonly mailSystem: MailSystemKind;
  /** The gateway's endpoint for outbound mail. */
  readonly relay: string;
  readonly quietSeconds: number;
  /** The gateway's endpoint to which the mail system hands inbound mail. Absent: it hands none over. */
  readonly handsOverTo: string | undefined;
}

/** What must be seen before a domain's mail system may find the gateway closed. */
export interface DrainPlan extends SendingPlan {
  readonly domain: string;
  readonly include: string | undefined;
  /** Other terms that the domain's SPF record is given. */
  readonly replacements: string[] | undefined;
  /** Where inbound mail is handed over: the gateway's names. */
  readonly gatewayHosts: string[] | undefined;
  /** Absent: nobody here can ask the gateway. */
  readonly store: StorePlan | undefined;
}

export interface TakeoverPlan extends ZonePlan {
  readonly mx: MxTarget[];
  readonly server: string;
  readonly mxLookup: boolean;
  readonly bypass: boolean;
  readonly overlapSeconds: number | undefined;
  readonly handBackTo: MxTarget[] | undefined;
  readonly spfTerms: string[] | undefined;
  readonly handBackConfirmed: boolean;
  readonly probeRecipient: string | undefined;
  readonly gatewayHosts: string[];
  readonly inactive: boolean;
  readonly probeGateway: boolean;
}

export function planTenant(tenant: TenantConfig): TenantPlan {
  const { organisation, domains } = tenant;
  return { organisation, domains: domains.map((config) => planDomain(tenant, config)) };
}

function planDomain(tenant: TenantConfig, config: DomainConfig): DomainPlan {
  const { organisation, gateway } = tenant;
  const { name, zoneId, credential } = config;
  const dns = config.dns === "manual" ? config.dns : undefined;
  const zone = { organisation, domain: name, dns, zoneId, credential };
  const spf = planSpf(zone, gateway, config);
  const takeover = config.inbound === "border" ? planTakeover(zone, tenant, config) : undefined;
  const byHand = dns && { mx: takeover?.mx ?? [], spfTerms: spf ? spfTerms(spf) : [] };
  return {
    name,
    displayName: toUnicodeName(name),
    config,
    gateway,
    route:
      gateway.routeStore &&
      planRoute(tenant, config, gateway.routeStore, { editsSpf: Boolean(spf) }),
    spf,
    drain: sendsToGateway(config) ? planDrain(gateway, config) : undefined,
    takeover,
    steps: stepFacts(tenant, config, byHand),
  };
}

function planRoute(
  tenant: TenantConfig,
  config: DomainConfig,
  routeStore: NonNullable<Gateway["routeStore"]>,
  { editsSpf }: Pick<RoutePlan, "editsSpf">,
): RoutePlan {
  const { organisation, gateway } = tenant;
  const lookup = rcptLookupOf(config);
  return {
    organisation,
    domain: config.name,
    store: planStore(routeStore),
    gatewayHosts: gatewayNames(gateway),
    nextHops: routeStore.nextHops,
    server: config.server,
    mxLookup: config.mxLookup,
    rcptLookup: lookup.kind,
    recipients: lookup.kind === "list" ? [...lookup.recipients] : undefined,
    inbound: config.inbound !== "none",
    outbound: config.outbound,
    relayServer: config.relayServer && planRelayServer(tenant, config.relayServer),
    sendingFrom: (config.sendingFrom ?? []).map(formatSendingIdentity),
    probeRecipient: needed(config.probeRecipient),
    fixIt: needed(config.fixIt ?? tenant.fixIt ?? gateway.fixIt),
    excludeSlots: [...(gateway.excludeSlots ?? [])],
    sending: { ...planSending(gateway, config), include: includeOf(gateway, config) },
    inactive: isInactive(tenant, config),
    editsSpf,
  };
}

function planStore({
  table,
  region,
  secretPrefix,
  keyId,
}: NonNullable<Gateway["routeStore"]>): StorePlan {
  return { table, region, secretPrefix, keyId };
}

/** Whether the mail system itself sends mail to the gateway. */
function sendsToGateway({ inbound, outbound }: DomainConfig): boolean {
  return outbound !== "none" || inbound === "loopback";
}

function planDrain(gateway: Gateway, config: DomainConfig): DrainPlan {
  const { routeStore } = gateway;
  const sending = planSending(gateway, config);
  // Where nothing is sent, what is handed over is all that there is to ask for.
  const relay = config.outbound === "none" ? (sending.handsOverTo ?? sending.relay) : sending.relay;
  return {
    domain: config.name,
    ...sending,
    relay,
    include: includeOf(gateway, config),
    replacements: replacementsOf(config),
    gatewayHosts: sending.handsOverTo === undefined ? undefined : gatewayNames(gateway),
    store: routeStore && planStore(routeStore),
  };
}

function planSending({ smtpIn, smtpRelay }: Gateway, config: DomainConfig): SendingPlan {
  const { mailSystem, inbound, quietSeconds = QUIET_SECONDS } = config;
  const handsOverTo = inbound === "loopback" ? smtpIn : undefined;
  return { mailSystem, relay: smtpRelay, quietSeconds, handsOverTo };
}

/** SPF names the gateway only where mail leaves from it to the world. */
function includeOf(gateway: Gateway, config: DomainConfig): string | undefined {
  return leavesThroughGateway(config) ? gateway.spfInclude : undefined;
}

function planRelayServer(
  { relayPasswords = {} }: TenantConfig,
  relayServer: NonNullable<DomainConfig["relayServer"]>,
): RelayServerPlan {
  const { host, port, tls } = relayServerOf(relayServer);
  const { login } = relayServer;
  if (login === undefined) return { host, port, tls, login };
  const password = needed(relayPasswords[login.passwordName]);
  return { host, port, tls, login: { user: login.user, password } };
}

/** A value without which the rules admit no configuration. */
function needed<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("The configuration was planned before it was checked.");
  return value;
}

/** Without the gateway's term at most `mx` is replaced. */
function planSpf(zone: ZonePlan, gateway: Gateway, config: DomainConfig): SpfPlan | undefined {
  const include = includeOf(gateway, config);
  const replacements = replacementsOf(config);
  if (include === undefined && replacements === undefined) return undefined;
  const { quietSeconds = QUIET_SECONDS, spf } = config;
  const unseen = gateway.routeStore === undefined && quietSeconds > 0 ? true : undefined;
  return { ...zone, include, relay: gateway.smtpRelay, replacements, base: spf?.base, unseen };
}

function replacementsOf({ spf }: DomainConfig): string[] | undefined {
  return spf?.replaceMx?.length ? spf.replaceMx : undefined;
}

function spfTerms({ include, replacements = [] }: SpfPlan): string[] {
  return [...(include === undefined ? [] : [`include:${include}`]), ...replacements];
}

function planTakeover(zone: ZonePlan, tenant: TenantConfig, config: DomainConfig): TakeoverPlan {
  const { gateway } = tenant;
  return {
    ...zone,
    mx: gateway.mx,
    server: config.server,
    mxLookup: config.mxLookup,
    bypass: config.bypass,
    overlapSeconds: config.overlapSeconds,
    handBackTo: config.handBackTo,
    spfTerms: config.spf?.replaceMx,
    handBackConfirmed: config.handBackConfirmed,
    probeRecipient: config.probeRecipient,
    gatewayHosts: gatewayNames(gateway),
    inactive: isInactive(tenant, config),
    probeGateway: gateway.routeStore === undefined,
  };
}

/** A domain's own word stands above that of the organisation. */
function isInactive(tenant: TenantConfig, { inactive = tenant.inactive }: DomainConfig): boolean {
  return inactive ?? false;
}
