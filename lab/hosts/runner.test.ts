import { Resolver } from "node:dns/promises";
import { mkdtempDisposable } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as ec2 from "@aws-sdk/client-ec2";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { labCredentials, labRegion, type Moto, startMoto } from "../aws/moto.ts";
import { ADDRESS_TAGS } from "../aws/provider/tags.ts";
import { createAuthority } from "../certificates.ts";
import { type LabDns, startDns } from "../dns.ts";
import { testNet as net } from "../test-net.ts";
import { type HostRunner, startRunner } from "./runner.ts";

vi.setConfig({ testTimeout: 90_000, hookTimeout: 60_000 });

const parts = new AsyncDisposableStack();
let moto: Moto;
let dns: LabDns;
let runner: HostRunner;
let api: ec2.EC2Client;

beforeAll(async () => {
  const directory = parts.use(await mkdtempDisposable(join(tmpdir(), "runner-"))).path;
  const authority = await createAuthority(directory);
  dns = parts.use(await startDns({ net, directory }));
  moto = parts.use(await startMoto({ address: `${net}.5.1`, directory }));
  runner = parts.use(await startRunner({ moto, dns, net, directory, authority }));
  api = new ec2.EC2Client({ endpoint: moto.url, region: labRegion, credentials: labCredentials });
});

afterAll(() => parts.disposeAsync());

const second = net.replace("127.", "");
const inside = `10.${second}.1`;

/** A network card with two addresses, the second one with an Elastic IP and a name. */
async function makeCard(): Promise<string> {
  const { Vpc } = await api.send(new ec2.CreateVpcCommand({ CidrBlock: `10.${second}.0.0/16` }));
  const { Subnet } = await api.send(
    new ec2.CreateSubnetCommand({ VpcId: Vpc?.VpcId, CidrBlock: `${inside}.0/24` }),
  );
  const { NetworkInterface } = await api.send(
    new ec2.CreateNetworkInterfaceCommand({
      SubnetId: Subnet?.SubnetId,
      PrivateIpAddresses: [
        { PrivateIpAddress: `${inside}.4`, Primary: true },
        { PrivateIpAddress: `${inside}.5` },
      ],
    }),
  );
  const id = NetworkInterface?.NetworkInterfaceId ?? "";
  const { AllocationId = "" } = await api.send(
    new ec2.AllocateAddressCommand({ Domain: "vpc", Address: `${net}.6.9` }),
  );
  await api.send(new ec2.AssociateAddressCommand({ AllocationId, NetworkInterfaceId: id }));
  await api.send(
    new ec2.CreateTagsCommand({
      Resources: [AllocationId],
      Tags: [
        { Key: ADDRESS_TAGS.privateAddress, Value: `${inside}.5` },
        { Key: ADDRESS_TAGS.domainName, Value: "relay.small.test" },
      ],
    }),
  );
  return id;
}

async function launch(card: string, userData: string): Promise<string> {
  const { Instances } = await api.send(
    new ec2.RunInstancesCommand({
      ImageId: "ami-0d3b1a2f64a0a0001",
      MinCount: 1,
      MaxCount: 1,
      NetworkInterfaces: [{ DeviceIndex: 0, NetworkInterfaceId: card }],
      UserData: Buffer.from(userData).toString("base64"),
      TagSpecifications: [{ ResourceType: "instance", Tags: [{ Key: "slot", Value: "a" }] }],
    }),
  );
  return Instances?.[0]?.InstanceId ?? "";
}

async function running(id: string) {
  await expect.poll(() => runner.instances.map((one) => one.id)).toEqual([id]);
  const found = runner.instance("slot", "a");
  await found.setUp;
  return found.host;
}

const terminate = (id: string) =>
  api.send(new ec2.TerminateInstancesCommand({ InstanceIds: [id] }));

/** Formats the disk if it is empty, and says whether it was. */
const userData = (device: string) => `#!/bin/bash
set -eu
for _ in $(seq 100); do [ -e ${device} ] && break; sleep 0.1; done
if blkid -p ${device}; then echo found; else mkfs.ext4 -q ${device}; echo made; fi >/root/disk
mkdir -p /queue
mount ${device} /queue
echo a letter >>/queue/mail
curl -sf -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' http://169.254.169.254/latest/api/token >/root/token
`;

test("an instance becomes a host with addresses, disk and user data, which its successor takes over", async () => {
  const card = await makeCard();
  const { VolumeId = "" } = await api.send(
    new ec2.CreateVolumeCommand({ AvailabilityZone: `${labRegion}a`, Size: 8 }),
  );
  const device = `/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_${VolumeId.replace("-", "")}`;
  const attach = (InstanceId: string) =>
    api.send(new ec2.AttachVolumeCommand({ Device: "/dev/sdf", InstanceId, VolumeId }));

  const first = await launch(card, userData(device));
  await attach(first);
  const host = await running(first);
  expect(await host.run(["cat", "/root/disk"])).toBe("made");
  expect(await host.run(["cat", "/root/token"])).toMatch(/^[-0-9a-f]+$/);
  expect(host.addresses).toEqual([
    { private: `${inside}.4` },
    { private: `${inside}.5`, public: `${net}.6.9` },
  ]);
  const resolver = new Resolver();
  resolver.setServers([dns.resolver]);
  expect(await resolver.reverse(`${net}.6.9`)).toEqual(["relay.small.test"]);

  // While the API is away, everything stays as it is.
  await moto.pause();
  expect(await host.run(["cat", "/queue/mail"])).toBe("a letter");
  moto.resume();

  await api.send(new ec2.StopInstancesCommand({ InstanceIds: [first] }));
  await expect.poll(() => host.running).toBe(false);
  await api.send(new ec2.DetachVolumeCommand({ VolumeId, InstanceId: first }));
  await terminate(first);

  const next = await launch(card, userData(device));
  await attach(next);
  const successor = await running(next);
  expect(await successor.run(["cat", "/root/disk"])).toContain('TYPE="ext4"');
  expect(await successor.run(["cat", "/queue/mail"])).toBe("a letter\na letter");
  await terminate(next);
  await expect.poll(() => runner.instances).toEqual([]);
  expect(runner.failures).toEqual([]);
});

test("user data that fails is told, with what it wrote", async () => {
  const id = await launch(await makeCard(), "#!/bin/sh\necho no package; exit 3\n");
  await expect(running(id)).rejects.toThrow("no package");
  expect(runner.failures.map(({ message }) => message)).toEqual([
    expect.stringContaining("ended with 3"),
  ]);
  await terminate(id);
  await expect.poll(() => runner.instances).toEqual([]);
});
