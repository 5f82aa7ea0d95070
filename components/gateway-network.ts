/** Where the slots are: subnets of a network of the fleet's own or of a given one, and what may come in. */
import { InternetGateway } from "@pulumi/aws/ec2/internetGateway.js";
import { Route } from "@pulumi/aws/ec2/route.js";
import { RouteTable } from "@pulumi/aws/ec2/routeTable.js";
import { RouteTableAssociation } from "@pulumi/aws/ec2/routeTableAssociation.js";
import { SecurityGroup } from "@pulumi/aws/ec2/securityGroup.js";
import { Subnet } from "@pulumi/aws/ec2/subnet.js";
import { Vpc } from "@pulumi/aws/ec2/vpc.js";
import { SecurityGroupEgressRule } from "@pulumi/aws/vpc/securityGroupEgressRule.js";
import { SecurityGroupIngressRule } from "@pulumi/aws/vpc/securityGroupIngressRule.js";
import type { ComponentResourceOptions, Input, Output } from "@pulumi/pulumi";
import { output } from "@pulumi/pulumi/output.js";
import { ComponentResource } from "@pulumi/pulumi/resource.js";
import type { GatewayPlan, NetworkPlan } from "../config/gateway-plan.ts";
import { MAIL_PORTS } from "../config/gateway-plan.ts";

/** A subnet that exists, as AWS describes it. */
export interface GivenSubnet {
  readonly id: string;
  readonly availabilityZone: string;
  readonly vpcId: string;
}

export interface GatewayNetworkArgs {
  readonly plan: GatewayPlan;
  /** What stands behind the plan's subnets, where it names given ones. In their order. */
  readonly given: readonly GivenSubnet[];
}

/** A subnet that slots can be put into. */
export interface SlotSubnet {
  readonly id: Output<string>;
  readonly availabilityZone: Output<string>;
}

type OwnNetworkPlan = Extract<NetworkPlan, { kind: "own" }>;

export class GatewayNetwork extends ComponentResource {
  /** In the plan's order. */
  readonly subnets: readonly SlotSubnet[];
  readonly securityGroupId: Output<string>;
  readonly #tags: Readonly<Record<string, string>>;

  constructor(
    name: string,
    { plan, given }: GatewayNetworkArgs,
    options?: ComponentResourceOptions,
  ) {
    super("mxhero:gateway:GatewayNetwork", name, {}, options);
    this.#tags = { Name: name, ...plan.tags };
    const [first] = given;
    const own = plan.network.kind === "own" ? this.#makeNetwork(name, plan.network) : undefined;
    this.subnets = own?.subnets ?? given.map(asSlotSubnet);
    const vpcId = own?.vpcId ?? output(first?.vpcId ?? "");
    this.securityGroupId = this.#admitMail(name, plan.table, vpcId);
    this.registerOutputs({ securityGroupId: this.securityGroupId });
  }

  #makeNetwork(name: string, { cidr, subnets }: OwnNetworkPlan) {
    const parent = { parent: this };
    const tags = this.#tags;
    const vpc = new Vpc(
      name,
      { cidrBlock: cidr, enableDnsSupport: true, enableDnsHostnames: true, tags },
      parent,
    );
    const internet = new InternetGateway(name, { vpcId: vpc.id, tags }, parent);
    const table = new RouteTable(name, { vpcId: vpc.id, tags }, parent);
    const outwards = { destinationCidrBlock: "0.0.0.0/0", gatewayId: internet.id };
    const route = new Route(name, { routeTableId: table.id, ...outwards }, parent);
    const made = subnets.map(({ availabilityZone, cidr: cidrBlock }) => {
      const place = `${name}-${availabilityZone}`;
      const args = { vpcId: vpc.id, availabilityZone, cidrBlock, tags };
      // An instance without a way out cannot set itself up.
      const subnet = new Subnet(place, args, { ...parent, dependsOn: [route] });
      const association = { subnetId: subnet.id, routeTableId: table.id };
      new RouteTableAssociation(place, association, parent);
      return { id: subnet.id, availabilityZone: subnet.availabilityZone };
    });
    return { vpcId: vpc.id, subnets: made };
  }

  /** @param groupName one that no other fleet has: a given network may hold several */
  #admitMail(name: string, groupName: string, vpcId: Input<string>): Output<string> {
    const parent = { parent: this };
    const description = "Mail to the mxHERO gateway";
    const args = { name: groupName, description, vpcId, tags: this.#tags };
    const group = new SecurityGroup(name, args, parent);
    const rule = { securityGroupId: group.id, cidrIpv4: "0.0.0.0/0" };
    for (const { port, what } of MAIL_PORTS) {
      const ports = { ipProtocol: "tcp", fromPort: port, toPort: port, description: what };
      new SecurityGroupIngressRule(`${name}-${port}`, { ...rule, ...ports }, parent);
    }
    new SecurityGroupIngressRule(`${name}-too-big`, { ...rule, ...PACKET_TOO_BIG }, parent);
    const outwards = { ipProtocol: "-1", description: "Mail, DNS, packages, AWS" };
    new SecurityGroupEgressRule(name, { ...rule, ...outwards }, parent);
    return group.id;
  }
}

/** Type 3, code 4 of ICMP (RFC 792, RFC 1191): without it path MTU discovery fails, and large mail hangs. */
const PACKET_TOO_BIG = {
  ipProtocol: "icmp",
  fromPort: 3,
  toPort: 4,
  description: "Path MTU discovery",
};

function asSlotSubnet({ id, availabilityZone }: GivenSubnet): SlotSubnet {
  return { id: output(id), availabilityZone: output(availabilityZone) };
}
