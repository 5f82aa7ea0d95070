/** Decides what a gateway's stack builds: names, addresses, networks, and the order of its slots. */
import ipaddr from "ipaddr.js";
import {
  type Architecture,
  type RegionalGatewayConfig,
  slotPosition,
  slotsOfPool,
} from "./gateway.ts";
import { ADDRESSES_PER_SLOT, addressNames, type HostNames, hostNames } from "./gateway-names.ts";

/** The images that this release was written for: Debian 12, by Debian's own account. */
const DEBIAN_OWNER = "136693071363";
const DEBIAN_VERSION = "20260210-2384";

/** Each availability zone's subnet has a sixteenth of the network. */
const SUBNET_BITS = 4;

export interface GatewayPlan {
  readonly config: RegionalGatewayConfig;
  readonly hosts: HostNames;
  readonly tags: Readonly<Record<string, string>>;
  readonly image: { readonly owner: string; readonly name: string };
  readonly table: string;
  /** In front of the names of secrets, without a slash at the end. */
  readonly secretPrefix: string;
  readonly logGroup: string;
  readonly network: NetworkPlan;
  /** In the order of the pool; those of slots that are not there yet, too. */
  readonly pool: readonly PoolPlan[];
  readonly slots: readonly SlotPlan[];
}

export type NetworkPlan =
  | { readonly kind: "own"; readonly cidr: string; readonly subnets: readonly SubnetPlan[] }
  | { readonly kind: "given"; readonly subnets: readonly string[] };

export interface SubnetPlan {
  readonly availabilityZone: string;
  readonly cidr: string;
}

/** Two addresses that are reserved for a slot, and their names. */
export interface PoolPlan {
  readonly slot: string;
  readonly inbound: string;
  readonly relay: string;
}

export interface SlotPlan {
  readonly slot: string;
  /** Where its addresses stand in the pool. */
  readonly position: number;
  /** Which of the subnets it is in. */
  readonly subnet: number;
}

/** The names of the secrets with the fleet's certificate and key, without the prefix. */
export const TLS_SECRETS = { certificateSecret: "tls/certificate", keySecret: "tls/key" } as const;

export function planGateway(config: RegionalGatewayConfig): GatewayPlan {
  const { name, domain } = config;
  const hosts = hostNames(domain, config.hosts);
  const slots = config.slots.toSorted();
  const most = 1 + Math.max(...slots.map(slotPosition));
  const pairs = config.pool === undefined ? most : config.pool / ADDRESSES_PER_SLOT;
  const network = planNetwork(config.network);
  return {
    config,
    hosts,
    tags: { "mxhero:gateway": name },
    image: config.image ?? debianImage(config.architecture),
    table: `mxhero-gateway-${name}`,
    secretPrefix: `/mxhero/${name}`,
    logGroup: `/mxhero/${name}`,
    network,
    pool: slotsOfPool(pairs).map((slot) => ({ slot, ...addressNames(domain, slot) })),
    slots: slots.map((slot) => {
      const position = slotPosition(slot);
      return { slot, position, subnet: position % network.subnets.length };
    }),
  };
}

function debianImage(architecture: Architecture) {
  const processor = architecture === "x64" ? "amd64" : "arm64";
  return { owner: DEBIAN_OWNER, name: `debian-12-${processor}-${DEBIAN_VERSION}` };
}

function planNetwork(network: RegionalGatewayConfig["network"]): NetworkPlan {
  if ("subnets" in network) return { kind: "given", subnets: network.subnets };
  const { cidr, availabilityZones } = network;
  const subnets = availabilityZones.map((availabilityZone, index) => ({
    availabilityZone,
    cidr: subnetOf(cidr, index),
  }));
  return { kind: "own", cidr, subnets };
}

/** The network's n-th sixteenth. */
export function subnetOf(cidr: string, index: number): string {
  const [address, bits] = ipaddr.IPv4.parseCIDR(cidr);
  const number = address.toByteArray().reduce((sum, byte) => sum * 256 + byte, 0);
  const first = number + index * 2 ** (32 - bits - SUBNET_BITS);
  const bytes = [24, 16, 8, 0].map((shift) => Math.floor(first / 2 ** shift) % 256);
  return `${bytes.join(".")}/${bits + SUBNET_BITS}`;
}

/** The fleet's SPF record (RFC 7208): every address of the pool, before any of them sends. */
export function fleetSpf(addresses: readonly string[]): string {
  return ["v=spf1", ...addresses.map((address) => `ip4:${address}`), "-all"].join(" ");
}

/** A TXT record's content as Cloudflare takes it: quoted strings of up to 255 bytes (RFC 1035 section 3.3). */
export function txtContent(text: string): string {
  const parts = text.match(/.{1,255}/g) ?? [];
  return parts.map((part) => `"${part}"`).join(" ");
}

/** What the slots listen on (RFC 5321, RFC 6409). */
export const MAIL_PORTS = [
  { port: 25, what: "Mail in, and the mail systems that send through the gateway" },
  { port: 587, what: "Mail systems that send through the gateway with TLS" },
] as const;
