/** Decides what a tenant's stack does in the world: which resources each domain gets, with which values. */
import { toUnicodeName } from "../mail/domain-name.ts";
import type { DomainConfig, GatewayHosts, MxTarget, TenantConfig } from "./tenant.ts";
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
  readonly gateway: GatewayHosts;
  /** Absent: the domain's SPF record is not touched. */
  readonly spf: SpfPlan | undefined;
  /** Absent: the domain's MX is not touched. */
  readonly takeover: TakeoverPlan | undefined;
}

/** What both resources of a domain are told of it. */
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
}

export function planTenant({ organisation, gateway, domains }: TenantConfig): TenantPlan {
  return {
    organisation,
    domains: domains.map((config) => planDomain(organisation, gateway, config)),
  };
}

function planDomain(organisation: string, gateway: GatewayHosts, config: DomainConfig): DomainPlan {
  const { name, zoneId, credential } = config;
  const zone = { organisation, domain: name, zoneId, credential };
  return {
    name,
    displayName: toUnicodeName(name),
    config,
    gateway,
    spf: planSpf(zone, gateway, config),
    takeover: config.inbound === "border" ? planTakeover(zone, gateway, config) : undefined,
  };
}

/** SPF names the gateway only where mail leaves from it to the world; otherwise at most `mx` is replaced. */
function planSpf(zone: ZonePlan, gateway: GatewayHosts, config: DomainConfig): SpfPlan | undefined {
  const include = leavesThroughGateway(config) ? gateway.spfInclude : undefined;
  const terms = config.spf?.replaceMx ?? [];
  if (include === undefined && terms.length === 0) return undefined;
  const replacements = terms.length > 0 ? terms : undefined;
  return { ...zone, include, replacements, base: config.spf?.base };
}

function planTakeover(zone: ZonePlan, gateway: GatewayHosts, config: DomainConfig): TakeoverPlan {
  return {
    ...zone,
    mx: gateway.mx,
    server: config.server,
    mxLookup: config.mxLookup,
    bypass: config.bypass,
    overlapSeconds: config.overlapSeconds,
    handBackTo: config.handBackTo,
    spfTerms: config.spf?.replaceMx,
  };
}
