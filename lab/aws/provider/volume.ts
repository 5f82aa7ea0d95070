/** Disks: `aws.ebs.Volume` and `aws.ec2.VolumeAttachment`. */
import * as ec2Api from "@aws-sdk/client-ec2";
import { z } from "zod";
import { answered, orGone, standInKind } from "../../stand-in.ts";
import { ec2 } from "./clients.ts";
import { instanceOf } from "./instance.ts";
import { retag, tags, tagsOf } from "./tags.ts";

export const volume = standInKind({
  type: "aws:ebs/volume:Volume",
  inputs: z.strictObject({
    availabilityZone: z.string(),
    encrypted: z.boolean().exactOptional(),
    finalSnapshot: z.boolean().exactOptional(),
    size: z.number(),
    type: z.enum(["gp3"]),
    tags,
  }),
  replaceOn: ["availabilityZone", "encrypted"],
  create: async ({ availabilityZone, encrypted, size, type, tags: own }) => {
    const { VolumeId } = await ec2().send(
      new ec2Api.CreateVolumeCommand({
        AvailabilityZone: availabilityZone,
        Encrypted: encrypted,
        Size: size,
        VolumeType: type,
      }),
    );
    const id = answered(VolumeId, "VolumeId");
    await retag(id, own);
    return id;
  },
  read: async (id) => {
    const found = await volumeOf(id);
    if (found === undefined) return undefined;
    const { AvailabilityZone: availabilityZone, Encrypted: encrypted, Size: size, Tags } = found;
    const zone = availabilityZone ?? "";
    return {
      inputs: { availabilityZone, encrypted, size, tags: tagsOf(Tags) },
      // The emulator has one account.
      outputs: { arn: `arn:aws:ec2:${zone.slice(0, -1)}:123456789012:volume/${id}` },
    };
  },
  update: async (id, news, old) => {
    if (news.size < old.size) throw new Error("InvalidParameterValue: A volume cannot shrink.");
    if (news.size > old.size) {
      await ec2().send(new ec2Api.ModifyVolumeCommand({ VolumeId: id, Size: news.size }));
    }
    await retag(id, news.tags, old.tags);
  },
  delete: async (id, { finalSnapshot = false }) => {
    if (finalSnapshot) await orGone(ec2().send(new ec2Api.CreateSnapshotCommand({ VolumeId: id })));
    await orGone(ec2().send(new ec2Api.DeleteVolumeCommand({ VolumeId: id })));
  },
});

export const volumeAttachment = standInKind({
  type: "aws:ec2/volumeAttachment:VolumeAttachment",
  inputs: z.strictObject({
    deviceName: z.string(),
    instanceId: z.string(),
    volumeId: z.string(),
    stopInstanceBeforeDetaching: z.boolean().exactOptional(),
  }),
  replaceOn: ["deviceName", "instanceId", "volumeId"],
  create: async ({ deviceName, instanceId, volumeId }) => {
    await assertSameZone(instanceId, volumeId);
    await ec2().send(
      new ec2Api.AttachVolumeCommand({
        Device: deviceName,
        InstanceId: instanceId,
        VolumeId: volumeId,
      }),
    );
    return `vai-${volumeId}-${instanceId}`;
  },
  read: async (_id, { instanceId, volumeId }) => {
    const attachments = (await volumeOf(volumeId))?.Attachments ?? [];
    const found = attachments.find(({ InstanceId }) => InstanceId === instanceId);
    return found && { inputs: { deviceName: found.Device } };
  },
  update: async () => undefined,
  delete: async (_id, { instanceId, volumeId, stopInstanceBeforeDetaching = false }) => {
    if (stopInstanceBeforeDetaching && (await instanceOf(instanceId)) !== undefined) {
      await ec2().send(new ec2Api.StopInstancesCommand({ InstanceIds: [instanceId] }));
    }
    const request = { InstanceId: instanceId, VolumeId: volumeId };
    await orGone(ec2().send(new ec2Api.DetachVolumeCommand(request)));
  },
});

/** The emulator attaches across zones. */
async function assertSameZone(instanceId: string, volumeId: string): Promise<void> {
  const host = answered((await instanceOf(instanceId))?.Placement?.AvailabilityZone, "zone");
  const disk = answered((await volumeOf(volumeId))?.AvailabilityZone, "zone");
  if (host === disk) return;
  throw new Error(
    `InvalidVolume.ZoneMismatch: ${volumeId} is in ${disk}, but ${instanceId} is in ${host}.`,
  );
}

async function volumeOf(id: string): Promise<ec2Api.Volume | undefined> {
  const asked = new ec2Api.DescribeVolumesCommand({ VolumeIds: [id] });
  return (await orGone(ec2().send(asked)))?.Volumes?.[0];
}
