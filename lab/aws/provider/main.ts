/**
 * The stand-in for the `aws` provider: the resource types and functions that the gateway's stack uses, made
 * by calling AWS's API at the endpoint of the environment. Other types and properties are errors.
 */
import { z } from "zod";
import type { Functions } from "../../../provider/protocol/functions.ts";
import type { Kinds } from "../../../provider/protocol/resource-calls.ts";
import { serve } from "../../../provider/protocol/server.ts";
import { readSettings } from "../../../provider/settings.ts";
import { packageVersion } from "../../plugins.ts";
import { setRegion } from "./clients.ts";

const kinds: Kinds = {
  "aws:ec2/vpc:Vpc": async () => (await import("./network.ts")).vpc,
  "aws:ec2/subnet:Subnet": async () => (await import("./network.ts")).subnet,
  "aws:ec2/internetGateway:InternetGateway": async () =>
    (await import("./network.ts")).internetGateway,
  "aws:ec2/routeTable:RouteTable": async () => (await import("./network.ts")).routeTable,
  "aws:ec2/route:Route": async () => (await import("./network.ts")).route,
  "aws:ec2/routeTableAssociation:RouteTableAssociation": async () =>
    (await import("./network.ts")).routeTableAssociation,
  "aws:ec2/securityGroup:SecurityGroup": async () =>
    (await import("./security-groups.ts")).securityGroup,
  "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": async () =>
    (await import("./security-groups.ts")).ingressRule,
  "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": async () =>
    (await import("./security-groups.ts")).egressRule,
  "aws:ec2/networkInterface:NetworkInterface": async () =>
    (await import("./network-interface.ts")).networkInterface,
  "aws:ec2/eip:Eip": async () => (await import("./addresses.ts")).eip,
  "aws:ec2/eipAssociation:EipAssociation": async () =>
    (await import("./addresses.ts")).eipAssociation,
  "aws:ec2/eipDomainName:EipDomainName": async () => (await import("./addresses.ts")).eipDomainName,
  "aws:ebs/volume:Volume": async () => (await import("./volume.ts")).volume,
  "aws:ec2/volumeAttachment:VolumeAttachment": async () =>
    (await import("./volume.ts")).volumeAttachment,
  "aws:ec2/instance:Instance": async () => (await import("./instance.ts")).instance,
  "aws:iam/role:Role": async () => (await import("./iam.ts")).role,
  "aws:iam/rolePolicy:RolePolicy": async () => (await import("./iam.ts")).rolePolicy,
  "aws:iam/instanceProfile:InstanceProfile": async () => (await import("./iam.ts")).instanceProfile,
  "aws:kms/key:Key": async () => (await import("./kms.ts")).key,
  "aws:dynamodb/table:Table": async () => (await import("./dynamodb.ts")).table,
  "aws:s3/bucket:Bucket": async () => (await import("./s3.ts")).bucket,
  "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": async () =>
    (await import("./s3.ts")).bucketPublicAccessBlock,
  "aws:s3/bucketVersioning:BucketVersioning": async () =>
    (await import("./s3.ts")).bucketVersioning,
  "aws:s3/bucketObjectv2:BucketObjectv2": async () => (await import("./s3-object.ts")).bucketObject,
  "aws:cloudwatch/logGroup:LogGroup": async () => (await import("./watching.ts")).logGroup,
  "aws:cloudwatch/metricAlarm:MetricAlarm": async () => (await import("./watching.ts")).metricAlarm,
  "aws:sns/topic:Topic": async () => (await import("./watching.ts")).topic,
  "aws:sns/topicSubscription:TopicSubscription": async () =>
    (await import("./watching.ts")).topicSubscription,
};

const load = () => import("./functions.ts");
const functions: Functions = {
  "aws:index/getCallerIdentity:getCallerIdentity": async () => (await load()).getCallerIdentity,
  "aws:index/getPartition:getPartition": async () => (await load()).getPartition,
  "aws:index/getRegion:getRegion": async () => (await load()).getRegion,
  "aws:index/getAvailabilityZones:getAvailabilityZones": async () =>
    (await load()).getAvailabilityZones,
  "aws:ec2/getAmi:getAmi": async () => (await load()).getAmi,
  "aws:ec2/getInstanceType:getInstanceType": async () => (await load()).getInstanceType,
  "aws:servicequotas/getServiceQuota:getServiceQuota": async () => (await load()).getServiceQuota,
  "aws:ec2/getEips:getEips": async () => (await load()).getEips,
  "aws:ec2/getInstances:getInstances": async () => (await load()).getInstances,
  "aws:ec2/getInstance:getInstance": async () => (await load()).getInstance,
  "aws:ec2/getSubnet:getSubnet": async () => (await load()).getSubnet,
};

const schema = z.strictObject({ region: z.string() });

await serve({
  name: "aws",
  version: packageVersion("@pulumi/aws"),
  kinds,
  functions,
  configuration: {
    schema,
    read: (configured) => {
      setRegion(schema.parse(configured).region);
      return readSettings({});
    },
  },
});
