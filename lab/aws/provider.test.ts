/** The stand-ins for the providers of AWS and Cloudflare, under the real engine. */
import { readFileSync } from "node:fs";
import { mkdir, mkdtempDisposable, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as ec2Api from "@aws-sdk/client-ec2";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { type LabCloudflare, startCloudflare } from "../cloudflare/index.ts";
import { startDns } from "../dns.ts";
import { createProject, type PulumiProject } from "../pulumi.ts";
import { testNet as net } from "../test-net.ts";
import { labCredentials, labRegion, type Moto, startMoto } from "./moto.ts";

vi.setConfig({ testTimeout: 180_000, hookTimeout: 120_000 });

const modules = fileURLToPath(new URL("../../node_modules", import.meta.url));

/** A small network with a host; what the tests change comes from the stack's configuration. */
const program = readFileSync(new URL("testdata/small-network.ts", import.meta.url), "utf8");

let parts: AsyncDisposableStack;
let moto: Moto;
let cloudflare: LabCloudflare;
let zoneId: string;
let directory: string;
let env: Record<string, string>;

beforeAll(async () => {
  parts = new AsyncDisposableStack();
  directory = parts.use(await mkdtempDisposable(join(tmpdir(), "aws-"))).path;
  const dns = parts.use(await startDns({ net, directory }));
  cloudflare = parts.use(await startCloudflare({ net, dns }));
  zoneId = await cloudflare.addZone({ name: "small.test" });
  moto = parts.use(await startMoto({ address: `${net}.5.1`, directory }));
  env = {
    ...moto.env,
    CLOUDFLARE_BASE_URL: cloudflare.url,
    CLOUDFLARE_API_TOKEN: cloudflare.addToken({ name: "operator" }),
    MXHERO_RESOLVERS: dns.resolver,
    LAB_ELASTIC_ADDRESSES: `${net}.6.1,${net}.6.2`,
  };
});

afterAll(() => parts.disposeAsync());

async function makeProject(text: string): Promise<PulumiProject> {
  const source = await makeFolder(text);
  const project = await createProject({ directory, env, source });
  const config = ["config:", `  aws:region: ${labRegion}`, `  small:zoneId: ${zoneId}`, ""];
  await project.addStack("one", config.join("\n"));
  return project;
}

async function makeFolder(text: string): Promise<string> {
  const source = join(directory, `source-${Math.random()}`);
  await mkdir(join(source, "stacks"), { recursive: true });
  await symlink(modules, join(source, "node_modules"));
  const runtime = "runtime: { name: nodejs, options: { typescript: false } }";
  const settings = ["name: small", "main: index.ts", "stackConfigDir: stacks", runtime, ""];
  await writeFile(join(source, "Pulumi.yaml"), settings.join("\n"));
  await writeFile(join(source, "package.json"), '{ "type": "module" }');
  await writeFile(join(source, "index.ts"), text);
  return source;
}

async function configure(project: PulumiProject, values: Readonly<Record<string, string>>) {
  const lines = Object.entries({ zoneId, ...values }).map(
    ([name, value]) => `  small:${name}: ${JSON.stringify(value)}\n`,
  );
  await project.writeStackFile("one", `config:\n  aws:region: ${labRegion}\n${lines.join("")}`);
}

async function run(project: PulumiProject, ...args: readonly string[]): Promise<string> {
  const { stdout, stderr, exitCode } = await project.run("one", args);
  if (exitCode !== 0) throw new Error(stdout + stderr);
  return stdout;
}

async function refusal(project: PulumiProject, ...args: readonly string[]): Promise<string> {
  const { stdout, stderr, exitCode } = await project.run("one", args);
  expect(exitCode).not.toBe(0);
  return stdout + stderr;
}

test("a program of many types comes up, is changed, refreshed and taken down", async () => {
  const project = await makeProject(program);
  await run(project, "preview");
  await run(project, "up", "--yes", "--skip-preview");
  const outputs = JSON.parse(await run(project, "stack", "output", "--json"));
  expect(outputs).toMatchObject({
    publicIp: `${net}.6.1`,
    account: "123456789012",
    quota: 5,
    version: expect.stringMatching(/./),
  });
  expect(outputs.arns).toHaveLength(4);

  // The API itself says so, through no code of the stand-in's.
  const api = new ec2Api.EC2Client({
    endpoint: moto.url,
    region: labRegion,
    credentials: labCredentials,
  });
  const { Addresses = [] } = await api.send(new ec2Api.DescribeAddressesCommand({}));
  expect(Addresses).toMatchObject([{ PublicIp: `${net}.6.1` }]);
  expect(Addresses[0]?.Tags).toContainEqual({ Key: "lab:domain-name", Value: "in.small.test" });
  const hosts = await api.send(
    new ec2Api.DescribeInstancesCommand({ InstanceIds: [outputs.hostId] }),
  );
  const [host] = hosts.Reservations?.[0]?.Instances ?? [];
  expect(host?.State?.Name).toBe("running");
  expect(host?.Placement?.AvailabilityZone).toBe("eu-central-1b");
  expect(cloudflare.snapshot(zoneId)).toMatchObject([
    { name: "in.small.test", type: "A", content: `${net}.6.1` },
  ]);

  await run(project, "up", "--yes", "--skip-preview", "--expect-no-changes");
  await run(project, "refresh", "--yes", "--expect-no-changes");

  // In place: the rule. By replacement: the host, and with it the attachment, but not the disk.
  await configure(project, { allowed: "192.0.2.0/24", userData: "#!/bin/sh\necho 2\n" });
  await run(project, "up", "--yes", "--skip-preview");
  const changed = JSON.parse(await run(project, "stack", "output", "--json"));
  expect(changed.hostId).not.toBe(outputs.hostId);
  expect(changed.volumeId).toBe(outputs.volumeId);
  const volumes = await api.send(
    new ec2Api.DescribeVolumesCommand({ VolumeIds: [changed.volumeId] }),
  );
  expect(volumes.Volumes?.[0]?.Attachments).toMatchObject([{ InstanceId: changed.hostId }]);

  // Somebody else's change is seen.
  await api.send(new ec2Api.TerminateInstancesCommand({ InstanceIds: [changed.hostId] }));
  const drift = await refusal(project, "refresh", "--preview-only", "--expect-no-changes");
  expect(drift).toMatch(/aws:ec2:Instance +host +delete/);

  await run(project, "destroy", "--yes", "--skip-preview");
  expect((await api.send(new ec2Api.DescribeAddressesCommand({}))).Addresses).toEqual([]);
  const { Snapshots = [] } = await api.send(
    new ec2Api.DescribeSnapshotsCommand({ OwnerIds: ["123456789012"] }),
  );
  expect(Snapshots.map(({ VolumeId }) => VolumeId)).toContain(changed.volumeId);
  expect(cloudflare.snapshot(zoneId)).toEqual([]);
});

test.each([
  [
    "an unknown property",
    'import * as aws from "@pulumi/aws"; new aws.ec2.Vpc("net", { cidrBlock: "10.1.0.0/16", instanceTenancy: "dedicated" });',
    /Unrecognized key: "instanceTenancy"/,
  ],
  [
    "an unknown type",
    'import * as aws from "@pulumi/aws"; new aws.sqs.Queue("queue", {});',
    /The provider aws has no resource type "aws:sqs\/queue:Queue"/,
  ],
  [
    "an unknown function",
    'import * as aws from "@pulumi/aws"; await aws.ec2.getVpcs({});',
    /The provider aws has no function "aws:ec2\/getVpcs:getVpcs"/,
  ],
  [
    "a network that AWS does not know",
    'import * as aws from "@pulumi/aws"; new aws.ec2.Subnet("net", { vpcId: "vpc-1", cidrBlock: "10.1.1.0/24" });',
    /InvalidVpcID.NotFound/,
  ],
  [
    "a policy that AWS would not take",
    'import * as aws from "@pulumi/aws"; const statement = { Effect: "Allow", Action: "sts:AssumeRole", Principal: { Service: "ec2.amazonaws.com" } }; const role = new aws.iam.Role("role", { assumeRolePolicy: JSON.stringify({ Version: "2012-10-17", Statement: [statement] }) }); new aws.iam.RolePolicy("role", { role: role.name, policy: JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Maybe", Action: "s3:GetObject", Resource: "*" }] }) });',
    /MalformedPolicyDocument/,
  ],
  [
    "a name that does not lead to the address",
    'import * as aws from "@pulumi/aws"; const { allocationId } = new aws.ec2.Eip("in", { domain: "vpc" }); new aws.ec2.EipDomainName("in", { allocationId, domainName: "nowhere.small.test" });',
    /nowhere.small.test has no A record/,
  ],
])("%s is an error", async (_what, text, expected) => {
  const project = await makeProject(text);
  expect(await refusal(project, "up", "--yes", "--skip-preview")).toMatch(expected);
  await project.run("one", ["destroy", "--yes", "--skip-preview"]);
});
