/** A fleet in subnets that exist, under the real engine. The agents are acted. */
import * as ec2 from "@aws-sdk/client-ec2";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { labCredentials, labRegion } from "../lab/aws/moto.ts";
import { type ActingAgents, startActingAgents } from "./acting-agents.ts";
import { type GatewayLab, startGatewayLab, succeeded } from "./gateway-lab.ts";

vi.setConfig({ testTimeout: 400_000, hookTimeout: 120_000 });

const parts = new AsyncDisposableStack();
let lab: GatewayLab;
let agents: ActingAgents;
let api: ec2.EC2Client;

beforeAll(async () => {
  lab = parts.use(await startGatewayLab());
  for (const [name, value] of Object.entries(lab.moto.env)) vi.stubEnv(name, value);
  agents = parts.use(startActingAgents(lab.moto));
  api = new ec2.EC2Client({
    endpoint: lab.moto.url,
    region: labRegion,
    credentials: labCredentials,
  });
});

afterAll(async () => {
  api.destroy();
  await parts.disposeAsync();
  vi.unstubAllEnvs();
});

async function makeSubnet(VpcId: string, place: string, CidrBlock: string): Promise<string> {
  const AvailabilityZone = `${labRegion}${place}`;
  const command = new ec2.CreateSubnetCommand({ VpcId, AvailabilityZone, CidrBlock });
  const { Subnet } = await api.send(command);
  return Subnet?.SubnetId ?? "";
}

async function vpcs(): Promise<string[]> {
  const { Vpcs = [] } = await api.send(new ec2.DescribeVpcsCommand({}));
  return Vpcs.map(({ VpcId = "" }) => VpcId).toSorted();
}

/** The instance that serves a slot, as AWS's API describes it. */
async function instanceOf(slot: string): Promise<ec2.Instance | undefined> {
  const InstanceIds = [agents.instances.get(slot) ?? ""];
  const { Reservations } = await api.send(new ec2.DescribeInstancesCommand({ InstanceIds }));
  return Reservations?.[0]?.Instances?.[0];
}

const fixIt = "https://help.gateway.test/inactive";

test("the slots take given subnets in turn, and nothing of the network is the stack's", async () => {
  const { Vpc } = await api.send(new ec2.CreateVpcCommand({ CidrBlock: "10.77.0.0/16" }));
  const vpc = Vpc?.VpcId ?? "";
  const subnets = [
    await makeSubnet(vpc, "a", "10.77.1.0/24"),
    await makeSubnet(vpc, "b", "10.77.2.0/24"),
  ];
  const before = await vpcs();
  await lab.configure({
    ...(await lab.issue()),
    "gateway:network": { subnets },
    "gateway:fixIt": fixIt,
  });
  const { text } = await succeeded(lab.run(["up", "--yes", "--skip-preview"]));
  expect(text).not.toMatch(/ec2:(?:Vpc|Subnet|InternetGateway|RouteTable)\b/);
  expect(await vpcs()).toEqual(before);
  for (const [index, slot] of ["a", "b"].entries()) {
    const instance = await instanceOf(slot);
    expect(instance).toMatchObject({ VpcId: vpc, SubnetId: subnets[index] });
    expect(instance?.Placement?.AvailabilityZone).toBe(`${labRegion}${slot}`);
    // Where an interface is given, the API adds default groups of its own.
    const GroupIds = (instance?.SecurityGroups ?? []).map(({ GroupId = "" }) => GroupId);
    const found = await api.send(new ec2.DescribeSecurityGroupsCommand({ GroupIds }));
    const groups = found.SecurityGroups?.filter(({ GroupName }) => GroupName !== "default");
    expect(groups).toMatchObject([{ GroupName: "mxhero-gateway-example", VpcId: vpc }]);
  }

  const { stdout } = await succeeded(lab.run(["stack", "output", "--json"]));
  expect(JSON.parse(stdout)).toMatchObject({ fixIt, slots: ["a", "b"] });

  await succeeded(lab.run(["destroy", "--yes", "--skip-preview"]));
  expect(await vpcs()).toEqual(before);
  const left = await api.send(
    new ec2.DescribeSubnetsCommand({ Filters: [{ Name: "vpc-id", Values: [vpc] }] }),
  );
  expect(left.Subnets?.map(({ SubnetId }) => SubnetId).toSorted()).toEqual(subnets.toSorted());
});
