/** The network interface of a slot, with its two addresses. It stays when the instance is replaced. */
import { EipAssociation } from "@pulumi/aws/ec2/eipAssociation.js";
import { NetworkInterface } from "@pulumi/aws/ec2/networkInterface.js";
import type { ComponentResourceOptions, Input, Output } from "@pulumi/pulumi";
import { all } from "@pulumi/pulumi/output.js";
import { ComponentResource } from "@pulumi/pulumi/resource.js";
import type { PoolAddress, PoolPair } from "./gateway-pool.ts";

export interface SlotInterfaceArgs {
  readonly subnetId: Input<string>;
  readonly securityGroupId: Input<string>;
  readonly addresses: PoolPair;
  readonly tags: Readonly<Record<string, string>>;
}

export class SlotInterface extends ComponentResource {
  readonly networkInterfaceId: Output<string>;
  /** The private address behind the inbound one. */
  readonly inbound: Output<string>;
  /** The private address behind the relay one. */
  readonly relay: Output<string>;

  constructor(name: string, args: SlotInterfaceArgs, options?: ComponentResourceOptions) {
    super("mxhero:gateway:SlotInterface", name, {}, options);
    const { subnetId, securityGroupId, addresses, tags } = args;
    const network = new NetworkInterface(
      name,
      { subnetId, securityGroups: [securityGroupId], privateIpsCount: 1, description: name, tags },
      { parent: this },
    );
    this.networkInterfaceId = network.id;
    this.inbound = network.privateIp;
    this.relay = all([network.privateIps, network.privateIp]).apply(otherAddress);
    this.#associate(`${name}-in`, addresses.inbound, this.inbound);
    this.#associate(`${name}-relay`, addresses.relay, this.relay);
    this.registerOutputs({ inbound: this.inbound, relay: this.relay });
  }

  #associate(name: string, { allocationId }: PoolAddress, privateIpAddress: Output<string>) {
    const { networkInterfaceId } = this;
    const args = { allocationId, networkInterfaceId, privateIpAddress };
    new EipAssociation(name, args, { parent: this });
  }
}

/** AWS gives them in no order. */
function otherAddress([addresses, first]: readonly [readonly string[], string]): string {
  return addresses.find((address) => address !== first) ?? first;
}
