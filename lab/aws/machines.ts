/** What AWS's API says is running: the instances, as a machine room needs to know them. */
import * as ec2Api from "@aws-sdk/client-ec2";
import { GetInstanceProfileCommand, IAMClient } from "@aws-sdk/client-iam";
import { labCredentials, labRegion } from "./moto.ts";
import { ADDRESS_TAGS, tagValue } from "./provider/tags.ts";

export interface MachineAddress {
  readonly private: string;
  /** Of the Elastic IP that is associated with it. */
  readonly public?: string;
}

export interface Disk {
  readonly volumeId: string;
  readonly gibibytes: number;
}

export interface Machine {
  readonly id: string;
  readonly state: "running" | "stopped" | "terminated";
  readonly zone: string;
  readonly tags: Readonly<Record<string, string>>;
  /** The primary one first. */
  readonly addresses: readonly MachineAddress[];
  /** That are attached, without the one that it starts from. */
  readonly disks: readonly Disk[];
  readonly instanceProfile?: string;
}

export class MachineApi implements Disposable {
  readonly #ec2: ec2Api.EC2Client;
  readonly #iam: IAMClient;

  constructor(endpoint: string) {
    const timeouts = { connectionTimeout: 2000, requestTimeout: 5000, throwOnRequestTimeout: true };
    const configuration = {
      endpoint,
      region: labRegion,
      credentials: labCredentials,
      maxAttempts: 1,
      requestHandler: timeouts,
    };
    this.#ec2 = new ec2Api.EC2Client(configuration);
    this.#iam = new IAMClient(configuration);
  }

  /** All instances, those that ended a while ago too. */
  async machines(): Promise<readonly Machine[]> {
    const [instances, addresses, volumes] = await Promise.all([
      this.#ec2.send(new ec2Api.DescribeInstancesCommand({})),
      this.addresses(),
      this.#ec2.send(new ec2Api.DescribeVolumesCommand({})),
    ]);
    const found = (instances.Reservations ?? []).flatMap(({ Instances = [] }) => Instances);
    return found.map((instance) => machineOf(instance, addresses, volumes.Volumes ?? []));
  }

  /** All Elastic IPs. */
  async addresses(): Promise<readonly ec2Api.Address[]> {
    return (await this.#ec2.send(new ec2Api.DescribeAddressesCommand({}))).Addresses ?? [];
  }

  async userData(id: string): Promise<string> {
    const { UserData } = await this.#ec2.send(
      new ec2Api.DescribeInstanceAttributeCommand({ InstanceId: id, Attribute: "userData" }),
    );
    return Buffer.from(UserData?.Value ?? "", "base64").toString();
  }

  /** The role of an instance profile. */
  async roleOf(profile: string): Promise<string | undefined> {
    const asked = new GetInstanceProfileCommand({ InstanceProfileName: profile });
    return (await this.#iam.send(asked)).InstanceProfile?.Roles?.[0]?.RoleName;
  }

  [Symbol.dispose](): void {
    this.#ec2.destroy();
    this.#iam.destroy();
  }
}

function machineOf(
  instance: ec2Api.Instance,
  addresses: readonly ec2Api.Address[],
  volumes: readonly ec2Api.Volume[],
): Machine {
  const id = instance.InstanceId ?? "";
  const profile = instance.IamInstanceProfile?.Arn?.split("/").at(-1);
  return {
    id,
    state: stateOf(instance),
    zone: instance.Placement?.AvailabilityZone ?? "",
    tags: Object.fromEntries((instance.Tags ?? []).map(({ Key, Value }) => [Key, Value])),
    addresses: addressesOf(instance, addresses),
    disks: volumes.flatMap((volume) => disksOf(volume, instance)),
    ...(profile !== undefined && { instanceProfile: profile }),
  };
}

function stateOf({ State }: ec2Api.Instance): Machine["state"] {
  if (State?.Name === "running" || State?.Name === "stopped") return State.Name;
  return "terminated";
}

function addressesOf(
  { NetworkInterfaces: [card] = [] }: ec2Api.Instance,
  elastic: readonly ec2Api.Address[],
): MachineAddress[] {
  const own = card?.PrivateIpAddresses ?? [];
  const ordered = own.toSorted((one, other) => Number(other.Primary) - Number(one.Primary));
  return ordered.flatMap(({ PrivateIpAddress: address }) => {
    if (address === undefined) return [];
    const translated = elastic.find(
      ({ NetworkInterfaceId, Tags }) =>
        NetworkInterfaceId === card?.NetworkInterfaceId &&
        tagValue(Tags, ADDRESS_TAGS.privateAddress) === address,
    );
    const outside = translated?.PublicIp;
    return [{ private: address, ...(outside !== undefined && { public: outside }) }];
  });
}

function disksOf(
  { VolumeId: volumeId = "", Size: gibibytes = 1, Attachments = [] }: ec2Api.Volume,
  { InstanceId, RootDeviceName }: ec2Api.Instance,
): Disk[] {
  const attached = Attachments.some(
    (one) => one.InstanceId === InstanceId && one.Device !== RootDeviceName,
  );
  return attached ? [{ volumeId, gibibytes }] : [];
}
