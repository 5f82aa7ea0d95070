/** `aws.ec2.Instance` on an existing network interface. */
import * as ec2Api from "@aws-sdk/client-ec2";
import { z } from "zod";
import { answered, orGone, standInKind } from "../../stand-in.ts";
import { ec2 } from "./clients.ts";
import { instanceTypeOf } from "./instance-types.ts";
import { retag, tagList, tags, tagsOf } from "./tags.ts";

/** Bytes, before the encoding in base64. */
const USER_DATA_LIMIT = 16_384;

const inputs = z.strictObject({
  ami: z.string(),
  instanceType: z.string(),
  primaryNetworkInterface: z.strictObject({ networkInterfaceId: z.string() }),
  iamInstanceProfile: z.string().exactOptional(),
  metadataOptions: z
    .strictObject({
      httpEndpoint: z.enum(["enabled", "disabled"]).exactOptional(),
      httpTokens: z.enum(["required", "optional"]).exactOptional(),
      httpPutResponseHopLimit: z.number().exactOptional(),
      instanceMetadataTags: z.enum(["enabled", "disabled"]).exactOptional(),
    })
    .exactOptional(),
  rootBlockDevice: z
    .strictObject({
      encrypted: z.boolean().exactOptional(),
      volumeType: z.string().exactOptional(),
      volumeSize: z.number().exactOptional(),
    })
    .exactOptional(),
  userData: z.string().refine((text) => Buffer.byteLength(text) <= USER_DATA_LIMIT, {
    error: `User data is limited to ${USER_DATA_LIMIT} bytes`,
  }),
  /** Otherwise a change would stop and start the instance, which the stand-in does not do. */
  userDataReplaceOnChange: z.literal(true),
  tags,
  volumeTags: tags,
});
type Inputs = z.output<typeof inputs>;

export const instance = standInKind<Inputs>({
  type: "aws:ec2/instance:Instance",
  inputs,
  replaceOn: ["ami", "primaryNetworkInterface", "userData"],
  create: async (asked) => {
    const { Instances } = await ec2().send(new ec2Api.RunInstancesCommand(await request(asked)));
    return answered(Instances?.[0]?.InstanceId, "InstanceId");
  },
  read: async (id, asked) => {
    const found = await instanceOf(id);
    if (found === undefined) return undefined;
    return {
      inputs: {
        ami: found.ImageId,
        instanceType: found.InstanceType,
        tags: tagsOf(found.Tags),
        userData: await userDataOf(id, asked),
      },
      outputs: { instanceState: found.State?.Name },
    };
  },
  update: async (id, news, old) => {
    if (news.instanceType !== old.instanceType) {
      await ec2().send(new ec2Api.StopInstancesCommand({ InstanceIds: [id] }));
      const InstanceType = { Value: news.instanceType };
      await ec2().send(new ec2Api.ModifyInstanceAttributeCommand({ InstanceId: id, InstanceType }));
      await ec2().send(new ec2Api.StartInstancesCommand({ InstanceIds: [id] }));
    }
    const { metadataOptions } = news;
    if (metadataOptions !== undefined) {
      await ec2().send(
        new ec2Api.ModifyInstanceMetadataOptionsCommand({
          InstanceId: id,
          ...metadata(metadataOptions),
        }),
      );
    }
    await retag(id, news.tags, old.tags);
  },
  delete: async (id) => {
    await orGone(ec2().send(new ec2Api.TerminateInstancesCommand({ InstanceIds: [id] })));
  },
});

/** An instance that is terminated is gone, though AWS still tells of it for an hour. */
export async function instanceOf(id: string): Promise<ec2Api.Instance | undefined> {
  const asked = new ec2Api.DescribeInstancesCommand({ InstanceIds: [id] });
  const found = (await orGone(ec2().send(asked)))?.Reservations?.[0]?.Instances?.[0];
  return found?.State?.Name === "terminated" ? undefined : found;
}

async function request(asked: Inputs): Promise<ec2Api.RunInstancesCommandInput> {
  const { networkInterfaceId: NetworkInterfaceId } = asked.primaryNetworkInterface;
  const { iamInstanceProfile: profile, metadataOptions = {}, rootBlockDevice } = asked;
  const image = await imageOf(asked.ami);
  return {
    ImageId: asked.ami,
    InstanceType: instanceTypeOf(asked.instanceType),
    MinCount: 1,
    MaxCount: 1,
    NetworkInterfaces: [{ DeviceIndex: 0, NetworkInterfaceId }],
    // On AWS it follows from the interface; the emulator would take the first one.
    Placement: { AvailabilityZone: await zoneOf(NetworkInterfaceId) },
    ...(profile !== undefined && { IamInstanceProfile: { Name: profile } }),
    MetadataOptions: metadata(metadataOptions),
    ...(rootBlockDevice !== undefined && {
      BlockDeviceMappings: [rootDevice(image, rootBlockDevice)],
    }),
    UserData: Buffer.from(asked.userData).toString("base64"),
    TagSpecifications: [
      { ResourceType: "instance", Tags: tagList(asked.tags) },
      ...(asked.volumeTags === undefined
        ? []
        : [{ ResourceType: "volume" as const, Tags: tagList(asked.volumeTags) }]),
    ],
  };
}

function metadata(options: NonNullable<Inputs["metadataOptions"]>) {
  return {
    HttpEndpoint: options.httpEndpoint,
    HttpTokens: options.httpTokens,
    HttpPutResponseHopLimit: options.httpPutResponseHopLimit,
    InstanceMetadataTags: options.instanceMetadataTags,
  };
}

function rootDevice(
  image: ec2Api.Image,
  { encrypted, volumeType, volumeSize }: NonNullable<Inputs["rootBlockDevice"]>,
): ec2Api.BlockDeviceMapping {
  const VolumeType = Object.values(ec2Api.VolumeType).find((known) => known === volumeType);
  return {
    DeviceName: answered(image.RootDeviceName, "RootDeviceName"),
    Ebs: { Encrypted: encrypted, VolumeType, VolumeSize: volumeSize, DeleteOnTermination: true },
  };
}

/** The emulator would start an image that it does not know. */
async function imageOf(id: string): Promise<ec2Api.Image> {
  const { Images } = await ec2().send(new ec2Api.DescribeImagesCommand({ ImageIds: [id] }));
  return answered(Images?.[0], `image ${id}`);
}

async function zoneOf(networkInterfaceId: string): Promise<string> {
  const asked = new ec2Api.DescribeNetworkInterfacesCommand({
    NetworkInterfaceIds: [networkInterfaceId],
  });
  const found = (await ec2().send(asked)).NetworkInterfaces?.[0];
  const { Attachment } = answered(found, `network interface ${networkInterfaceId}`);
  const holder = Attachment?.InstanceId;
  // The emulator lets go of no interface when its instance ends, and attaches one twice.
  if (holder !== undefined && (await instanceOf(holder)) !== undefined) {
    throw new Error(`InvalidNetworkInterface.InUse: ${networkInterfaceId} is in use by ${holder}.`);
  }
  return answered(found?.AvailabilityZone, "AvailabilityZone");
}

async function userDataOf(id: string, asked: Inputs): Promise<string> {
  const { UserData } = await ec2().send(
    new ec2Api.DescribeInstanceAttributeCommand({ InstanceId: id, Attribute: "userData" }),
  );
  const text = UserData?.Value;
  return text === undefined ? asked.userData : Buffer.from(text, "base64").toString();
}
