/** A program of a small network with a host, of every type that the stand-ins have. */
/* oxlint-disable no-new -- constructing a resource registers it */
import { LogGroup } from "@pulumi/aws/cloudwatch/logGroup.js";
import { MetricAlarm } from "@pulumi/aws/cloudwatch/metricAlarm.js";
import { Table } from "@pulumi/aws/dynamodb/table.js";
import { Volume } from "@pulumi/aws/ebs/volume.js";
import { Eip } from "@pulumi/aws/ec2/eip.js";
import { EipAssociation } from "@pulumi/aws/ec2/eipAssociation.js";
import { EipDomainName } from "@pulumi/aws/ec2/eipDomainName.js";
import { getAmiOutput } from "@pulumi/aws/ec2/getAmi.js";
import { Instance } from "@pulumi/aws/ec2/instance.js";
import { InternetGateway } from "@pulumi/aws/ec2/internetGateway.js";
import { NetworkInterface } from "@pulumi/aws/ec2/networkInterface.js";
import { Route } from "@pulumi/aws/ec2/route.js";
import { RouteTable } from "@pulumi/aws/ec2/routeTable.js";
import { RouteTableAssociation } from "@pulumi/aws/ec2/routeTableAssociation.js";
import { SecurityGroup } from "@pulumi/aws/ec2/securityGroup.js";
import { Subnet } from "@pulumi/aws/ec2/subnet.js";
import { VolumeAttachment } from "@pulumi/aws/ec2/volumeAttachment.js";
import { Vpc } from "@pulumi/aws/ec2/vpc.js";
import { getCallerIdentity } from "@pulumi/aws/getCallerIdentity.js";
import { InstanceProfile } from "@pulumi/aws/iam/instanceProfile.js";
import { Role } from "@pulumi/aws/iam/role.js";
import { RolePolicy } from "@pulumi/aws/iam/rolePolicy.js";
import { Key } from "@pulumi/aws/kms/key.js";
import { Bucket } from "@pulumi/aws/s3/bucket.js";
import { BucketObjectv2 } from "@pulumi/aws/s3/bucketObjectv2.js";
import { BucketPublicAccessBlock } from "@pulumi/aws/s3/bucketPublicAccessBlock.js";
import { BucketVersioning } from "@pulumi/aws/s3/bucketVersioning.js";
import { getServiceQuota } from "@pulumi/aws/servicequotas/getServiceQuota.js";
import { Topic } from "@pulumi/aws/sns/topic.js";
import { TopicSubscription } from "@pulumi/aws/sns/topicSubscription.js";
import { SecurityGroupEgressRule } from "@pulumi/aws/vpc/securityGroupEgressRule.js";
import { SecurityGroupIngressRule } from "@pulumi/aws/vpc/securityGroupIngressRule.js";
import { DnsRecord } from "@pulumi/cloudflare/dnsRecord.js";
import { Config } from "@pulumi/pulumi";
import { FileAsset } from "@pulumi/pulumi/asset/index.js";

const config = new Config("small");
const tags = { "mxhero:gateway": "small" };

const image = getAmiOutput({
  owners: ["136693071363"],
  filters: [{ name: "name", values: ["debian-12-arm64-20260210-2384"] }],
  mostRecent: true,
});

const net = new Vpc("net", { cidrBlock: "10.1.0.0/16", enableDnsSupport: true, tags });
const vpcId = net.id;
const gateway = new InternetGateway("net", { vpcId });
const routes = new RouteTable("net", { vpcId });
const subnet = new Subnet("net", {
  vpcId,
  cidrBlock: "10.1.1.0/24",
  availabilityZone: "eu-central-1b",
});
const everywhere = { destinationCidrBlock: "0.0.0.0/0", gatewayId: gateway.id };
new Route("net", { routeTableId: routes.id, ...everywhere });
new RouteTableAssociation("net", { routeTableId: routes.id, subnetId: subnet.id });

const group = new SecurityGroup("mail", { vpcId, description: "Mail" });
const securityGroupId = group.id;
new SecurityGroupIngressRule("smtp", {
  securityGroupId,
  ipProtocol: "tcp",
  cidrIpv4: config.get("allowed") ?? "0.0.0.0/0",
  fromPort: 25,
  toPort: 25,
});
new SecurityGroupEgressRule("all", { securityGroupId, ipProtocol: "-1", cidrIpv4: "0.0.0.0/0" });

const card = new NetworkInterface("card", {
  subnetId: subnet.id,
  securityGroups: [securityGroupId],
  privateIpsCount: 1,
});
const eip = new Eip("in", { domain: "vpc", tags });
const domainName = "in.small.test";
const record = new DnsRecord("in", {
  zoneId: config.require("zoneId"),
  name: domainName,
  type: "A",
  content: eip.publicIp,
  ttl: 60,
  proxied: false,
});
new EipDomainName("in", { allocationId: eip.allocationId, domainName }, { dependsOn: [record] });
const second = card.privateIps.apply((all) => all[1] ?? "");
new EipAssociation("in", {
  allocationId: eip.allocationId,
  networkInterfaceId: card.id,
  privateIpAddress: second,
});

const Version = "2012-10-17";
const Principal = { Service: "ec2.amazonaws.com" };
const trust = { Effect: "Allow", Action: "sts:AssumeRole", Principal };
const may = { Effect: "Allow", Action: "dynamodb:Query", Resource: "*" };
const role = new Role("host", {
  assumeRolePolicy: JSON.stringify({ Version, Statement: [trust] }),
});
new RolePolicy("host", {
  role: role.name,
  policy: JSON.stringify({ Version, Statement: [may] }),
});
const profile = new InstanceProfile("host", { role: role.name });

const queue = new Volume("queue", {
  availabilityZone: subnet.availabilityZone,
  encrypted: true,
  finalSnapshot: true,
  size: 8,
  type: "gp3",
});
const host = new Instance(
  "host",
  {
    ami: image.id,
    instanceType: "t4g.small",
    primaryNetworkInterface: { networkInterfaceId: card.id },
    iamInstanceProfile: profile.name,
    metadataOptions: { httpTokens: "required", httpPutResponseHopLimit: 1 },
    rootBlockDevice: { encrypted: true, volumeType: "gp3", volumeSize: 12 },
    userData: config.get("userData") ?? "#!/bin/sh\n",
    userDataReplaceOnChange: true,
    tags,
  },
  { deleteBeforeReplace: true },
);
new VolumeAttachment(
  "queue",
  {
    deviceName: "/dev/sdf",
    instanceId: host.id,
    volumeId: queue.id,
    stopInstanceBeforeDetaching: true,
  },
  { deleteBeforeReplace: true },
);

const key = new Key("key", {
  description: "Secrets",
  deletionWindowInDays: 7,
  enableKeyRotation: true,
});
const table = new Table("routes", {
  billingMode: "PAY_PER_REQUEST",
  hashKey: "pk",
  rangeKey: "sk",
  attributes: [
    { name: "pk", type: "S" },
    { name: "sk", type: "S" },
    { name: "sequence", type: "N" },
  ],
  globalSecondaryIndexes: [
    {
      name: "changes",
      keySchemas: [
        { attributeName: "pk", keyType: "HASH" },
        { attributeName: "sequence", keyType: "RANGE" },
      ],
      projectionType: "ALL",
    },
  ],
  pointInTimeRecovery: { enabled: true },
});

const { bucket, arn: bucketArn } = new Bucket("bundle", {
  bucketPrefix: "small-",
  forceDestroy: true,
});
const versionsKept = { status: "Enabled" };
const versions = new BucketVersioning("bundle", { bucket, versioningConfiguration: versionsKept });
new BucketPublicAccessBlock("bundle", { bucket, blockPublicAcls: true });
const object = new BucketObjectv2(
  "bundle",
  { bucket, key: "agent", source: new FileAsset("Pulumi.yaml") },
  { dependsOn: [versions] },
);

const logs = new LogGroup("logs", { retentionInDays: 30 });
const topic = new Topic("alarms", {});
const endpoint = "operations@small.test";
new TopicSubscription("alarms", { topic: topic.arn, protocol: "email", endpoint });
new MetricAlarm("age", {
  namespace: "mxhero",
  metricName: "QueueAge",
  statistic: "Maximum",
  period: 60,
  evaluationPeriods: 5,
  threshold: 900,
  comparisonOperator: "GreaterThanThreshold",
  alarmActions: [topic.arn],
});

const elasticIps = { serviceCode: "ec2", quotaCode: "L-0263D0A3" };

export const hostId = host.id;
export const volumeId = queue.id;
export const publicIp = eip.publicIp;
export const relayAddress = second;
export const arns = [key.arn, table.arn, bucketArn, logs.arn];
export const version = object.versionId;
export const account = (await getCallerIdentity()).accountId;
export const quota = (await getServiceQuota(elasticIps)).value;
