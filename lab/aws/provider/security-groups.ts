/** Security groups and their rules: `aws.ec2.SecurityGroup`, `aws.vpc.SecurityGroupIngressRule`, `…EgressRule`. */
import * as ec2Api from "@aws-sdk/client-ec2";
import { z } from "zod";
import { answered, orGone, standInKind } from "../../stand-in.ts";
import { ec2 } from "./clients.ts";
import { retag, tags, tagsOf } from "./tags.ts";

export const securityGroup = standInKind({
  type: "aws:ec2/securityGroup:SecurityGroup",
  inputs: z.strictObject({
    name: z.string().exactOptional(),
    description: z.string().exactOptional(),
    vpcId: z.string(),
    tags,
  }),
  replaceOn: ["name", "description", "vpcId"],
  computed: ["name", "description"],
  create: async ({ name, description = "Managed by Pulumi", vpcId, tags: own }, unique) => {
    const { GroupId } = await ec2().send(
      new ec2Api.CreateSecurityGroupCommand({
        GroupName: name ?? unique,
        Description: description,
        VpcId: vpcId,
      }),
    );
    const id = answered(GroupId, "GroupId");
    await revokeDefaultEgress(id);
    await retag(id, own);
    return id;
  },
  read: async (id) => {
    const found = await groupOf(id);
    if (found === undefined) return undefined;
    const { GroupName: name, Description: description, VpcId: vpcId, Tags } = found;
    return { inputs: { name, description, vpcId, tags: tagsOf(Tags) } };
  },
  update: (id, news, old) => retag(id, news.tags, old.tags),
  delete: async (id) => {
    await orGone(ec2().send(new ec2Api.DeleteSecurityGroupCommand({ GroupId: id })));
  },
});

/** AWS lets a new group send everything; the real provider takes that out. */
async function revokeDefaultEgress(id: string): Promise<void> {
  const IpPermissions = (await groupOf(id))?.IpPermissionsEgress ?? [];
  if (IpPermissions.length === 0) return;
  await ec2().send(new ec2Api.RevokeSecurityGroupEgressCommand({ GroupId: id, IpPermissions }));
}

async function groupOf(id: string): Promise<ec2Api.SecurityGroup | undefined> {
  const asked = new ec2Api.DescribeSecurityGroupsCommand({ GroupIds: [id] });
  return (await orGone(ec2().send(asked)))?.SecurityGroups?.[0];
}

const rule = z.strictObject({
  securityGroupId: z.string(),
  ipProtocol: z.string(),
  cidrIpv4: z.string(),
  fromPort: z.number().exactOptional(),
  toPort: z.number().exactOptional(),
  description: z.string().exactOptional(),
});
type Rule = z.output<typeof rule>;

export const ingressRule = ruleKind(
  "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
  async (request) =>
    (await ec2().send(new ec2Api.AuthorizeSecurityGroupIngressCommand(request))).SecurityGroupRules,
  async (request) => {
    await ec2().send(new ec2Api.RevokeSecurityGroupIngressCommand(request));
  },
);

export const egressRule = ruleKind(
  "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule",
  async (request) =>
    (await ec2().send(new ec2Api.AuthorizeSecurityGroupEgressCommand(request))).SecurityGroupRules,
  async (request) => {
    await ec2().send(new ec2Api.RevokeSecurityGroupEgressCommand(request));
  },
);

function ruleKind(
  type: string,
  authorize: (request: {
    GroupId: string;
    IpPermissions: ec2Api.IpPermission[];
  }) => Promise<ec2Api.SecurityGroupRule[] | undefined>,
  revoke: (request: { GroupId: string; SecurityGroupRuleIds: string[] }) => Promise<void>,
) {
  return standInKind<Rule>({
    type,
    inputs: rule,
    replaceOn: ["securityGroupId"],
    create: async (inputs) => {
      const IpPermissions = [permission(inputs)];
      const made = await authorize({ GroupId: inputs.securityGroupId, IpPermissions });
      return answered(made?.[0]?.SecurityGroupRuleId, "SecurityGroupRuleId");
    },
    read: async (id) => {
      const asked = new ec2Api.DescribeSecurityGroupRulesCommand({ SecurityGroupRuleIds: [id] });
      const found = (await orGone(ec2().send(asked)))?.SecurityGroupRules?.[0];
      if (found === undefined) return undefined;
      const { IpProtocol: ipProtocol, CidrIpv4: cidrIpv4, FromPort, ToPort } = found;
      const all = ipProtocol === "-1";
      const ports = all ? {} : { fromPort: FromPort, toPort: ToPort };
      return { inputs: { ipProtocol, cidrIpv4, ...ports } };
    },
    update: async (id, news) => {
      const { CidrIpv4, IpProtocol, FromPort, ToPort } = describe(news);
      const SecurityGroupRule = { CidrIpv4, IpProtocol, FromPort, ToPort };
      await ec2().send(
        new ec2Api.ModifySecurityGroupRulesCommand({
          GroupId: news.securityGroupId,
          SecurityGroupRules: [{ SecurityGroupRuleId: id, SecurityGroupRule }],
        }),
      );
    },
    delete: async (id, { securityGroupId }) => {
      await orGone(revoke({ GroupId: securityGroupId, SecurityGroupRuleIds: [id] }));
    },
  });
}

function describe({ ipProtocol, cidrIpv4, fromPort, toPort, description }: Rule) {
  return {
    IpProtocol: ipProtocol,
    CidrIpv4: cidrIpv4,
    FromPort: fromPort,
    ToPort: toPort,
    Description: description,
  };
}

function permission(inputs: Rule): ec2Api.IpPermission {
  const { IpProtocol, FromPort, ToPort, CidrIpv4: CidrIp, Description } = describe(inputs);
  return { IpProtocol, FromPort, ToPort, IpRanges: [{ CidrIp, Description }] };
}
