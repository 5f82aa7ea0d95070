/** The names of the fleet as a whole: its SPF record and the alias of the relay endpoint. */
import { DnsRecord } from "@pulumi/cloudflare/dnsRecord.js";
import type { ComponentResourceOptions, Output } from "@pulumi/pulumi";
import { all } from "@pulumi/pulumi/output.js";
import { ComponentResource, type Resource } from "@pulumi/pulumi/resource.js";
import { fleetSpf, type GatewayPlan, txtContent } from "../config/gateway-plan.ts";
import type { PoolPair } from "./gateway-pool.ts";

export interface GatewayNamesArgs {
  readonly plan: GatewayPlan;
  readonly pairs: readonly PoolPair[];
  /** What admits the names. */
  readonly hosts: Resource;
}

export class GatewayNames extends ComponentResource {
  /** When the SPF record was last changed: ISO 8601. */
  readonly spfChanged: Output<string>;

  constructor(name: string, args: GatewayNamesArgs, options?: ComponentResourceOptions) {
    super("mxhero:gateway:GatewayNames", name, {}, options);
    const { hosts, config } = args.plan;
    const record = { zoneId: config.zone.id, ttl: config.ttlSeconds };
    const addresses = args.pairs.flatMap(({ inbound, relay }) => [
      inbound.publicIp,
      relay.publicIp,
    ]);
    const after = { parent: this, dependsOn: [args.hosts] };
    const content = all(addresses).apply((known) => txtContent(fleetSpf(known)));
    const spf = { ...record, name: hosts.spf, type: "TXT", content };
    this.spfChanged = new DnsRecord(`${name}-spf`, spf, after).modifiedOn;
    const alias = { ...record, name: hosts.smtp, type: "CNAME", content: hosts.smtpRelay };
    new DnsRecord(`${name}-smtp`, { ...alias, proxied: false }, after);
    this.registerOutputs({});
  }
}
