/** `aws.ec2.NetworkInterface`, with addresses that are chosen here: the emulator draws them at random. */
import * as ec2Api from "@aws-sdk/client-ec2";
import ipaddr from "ipaddr.js";
import { z } from "zod";
import { answered, orGone, sameSet, standInKind } from "../../stand-in.ts";
import { ec2 } from "./clients.ts";
import { inTurn } from "./in-turn.ts";
import { retag, tags, tagsOf } from "./tags.ts";

/** AWS keeps the first four addresses of a subnet, and the last. */
const RESERVED = 4;

export const networkInterface = standInKind({
  type: "aws:ec2/networkInterface:NetworkInterface",
  inputs: z.strictObject({
    subnetId: z.string(),
    securityGroups: z.array(z.string()).exactOptional(),
    /** Of secondary addresses. */
    privateIpsCount: z.number().exactOptional(),
    description: z.string().exactOptional(),
    tags,
  }),
  replaceOn: ["subnetId"],
  computed: ["securityGroups", "privateIpsCount"],
  create: async ({ subnetId, securityGroups, privateIpsCount = 0, description, tags: own }) => {
    const made = await inTurn(async () => {
      const addresses = await freeAddresses(subnetId, 1 + privateIpsCount);
      const create = new ec2Api.CreateNetworkInterfaceCommand({
        SubnetId: subnetId,
        Groups: securityGroups,
        Description: description,
        PrivateIpAddresses: addresses.map((PrivateIpAddress, index) => ({
          PrivateIpAddress,
          Primary: index === 0,
        })),
      });
      return ec2().send(create);
    });
    const id = answered(made.NetworkInterface?.NetworkInterfaceId, "NetworkInterfaceId");
    await retag(id, own);
    return id;
  },
  read: async (id, inputs) => {
    const asked = new ec2Api.DescribeNetworkInterfacesCommand({ NetworkInterfaceIds: [id] });
    const found = (await orGone(ec2().send(asked)))?.NetworkInterfaces?.[0];
    if (found === undefined) return undefined;
    const addresses = (found.PrivateIpAddresses ?? []).flatMap((one) => one.PrivateIpAddress ?? []);
    const groups = (found.Groups ?? []).flatMap(({ GroupId }) => GroupId ?? []);
    return {
      inputs: {
        subnetId: found.SubnetId,
        securityGroups: sameSet(groups, inputs.securityGroups),
        privateIpsCount: addresses.length - 1,
        tags: tagsOf(found.TagSet),
      },
      outputs: { privateIp: found.PrivateIpAddress, privateIps: addresses },
    };
  },
  update: async (id, news, old) => {
    if (news.privateIpsCount !== old.privateIpsCount) {
      throw new Error("the stand-in cannot change the number of private addresses");
    }
    await ec2().send(
      new ec2Api.ModifyNetworkInterfaceAttributeCommand({
        NetworkInterfaceId: id,
        Groups: news.securityGroups,
      }),
    );
    await retag(id, news.tags, old.tags);
  },
  delete: async (id) => {
    await orGone(ec2().send(new ec2Api.DeleteNetworkInterfaceCommand({ NetworkInterfaceId: id })));
  },
});

async function freeAddresses(subnetId: string, count: number): Promise<readonly string[]> {
  const subnets = await ec2().send(new ec2Api.DescribeSubnetsCommand({ SubnetIds: [subnetId] }));
  const [network, length] = ipaddr.IPv4.parseCIDR(
    answered(subnets.Subnets?.[0]?.CidrBlock, "CIDR"),
  );
  const first = new DataView(Uint8Array.from(network.toByteArray()).buffer).getUint32(0);
  const taken = await takenAddresses(subnetId);
  const free: string[] = [];
  for (let offset = RESERVED; free.length < count; offset += 1) {
    if (offset >= 2 ** (32 - length) - 1) {
      throw new Error(`InsufficientFreeAddressesInSubnet: ${subnetId} has no address left.`);
    }
    const address = textOf(first + offset);
    if (!taken.has(address)) free.push(address);
  }
  return free;
}

async function takenAddresses(subnetId: string): Promise<ReadonlySet<string>> {
  const asked = new ec2Api.DescribeNetworkInterfacesCommand({
    Filters: [{ Name: "subnet-id", Values: [subnetId] }],
  });
  const { NetworkInterfaces = [] } = await ec2().send(asked);
  const addresses = NetworkInterfaces.flatMap(({ PrivateIpAddresses = [] }) => PrivateIpAddresses);
  return new Set(addresses.flatMap(({ PrivateIpAddress }) => PrivateIpAddress ?? []));
}

function textOf(address: number): string {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join(".");
}
