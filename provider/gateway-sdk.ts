/** What a gateway's program uses of the `mxhero` provider: one class a resource. No logic. */
import type * as pulumi from "@pulumi/pulumi";
import { CustomResource } from "@pulumi/pulumi/resource.js";

/** Where the fleet's route store is. */
export interface RouteStoreArgs {
  /** The name of the DynamoDB table. */
  readonly table: pulumi.Input<string>;
  readonly region: pulumi.Input<string>;
  /** In front of the names of secrets, without a slash at the end. */
  readonly secretPrefix: pulumi.Input<string>;
  /** The KMS key that encrypts secrets. */
  readonly keyId: pulumi.Input<string>;
}

export interface GatewayFleetArgs {
  /** The fleet's name. */
  readonly gateway: pulumi.Input<string>;
  readonly store: RouteStoreArgs;
  /** Whether its delete is refused in any case. */
  readonly deletionProtection: pulumi.Input<boolean>;
}

/** Stands above all of a fleet: its delete is refused while tenants' mail goes through the fleet. */
export class GatewayFleet extends CustomResource {
  constructor(name: string, args: GatewayFleetArgs, options?: pulumi.CustomResourceOptions) {
    super("mxhero:index:GatewayFleet", name, { ...args }, options);
  }
}

export interface GatewayHostsArgs {
  /** The fleet's name. */
  readonly gateway: pulumi.Input<string>;
  readonly store: RouteStoreArgs;
  /** The MX target. */
  readonly smtpIn: pulumi.Input<string>;
  readonly smtpRelay: pulumi.Input<string>;
  /** The alias of `smtpRelay`. */
  readonly smtp: pulumi.Input<string>;
  /** Holds the fleet's SPF record. */
  readonly spf: pulumi.Input<string>;
}

/** The names of a fleet: others are refused while tenants' mail goes through the fleet. */
export class GatewayHosts extends CustomResource {
  constructor(name: string, args: GatewayHostsArgs, options?: pulumi.CustomResourceOptions) {
    super("mxhero:index:GatewayHosts", name, { ...args }, options);
  }
}

export interface GatewayCertificateArgs {
  readonly store: RouteStoreArgs;
  /** The name of the secret that holds the certificate, without the prefix. */
  readonly certificateSecret: pulumi.Input<string>;
  /** The name of the secret that holds the private key, without the prefix. */
  readonly keySecret: pulumi.Input<string>;
  /** PEM, the server's own certificate first. */
  readonly certificate: pulumi.Input<string>;
  /** PEM. A secret. */
  readonly privateKey: pulumi.Input<string>;
}

/** The fleet's certificate and private key in the secret store. */
export class GatewayCertificate extends CustomResource {
  /** SHA-256 of the server's own certificate: lower-case hex pairs with colons. */
  declare readonly fingerprint: pulumi.Output<string>;
  /** When the first certificate of the chain ends: ISO 8601. */
  declare readonly expires: pulumi.Output<string>;

  constructor(name: string, args: GatewayCertificateArgs, options?: pulumi.CustomResourceOptions) {
    const outputs = { fingerprint: undefined, expires: undefined };
    super("mxhero:index:GatewayCertificate", name, { ...args, ...outputs }, options);
  }
}

export interface SlotQueueArgs {
  readonly slot: pulumi.Input<string>;
  readonly store: RouteStoreArgs;
  /** The volume that keeps the queue. Another one is another queue. */
  readonly volume: pulumi.Input<string>;
}

/** The mail that a slot holds: its delete waits until there is none. */
export class SlotQueue extends CustomResource {
  constructor(name: string, args: SlotQueueArgs, options?: pulumi.CustomResourceOptions) {
    super("mxhero:index:SlotQueue", name, { ...args }, options);
  }
}

export interface GatewaySlotArgs {
  readonly slot: pulumi.Input<string>;
  readonly store: RouteStoreArgs;
  /** The instance that serves the slot. Another one is another resource. */
  readonly instance: pulumi.Input<string>;
  /** SHA-256 of the bundle that its agent is to run. */
  readonly bundle: pulumi.Input<string>;
  /** The names whose records lead to the slot. */
  readonly smtpIn: pulumi.Input<string>;
  readonly smtpRelay: pulumi.Input<string>;
  /** Its public addresses. */
  readonly inboundAddress: pulumi.Input<string>;
  readonly relayAddress: pulumi.Input<string>;
  /** How long resolvers keep those records. */
  readonly ttlSeconds: pulumi.Input<number>;
  /** When the fleet's SPF record was last changed: ISO 8601. */
  readonly spfChanged: pulumi.Input<string>;
}

/** A slot that is proven healthy. Its delete waits until nobody knows its addresses any more. */
export class GatewaySlot extends CustomResource {
  declare readonly inboundAddress: pulumi.Output<string>;
  declare readonly relayAddress: pulumi.Output<string>;
  /** Since when it is registered: ISO 8601. */
  declare readonly registered: pulumi.Output<string>;

  constructor(name: string, args: GatewaySlotArgs, options?: pulumi.CustomResourceOptions) {
    super("mxhero:index:GatewaySlot", name, { ...args, registered: undefined }, options);
  }
}

export interface SlotGuardArgs {
  readonly slot: pulumi.Input<string>;
  readonly store: RouteStoreArgs;
  /** The instance that serves the slot. Another one is another resource. */
  readonly instance: pulumi.Input<string>;
}

/** Stands on a slot's records: its delete is refused unless another slot is healthy. */
export class SlotGuard extends CustomResource {
  constructor(name: string, args: SlotGuardArgs, options?: pulumi.CustomResourceOptions) {
    super("mxhero:index:SlotGuard", name, { ...args }, options);
  }
}
