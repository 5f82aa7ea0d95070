/** Elastic IPs: `aws.ec2.Eip`, `EipAssociation`, `EipDomainName`. */
import { Resolver } from "node:dns/promises";
import { setTimeout as sleep } from "node:timers/promises";
import * as ec2Api from "@aws-sdk/client-ec2";
import { z } from "zod";
import { answered, orGone, standInKind } from "../../stand-in.ts";
import { ec2 } from "./clients.ts";
import { inTurn } from "./in-turn.ts";
import { ELASTIC_IPS, quota } from "./quotas.ts";
import { ADDRESS_TAGS, removeTags, retag, tags, tagsOf, tagValue } from "./tags.ts";

/** How long a new A record may take until it is seen, in milliseconds. */
const RECORD_MS = 5000;

export const eip = standInKind({
  type: "aws:ec2/eip:Eip",
  inputs: z.strictObject({ domain: z.literal("vpc"), tags }),
  replaceOn: ["domain"],
  create: async ({ tags: own }) => {
    const allocated = await inTurn(async () => {
      const Address = await freeAddress();
      return ec2().send(new ec2Api.AllocateAddressCommand({ Domain: "vpc", Address }));
    });
    const id = answered(allocated.AllocationId, "AllocationId");
    await retag(id, own);
    return id;
  },
  read: async (id) => {
    const found = await addressOf(id);
    if (found === undefined) return undefined;
    const { PublicIp: publicIp, Tags } = found;
    return { inputs: { tags: tagsOf(Tags) }, outputs: { allocationId: id, publicIp } };
  },
  update: (id, news, old) => retag(id, news.tags, old.tags),
  delete: async (id) => {
    await orGone(ec2().send(new ec2Api.ReleaseAddressCommand({ AllocationId: id })));
  },
});

/** The emulator draws any address of 127.0.0.0/8 and knows no quota: the lab's world says which are its own. */
async function freeAddress(): Promise<string> {
  const addresses = await allAddresses();
  const most = quota(ELASTIC_IPS);
  if (addresses.length >= most) {
    throw new Error(
      `AddressLimitExceeded: The maximum number of addresses has been reached (${most}).`,
    );
  }
  const pool = process.env["LAB_ELASTIC_ADDRESSES"]?.split(",") ?? [];
  const taken = new Set(addresses.map(({ PublicIp }) => PublicIp));
  const free = pool.find((address) => !taken.has(address));
  if (free === undefined) throw new Error("InsufficientAddressCapacity: The pool is exhausted.");
  return free;
}

export const eipAssociation = standInKind({
  type: "aws:ec2/eipAssociation:EipAssociation",
  inputs: z.strictObject({
    allocationId: z.string(),
    networkInterfaceId: z.string(),
    privateIpAddress: z.string(),
  }),
  replaceOn: ["allocationId", "networkInterfaceId", "privateIpAddress"],
  create: async ({ allocationId, networkInterfaceId, privateIpAddress }) => {
    await assertOwned(networkInterfaceId, privateIpAddress);
    const { AssociationId } = await ec2().send(
      new ec2Api.AssociateAddressCommand({
        AllocationId: allocationId,
        NetworkInterfaceId: networkInterfaceId,
        PrivateIpAddress: privateIpAddress,
      }),
    );
    await retag(allocationId, { [ADDRESS_TAGS.privateAddress]: privateIpAddress });
    return answered(AssociationId, "AssociationId");
  },
  read: async (id, { allocationId }) => {
    const found = await addressOf(allocationId);
    if (found?.AssociationId !== id) return undefined;
    const { NetworkInterfaceId: networkInterfaceId, PublicIp: publicIp, Tags } = found;
    const privateIpAddress = tagValue(Tags, ADDRESS_TAGS.privateAddress);
    return { inputs: { networkInterfaceId, privateIpAddress }, outputs: { publicIp } };
  },
  delete: async (id, { allocationId }) => {
    const gone = await orGone(
      ec2().send(new ec2Api.DisassociateAddressCommand({ AssociationId: id })),
    );
    if (gone !== undefined) await removeTags(allocationId, [ADDRESS_TAGS.privateAddress]);
  },
});

/** The emulator does not look at the private address. */
async function assertOwned(networkInterfaceId: string, address: string): Promise<void> {
  const asked = new ec2Api.DescribeNetworkInterfacesCommand({
    NetworkInterfaceIds: [networkInterfaceId],
  });
  const found = (await ec2().send(asked)).NetworkInterfaces?.[0]?.PrivateIpAddresses ?? [];
  if (found.some(({ PrivateIpAddress }) => PrivateIpAddress === address)) return;
  throw new Error(
    `InvalidParameterValue: Network interface ${networkInterfaceId} does not have ${address}.`,
  );
}

export const eipDomainName = standInKind({
  type: "aws:ec2/eipDomainName:EipDomainName",
  inputs: z.strictObject({ allocationId: z.string(), domainName: z.string() }),
  replaceOn: ["allocationId"],
  create: async ({ allocationId, domainName }) => {
    await setDomainName(allocationId, domainName);
    return allocationId;
  },
  read: async (id) => {
    const domainName = tagValue((await addressOf(id))?.Tags, ADDRESS_TAGS.domainName);
    return domainName === undefined
      ? undefined
      : { inputs: { domainName }, outputs: { ptrRecord: `${domainName}.` } };
  },
  update: (id, { domainName }) => setDomainName(id, domainName),
  delete: async (id) => {
    if ((await addressOf(id)) !== undefined) await removeTags(id, [ADDRESS_TAGS.domainName]);
  },
});

/**
 * The emulator has no PTR records: the stand-in keeps the name as a tag, and the host runner publishes it.
 * As AWS does, it asks for the A record first.
 *
 * @see https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Elastic_Addressing_Reverse_DNS.html
 */
async function setDomainName(id: string, domainName: string): Promise<void> {
  const publicIp = answered((await addressOf(id))?.PublicIp, `address ${id}`);
  const resolver = new Resolver();
  const servers = process.env["MXHERO_RESOLVERS"];
  if (servers !== undefined) resolver.setServers(servers.split(","));
  const deadline = Date.now() + RECORD_MS;
  const seen = async (): Promise<readonly string[]> =>
    resolver.resolve4(domainName).catch(() => []);
  while (!(await seen()).includes(publicIp)) {
    if (Date.now() > deadline) {
      throw new Error(`InvalidParameterValue: ${domainName} has no A record with ${publicIp}.`);
    }
    await sleep(200);
  }
  await retag(id, { [ADDRESS_TAGS.domainName]: domainName });
}

async function addressOf(id: string): Promise<ec2Api.Address | undefined> {
  const asked = new ec2Api.DescribeAddressesCommand({ AllocationIds: [id] });
  return (await orGone(ec2().send(asked)))?.Addresses?.[0];
}

async function allAddresses(): Promise<readonly ec2Api.Address[]> {
  return (await ec2().send(new ec2Api.DescribeAddressesCommand({}))).Addresses ?? [];
}
