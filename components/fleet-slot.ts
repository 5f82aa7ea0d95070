/**
 * One slot of a fleet: its queue volume, the instance that serves it at present, and its records in DNS.
 *
 * The order is the point. The guard stands on the records, those on the proven slot, the slot on the volume's
 * attachment, that on the instance: where the instance is replaced, the engine deletes from the guard downwards
 * and then makes all of them again. The queue stands on them by order alone: it stays then, and is waited for
 * when the slot is taken out.
 */
import { Volume } from "@pulumi/aws/ebs/volume.js";
import { Instance } from "@pulumi/aws/ec2/instance.js";
import { VolumeAttachment } from "@pulumi/aws/ec2/volumeAttachment.js";
import { DnsRecord } from "@pulumi/cloudflare/dnsRecord.js";
import type { ComponentResourceOptions, Input, Output, Resource } from "@pulumi/pulumi";
import { all } from "@pulumi/pulumi/output.js";
import { ComponentResource } from "@pulumi/pulumi/resource.js";
import type { GatewayPlan, SlotPlan } from "../config/gateway-plan.ts";
import { slotUserData } from "../config/slot-user-data.ts";
import { GatewaySlot, type RouteStoreArgs, SlotGuard, SlotQueue } from "../provider/gateway-sdk.ts";
import type { SlotSubnet } from "./gateway-network.ts";
import type { PoolPair } from "./gateway-pool.ts";
import { SlotInterface } from "./slot-interface.ts";

export interface FleetSlotArgs {
  readonly plan: GatewayPlan;
  readonly slot: SlotPlan;
  readonly subnet: SlotSubnet;
  readonly securityGroupId: Input<string>;
  readonly addresses: PoolPair;
  readonly image: Input<string>;
  readonly instanceProfile: Input<string>;
  readonly store: RouteStoreArgs;
  readonly bundle: SlotBundle;
  readonly certificate: {
    readonly fingerprint: Output<string>;
    /** When it ends: ISO 8601. */
    readonly expires: Output<string>;
  };
  /** When the fleet's SPF record was last changed. */
  readonly spfChanged: Output<string>;
  /** What must be there before the instance starts; the guard of the slot before this one is among it. */
  readonly after: readonly Resource[];
}

/** Where the slot's host finds its program. */
export interface SlotBundle {
  readonly bucket: Output<string>;
  readonly key: Output<string>;
  readonly sha256: string;
}

/** As AWS suggests for data volumes; on the host it has another name. */
const DEVICE = "/dev/sdf";
/** For Debian, its packages, logs, and the maps of 100,000 domains. */
const ROOT_GIB = 12;

export class FleetSlot extends ComponentResource {
  /** Once it is there the slot serves. Nothing of the slot is taken away before it. */
  readonly guard: Resource;
  readonly #args: FleetSlotArgs;
  readonly #tags: Readonly<Record<string, string>>;

  constructor(name: string, args: FleetSlotArgs, options?: ComponentResourceOptions) {
    super("mxhero:gateway:FleetSlot", name, {}, options);
    this.#args = args;
    this.#tags = { Name: name, "mxhero:slot": args.slot.slot, ...args.plan.tags };
    const volume = this.#makeVolume(name);
    const instance = this.#startInstance(name, volume);
    const attachment = this.#attach(name, instance, volume);
    const queue = this.#keepQueue(name, volume, attachment);
    const records = this.#publish(name, this.#prove(name, attachment, queue));
    this.guard = this.#guard(name, attachment, records);
    this.registerOutputs({});
  }

  /**
   * In another zone it would be another volume: it is emptied before, and only then deleted. The snapshot is
   * for a queue that was given up unread.
   */
  #makeVolume(name: string): Volume {
    const { plan, subnet } = this.#args;
    const { availabilityZone } = subnet;
    const size = plan.config.volumeGiB;
    const disk = { availabilityZone, encrypted: true, size, type: "gp3" };
    const args = { ...disk, finalSnapshot: true, tags: this.#tags };
    return new Volume(name, args, { parent: this, deleteBeforeReplace: true });
  }

  /** AWS would stop a running instance to change its size. Here it goes out of DNS first. */
  #startInstance(name: string, volume: Volume): Instance {
    const { plan, slot, image, instanceProfile, after, subnet, securityGroupId, addresses } =
      this.#args;
    const tags = this.#tags;
    const interfaceArgs = { subnetId: subnet.id, securityGroupId, addresses, tags };
    const network = new SlotInterface(name, interfaceArgs, { parent: this });
    const args = {
      ami: image,
      instanceType: plan.config.instanceType,
      iamInstanceProfile: instanceProfile,
      primaryNetworkInterface: { networkInterfaceId: network.networkInterfaceId },
      metadataOptions: METADATA,
      rootBlockDevice: { encrypted: true, volumeType: "gp3", volumeSize: ROOT_GIB },
      userData: this.#userData(slot.slot, network, volume),
      userDataReplaceOnChange: true,
      tags,
      volumeTags: tags,
    };
    return new Instance(name, args, {
      parent: this,
      dependsOn: [...after, network],
      deleteBeforeReplace: true,
      replaceOnChanges: ["instanceType"],
    });
  }

  #userData(slot: string, network: SlotInterface, volume: Volume): Output<string> {
    const { plan, addresses, bundle, certificate } = this.#args;
    const { fingerprint, expires } = certificate;
    const place = all([bundle.bucket, bundle.key, fingerprint, expires]);
    const facts = all([
      network.inbound,
      network.relay,
      addresses.inbound.publicIp,
      addresses.relay.publicIp,
      volume.id,
      place,
    ]);
    return facts.apply(([inbound, relay, publicInbound, publicRelay, volumeId, program]) => {
      const [bucket, bundleKey, certificateFingerprint, certificateExpires] = program;
      return slotUserData(plan, slot, {
        inbound,
        relay,
        publicInbound,
        publicRelay,
        volumeId,
        bucket,
        bundleKey,
        bundle: bundle.sha256,
        certificate: certificateFingerprint,
        expires: certificateExpires,
      });
    });
  }

  /** The file system is written out before the volume goes: the instance is stopped first. */
  #attach(name: string, instance: Instance, volume: Volume): VolumeAttachment {
    const args = {
      deviceName: DEVICE,
      instanceId: instance.id,
      volumeId: volume.id,
      stopInstanceBeforeDetaching: true,
    };
    return new VolumeAttachment(name, args, { parent: this, deleteBeforeReplace: true });
  }

  #keepQueue(name: string, volume: Volume, attachment: VolumeAttachment): SlotQueue {
    const { slot, store } = this.#args;
    const args = { slot: slot.slot, store, volume: volume.id };
    return new SlotQueue(name, args, {
      parent: this,
      dependsOn: [attachment],
      deleteBeforeReplace: true,
      replaceOnChanges: ["volume"],
    });
  }

  #prove(name: string, attachment: VolumeAttachment, queue: SlotQueue): GatewaySlot {
    const { plan, slot, store, bundle, addresses, spfChanged } = this.#args;
    const args = {
      slot: slot.slot,
      store,
      instance: attachment.instanceId,
      bundle: bundle.sha256,
      smtpIn: plan.hosts.smtpIn,
      smtpRelay: plan.hosts.smtpRelay,
      inboundAddress: addresses.inbound.publicIp,
      relayAddress: addresses.relay.publicIp,
      ttlSeconds: plan.config.ttlSeconds,
      spfChanged,
    };
    return new GatewaySlot(name, args, {
      parent: this,
      dependsOn: [queue],
      deleteBeforeReplace: true,
      replaceOnChanges: ["instance"],
    });
  }

  #publish(name: string, proven: GatewaySlot): readonly Resource[] {
    const { hosts, config } = this.#args.plan;
    const record = { zoneId: config.zone.id, type: "A", ttl: config.ttlSeconds, proxied: false };
    return [
      { role: "smtp-in", host: hosts.smtpIn, content: proven.inboundAddress },
      { role: "smtp-relay", host: hosts.smtpRelay, content: proven.relayAddress },
    ].map(({ role, host, content }) => {
      const args = { ...record, name: host, content };
      return new DnsRecord(`${name}-${role}`, args, {
        parent: this,
        deleteBeforeReplace: true,
        replaceOnChanges: ["content"],
      });
    });
  }

  #guard(name: string, attachment: VolumeAttachment, records: readonly Resource[]): SlotGuard {
    const { slot, store } = this.#args;
    const args = { slot: slot.slot, store, instance: attachment.instanceId };
    return new SlotGuard(name, args, {
      parent: this,
      dependsOn: [...records],
      deleteBeforeReplace: true,
      replaceOnChanges: ["instance"],
    });
  }
}

/** Version 2 only, and not for what runs in a container or is forwarded through the host. */
const METADATA = {
  httpEndpoint: "enabled",
  httpTokens: "required",
  httpPutResponseHopLimit: 1,
  instanceMetadataTags: "disabled",
};
