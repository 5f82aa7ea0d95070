/** Decides what a tenant's stack does in the world: which resources each domain gets, with which values. */
import type { NextHops } from "../mail/address-scope.ts";
import { toUnicodeName } from "../mail/domain-name.ts";
import type { OutboundFlow, RcptLookup, TlsLevel } from "../mail/route.ts";
import { formatSendingIdentity } from "../mail/sending-identity.ts";
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
  /** Absent: the domain's MX is not touched. */
  readonly takeover: TakeoverPlan | undefined;
  /** What a person has to be told of it. */
  readonly steps: StepFacts;
}

/** What the gateway is to know of a domain. */
export interface RoutePlan {
  readonly organisation: string;
  readonly domain: string;
  readonly store: {
    readonly table: string;
    readonly region: string;
    readonly secretPrefix: string;
    readonly keyId: string | undefined;
  };
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
  readonly inactive: boolean;
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
  readonly zoneId: string | undefined;
  readonly credential: string | undefined;
}

export interface SpfPlan extends ZonePlan {
  readonly include: string | undefined;
  readonly replacements: string[] | undefined;
  readonly base: string | undefined;
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
}

export function planTenant(tenant: TenantConfig): TenantPlan {
  const { organisation, domains } = tenant;
  return { organisation, domains: domains.map((config) => planDomain(tenant, config)) };
}

function planDomain(tenant: TenantConfig, config: DomainConfig): DomainPlan {
  const { organisation, gateway } = tenant;
  const { name, zoneId, credential } = config;
  const zone = { organisation, domain: name, zoneId, credential };
  return {
    name,
    displayName: toUnicodeName(name),
    config,
    gateway,
    route: gateway.routeStore && planRoute(tenant, config, gateway.routeStore),
    spf: planSpf(zone, gateway, config),
    takeover: config.inbound === "border" ? planTakeover(zone, tenant, config) : undefined,
    steps: stepFacts(tenant, config),
  };
}

function planRoute(
  tenant: TenantConfig,
  config: DomainConfig,
  routeStore: NonNullable<Gateway["routeStore"]>,
): RoutePlan {
  const { organisation, gateway } = tenant;
  const { table, region, secretPrefix, keyId, nextHops } = routeStore;
  const lookup = rcptLookupOf(config);
  return {
    organisation,
    domain: config.name,
    store: { table, region, secretPrefix, keyId },
    gatewayHosts: gatewayNames(gateway),
    nextHops,
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
    inactive: isInactive(tenant, config),
  };
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

/** SPF names the gateway only where mail leaves from it to the world; otherwise at most `mx` is replaced. */
function planSpf(zone: ZonePlan, gateway: Gateway, config: DomainConfig): SpfPlan | undefined {
  const include = leavesThroughGateway(config) ? gateway.spfInclude : undefined;
  const terms = config.spf?.replaceMx ?? [];
  if (include === undefined && terms.length === 0) return undefined;
  const replacements = terms.length > 0 ? terms : undefined;
  return { ...zone, include, replacements, base: config.spf?.base };
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
  };
}

/** A domain's own word stands above that of the organisation. */
function isInactive(tenant: TenantConfig, { inactive = tenant.inactive }: DomainConfig): boolean {
  return inactive ?? false;
}
