/** The reserved addresses of a fleet, with their names: every one from the start, used or not yet. */
import { Eip } from "@pulumi/aws/ec2/eip.js";
import { EipDomainName } from "@pulumi/aws/ec2/eipDomainName.js";
import { DnsRecord } from "@pulumi/cloudflare/dnsRecord.js";
import type { ComponentResourceOptions, Output } from "@pulumi/pulumi";
import { ComponentResource, type Resource } from "@pulumi/pulumi/resource.js";
import type { GatewayPlan } from "../config/gateway-plan.ts";

export interface GatewayPoolArgs {
  readonly plan: GatewayPlan;
  /** What admits the names. */
  readonly hosts: Resource;
}

/** An address, as AWS and the world know it. */
export interface PoolAddress {
  readonly allocationId: Output<string>;
  readonly publicIp: Output<string>;
}

/** The two addresses of a slot. */
export interface PoolPair {
  readonly inbound: PoolAddress;
  readonly relay: PoolAddress;
}

export class GatewayPool extends ComponentResource {
  /** In the plan's order. */
  readonly pairs: readonly PoolPair[];
  readonly #args: GatewayPoolArgs;

  constructor(name: string, args: GatewayPoolArgs, options?: ComponentResourceOptions) {
    super("mxhero:gateway:GatewayPool", name, {}, options);
    this.#args = args;
    this.pairs = args.plan.pool.map(({ slot, inbound, relay }) => ({
      inbound: this.#reserve(`${name}-${slot}-in`, inbound),
      relay: this.#reserve(`${name}-${slot}-relay`, relay),
    }));
    this.registerOutputs({});
  }

  /** AWS sets a PTR record only where the name leads to the address already. */
  #reserve(name: string, host: string): PoolAddress {
    const { plan, hosts } = this.#args;
    const { config, tags } = plan;
    const args = { domain: "vpc", tags: { Name: host, ...tags } };
    const after = { parent: this, dependsOn: [hosts] };
    const { allocationId, publicIp } = new Eip(name, args, after);
    const record = {
      zoneId: config.zone.id,
      name: host,
      type: "A",
      content: publicIp,
      ttl: config.ttlSeconds,
      proxied: false,
    };
    const forward = new DnsRecord(name, record, { parent: this });
    const reverse = { allocationId, domainName: host };
    new EipDomainName(name, reverse, { parent: this, dependsOn: [forward] });
    return { allocationId, publicIp };
  }
}
