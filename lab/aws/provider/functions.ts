/** What programs ask AWS for without making a resource. */
import * as ec2Api from "@aws-sdk/client-ec2";
import { z } from "zod";
import type { ProviderFunction } from "../../../provider/protocol/functions.ts";
import { answered } from "../../stand-in.ts";
import { currentRegion, ec2 } from "./clients.ts";
import { instanceTypeOf } from "./instance-types.ts";
import { quota } from "./quotas.ts";
import { tagsOf } from "./tags.ts";

const filters = z
  .array(z.strictObject({ name: z.string(), values: z.array(z.string()) }))
  .exactOptional();

function filterList(asked: z.output<typeof filters> = []) {
  return asked.map(({ name, values }) => ({ Name: name, Values: values }));
}

/** Typed by its arguments. */
function providerFunction<Arguments extends object>(
  defined: ProviderFunction<Arguments>,
): ProviderFunction<Arguments> {
  return defined;
}

/** Every network of EC2 names its owner, and a region has a default one from the start. */
export const getCallerIdentity = providerFunction({
  arguments: z.strictObject({}),
  call: async () => {
    const { Vpcs = [] } = await ec2().send(new ec2Api.DescribeVpcsCommand({}));
    const accountId = answered(Vpcs[0]?.OwnerId, "OwnerId");
    return { id: accountId, accountId };
  },
});

export const getPartition = providerFunction({
  arguments: z.strictObject({}),
  call: async () => ({ id: "aws", partition: "aws", dnsSuffix: "amazonaws.com" }),
});

export const getRegion = providerFunction({
  arguments: z.strictObject({}),
  call: async () => ({ id: currentRegion(), region: currentRegion(), name: currentRegion() }),
});

export const getAvailabilityZones = providerFunction({
  arguments: z.strictObject({ state: z.literal("available").exactOptional() }),
  call: async () => {
    const asked = new ec2Api.DescribeAvailabilityZonesCommand({});
    const { AvailabilityZones = [] } = await ec2().send(asked);
    const names = AvailabilityZones.flatMap(({ ZoneName }) => ZoneName ?? []);
    return { id: currentRegion(), names };
  },
});

export const getAmi = providerFunction({
  arguments: z.strictObject({
    owners: z.array(z.string()),
    filters,
    mostRecent: z.boolean().exactOptional(),
  }),
  call: async ({ owners, filters: asked, mostRecent = false }) => {
    const { Images = [] } = await ec2().send(
      new ec2Api.DescribeImagesCommand({ Owners: owners, Filters: filterList(asked) }),
    );
    if (Images.length > 1 && !mostRecent) throw new Error("getAmi: more than one image is found");
    const [found] = Images.toSorted((one, other) =>
      (other.CreationDate ?? "").localeCompare(one.CreationDate ?? ""),
    );
    if (found === undefined) throw new Error("getAmi: no image is found: your query has no result");
    const { ImageId: id, Architecture: architecture, Name: name } = found;
    return { id, architecture, name, imageId: id, ownerId: found.OwnerId };
  },
});

export const getInstanceType = providerFunction({
  arguments: z.strictObject({ instanceType: z.string() }),
  call: async ({ instanceType }) => {
    const InstanceTypes = [instanceTypeOf(instanceType)];
    const asked = new ec2Api.DescribeInstanceTypesCommand({ InstanceTypes });
    const found = answered((await ec2().send(asked)).InstanceTypes?.[0], instanceType);
    return {
      id: instanceType,
      instanceType,
      defaultVcpus: found.VCpuInfo?.DefaultVCpus,
      supportedArchitectures: found.ProcessorInfo?.SupportedArchitectures,
    };
  },
});

export const getServiceQuota = providerFunction({
  arguments: z.strictObject({ serviceCode: z.literal("ec2"), quotaCode: z.string() }),
  call: async ({ serviceCode, quotaCode }) => {
    return { id: quotaCode, serviceCode, quotaCode, value: quota(quotaCode) };
  },
});

export const getEips = providerFunction({
  arguments: z.strictObject({ filters }),
  call: async ({ filters: asked }) => {
    const request = new ec2Api.DescribeAddressesCommand({ Filters: filterList(asked) });
    const { Addresses = [] } = await ec2().send(request);
    return {
      id: currentRegion(),
      allocationIds: Addresses.flatMap(({ AllocationId }) => AllocationId ?? []),
      publicIps: Addresses.flatMap(({ PublicIp }) => PublicIp ?? []),
    };
  },
});

export const getInstances = providerFunction({
  arguments: z.strictObject({
    filters,
    instanceStateNames: z.array(z.string()).exactOptional(),
  }),
  call: async ({ filters: asked, instanceStateNames = ["running"] }) => {
    const states = { Name: "instance-state-name", Values: instanceStateNames };
    const request = new ec2Api.DescribeInstancesCommand({
      Filters: [...filterList(asked), states],
    });
    const { Reservations = [] } = await ec2().send(request);
    const found = Reservations.flatMap(({ Instances = [] }) => Instances);
    return { id: currentRegion(), ids: found.flatMap(({ InstanceId }) => InstanceId ?? []) };
  },
});

export const getInstance = providerFunction({
  arguments: z.strictObject({ instanceId: z.string() }),
  call: async ({ instanceId }) => {
    const asked = new ec2Api.DescribeInstancesCommand({ InstanceIds: [instanceId] });
    const found = (await ec2().send(asked)).Reservations?.[0]?.Instances?.[0];
    const { InstanceType: instanceType, Tags } = answered(found, `instance ${instanceId}`);
    return { id: instanceId, instanceId, instanceType, tags: tagsOf(Tags) };
  },
});

export const getSubnet = providerFunction({
  arguments: z.strictObject({ id: z.string() }),
  call: async ({ id }) => {
    const { Subnets } = await ec2().send(new ec2Api.DescribeSubnetsCommand({ SubnetIds: [id] }));
    const found = answered(Subnets?.[0], `subnet ${id}`);
    const { AvailabilityZone: availabilityZone, VpcId: vpcId, CidrBlock: cidrBlock } = found;
    return { id, availabilityZone, vpcId, cidrBlock };
  },
});
