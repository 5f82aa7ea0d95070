/** A gateway fleet on AWS: what all slots share, and the slots, one after the other. */
import type { ComponentResourceOptions, Output } from "@pulumi/pulumi";
import { output, secret } from "@pulumi/pulumi/output.js";
import { ComponentResource, type Resource } from "@pulumi/pulumi/resource.js";
import { type GatewayPlan, TLS_SECRETS } from "../config/gateway-plan.ts";
import {
  GatewayCertificate,
  GatewayFleet,
  GatewayHosts,
  type RouteStoreArgs,
} from "../provider/gateway-sdk.ts";
import { FleetSlot } from "./fleet-slot.ts";
import { GatewayAlarms } from "./gateway-alarms.ts";
import { type BundleFile, GatewayBundle } from "./gateway-bundle.ts";
import { GatewayNames } from "./gateway-names.ts";
import { GatewayNetwork, type GivenSubnet } from "./gateway-network.ts";
import { GatewayPool } from "./gateway-pool.ts";
import { GatewayRole } from "./gateway-role.ts";
import { type Account, GatewayStore } from "./gateway-store.ts";

export interface GatewayArgs {
  /** What `planGateway` decided. */
  readonly plan: GatewayPlan;
  readonly account: Account;
  /** The id of the image that the plan names. */
  readonly image: string;
  /** What stands behind the plan's subnets, where it names given ones. In their order. */
  readonly subnets: readonly GivenSubnet[];
  readonly bundle: BundleFile;
}

/** A slot's addresses as the world sees them. */
export interface PublishedAddresses {
  readonly inbound: Output<string>;
  readonly relay: Output<string>;
}

/** What a tenant's provider is told of the fleet. It holds no secret. */
export interface RouteStoreOutput {
  readonly table: string;
  readonly region: string;
  readonly secretPrefix: string;
  readonly keyId: string;
  readonly nextHops: "public" | "private";
}

/** What the fleet's slots have in common. */
interface Shared {
  readonly pool: GatewayPool;
  readonly store: GatewayStore;
  readonly names: GatewayNames;
  readonly hosts: GatewayHosts;
  readonly place: RouteStoreArgs;
}

export class Gateway extends ComponentResource {
  /** What a tenant's provider needs to write routes. */
  readonly routeStore: Output<RouteStoreOutput>;
  /** By the slot that they are reserved for: for customers' allow lists. */
  readonly addresses: Readonly<Record<string, PublishedAddresses>>;

  constructor(name: string, args: GatewayArgs, options?: ComponentResourceOptions) {
    super("mxhero:gateway:Gateway", name, {}, options);
    const { plan } = args;
    const { config, secretPrefix } = plan;
    const parent = { parent: this };
    const store = new GatewayStore(name, { plan, account: args.account }, parent);
    const { region, nextHops } = config;
    const place = { table: store.table, region, secretPrefix, keyId: store.keyId };
    const known = { gateway: config.name, store: place, ...plan.hosts };
    const hosts = new GatewayHosts(name, known, parent);
    const pool = new GatewayPool(`${name}-address`, { plan, hosts }, parent);
    const names = new GatewayNames(name, { plan, pairs: pool.pairs, hosts }, parent);
    const slots = this.#startSlots(name, args, { pool, store, names, hosts, place });
    new GatewayFleet(
      name,
      { gateway: config.name, store: place, deletionProtection: config.deletionProtection },
      { ...parent, dependsOn: [...slots, pool, store, names] },
    );
    this.routeStore = output({ ...place, nextHops });
    const pairs = plan.pool.map(({ slot }, index) => [slot, pool.pairs[index]] as const);
    this.addresses = Object.fromEntries(
      pairs.flatMap(([slot, pair]) =>
        pair === undefined
          ? []
          : [[slot, { inbound: pair.inbound.publicIp, relay: pair.relay.publicIp }]],
      ),
    );
    this.registerOutputs({ routeStore: this.routeStore, addresses: this.addresses });
  }

  /** Everything that the fleet's guard is to stand above, the last slot's own guard among it. */
  #startSlots(name: string, args: GatewayArgs, shared: Shared): readonly Resource[] {
    const { plan } = args;
    const { store, hosts, place } = shared;
    const parent = { parent: this };
    const network = new GatewayNetwork(name, { plan, given: args.subnets }, parent);
    const bundle = new GatewayBundle(name, { plan, bundle: args.bundle }, parent);
    const alarms = new GatewayAlarms(name, { plan }, parent);
    const { logGroupArn } = alarms;
    const role = new GatewayRole(
      name,
      { plan, account: args.account, store, bundle, logGroupArn },
      parent,
    );
    const { certificate, privateKey } = plan.config;
    const tls = new GatewayCertificate(
      name,
      { ...TLS_SECRETS, store: place, certificate, privateKey: secret(privateKey) },
      { ...parent, dependsOn: [store, hosts] },
    );
    const ready: readonly Resource[] = [network, bundle, alarms, role, tls];
    let before: readonly Resource[] = [];
    for (const slot of plan.slots) {
      const subnet = network.subnets[slot.subnet];
      const addresses = shared.pool.pairs[slot.position];
      if (subnet === undefined || addresses === undefined) continue;
      const { guard } = new FleetSlot(
        `${name}-${slot.slot}`,
        {
          plan,
          slot,
          subnet,
          addresses,
          securityGroupId: network.securityGroupId,
          image: args.image,
          instanceProfile: store.instanceProfile,
          store: place,
          bundle: { bucket: bundle.bucket, key: bundle.object, sha256: args.bundle.sha256 },
          certificate: { fingerprint: tls.fingerprint, expires: tls.expires },
          spfChanged: shared.names.spfChanged,
          after: [...ready, ...before],
        },
        parent,
      );
      before = [guard];
    }
    return [...ready, ...before];
  }
}
