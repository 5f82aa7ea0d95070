/** Networks: `aws.ec2.Vpc`, `Subnet`, `InternetGateway`, `RouteTable`, `Route`, `RouteTableAssociation`. */
import * as ec2Api from "@aws-sdk/client-ec2";
import { z } from "zod";
import { answered, orGone, standInKind } from "../../stand-in.ts";
import { ec2 } from "./clients.ts";
import { retag, tags, tagsOf } from "./tags.ts";

export const vpc = standInKind({
  type: "aws:ec2/vpc:Vpc",
  inputs: z.strictObject({
    cidrBlock: z.string(),
    enableDnsHostnames: z.boolean().exactOptional(),
    enableDnsSupport: z.boolean().exactOptional(),
    tags,
  }),
  replaceOn: ["cidrBlock"],
  create: async (inputs) => {
    const { Vpc } = await ec2().send(new ec2Api.CreateVpcCommand({ CidrBlock: inputs.cidrBlock }));
    const id = answered(Vpc?.VpcId, "VpcId");
    await setDns(id, inputs);
    await retag(id, inputs.tags);
    return id;
  },
  read: async (id) => {
    const answer = await orGone(ec2().send(new ec2Api.DescribeVpcsCommand({ VpcIds: [id] })));
    const found = answer?.Vpcs?.[0];
    return found && { inputs: { cidrBlock: found.CidrBlock, tags: tagsOf(found.Tags) } };
  },
  update: async (id, news, old) => {
    await setDns(id, news);
    await retag(id, news.tags, old.tags);
  },
  delete: async (id) => {
    await orGone(ec2().send(new ec2Api.DeleteVpcCommand({ VpcId: id })));
  },
});

/** One attribute a call: that is how the API has it. */
async function setDns(
  VpcId: string,
  dns: { enableDnsHostnames?: boolean; enableDnsSupport?: boolean },
): Promise<void> {
  const { enableDnsHostnames: hostnames, enableDnsSupport: support } = dns;
  if (support !== undefined) {
    const EnableDnsSupport = { Value: support };
    await ec2().send(new ec2Api.ModifyVpcAttributeCommand({ VpcId, EnableDnsSupport }));
  }
  if (hostnames !== undefined) {
    const EnableDnsHostnames = { Value: hostnames };
    await ec2().send(new ec2Api.ModifyVpcAttributeCommand({ VpcId, EnableDnsHostnames }));
  }
}

export const subnet = standInKind({
  type: "aws:ec2/subnet:Subnet",
  inputs: z.strictObject({
    vpcId: z.string(),
    cidrBlock: z.string(),
    availabilityZone: z.string().exactOptional(),
    tags,
  }),
  replaceOn: ["vpcId", "cidrBlock", "availabilityZone"],
  computed: ["availabilityZone"],
  create: async ({ vpcId, cidrBlock, availabilityZone, tags: own }) => {
    const { Subnet } = await ec2().send(
      new ec2Api.CreateSubnetCommand({
        VpcId: vpcId,
        CidrBlock: cidrBlock,
        AvailabilityZone: availabilityZone,
      }),
    );
    const id = answered(Subnet?.SubnetId, "SubnetId");
    await retag(id, own);
    return id;
  },
  read: async (id) => {
    const answer = await orGone(ec2().send(new ec2Api.DescribeSubnetsCommand({ SubnetIds: [id] })));
    const found = answer?.Subnets?.[0];
    if (found === undefined) return undefined;
    const { CidrBlock: cidrBlock, AvailabilityZone: availabilityZone, Tags } = found;
    return { inputs: { cidrBlock, availabilityZone, tags: tagsOf(Tags) } };
  },
  update: (id, news, old) => retag(id, news.tags, old.tags),
  delete: async (id) => {
    await orGone(ec2().send(new ec2Api.DeleteSubnetCommand({ SubnetId: id })));
  },
});

export const internetGateway = standInKind({
  type: "aws:ec2/internetGateway:InternetGateway",
  inputs: z.strictObject({ vpcId: z.string(), tags }),
  replaceOn: ["vpcId"],
  create: async ({ vpcId, tags: own }) => {
    const { InternetGateway } = await ec2().send(new ec2Api.CreateInternetGatewayCommand({}));
    const id = answered(InternetGateway?.InternetGatewayId, "InternetGatewayId");
    await ec2().send(
      new ec2Api.AttachInternetGatewayCommand({ InternetGatewayId: id, VpcId: vpcId }),
    );
    await retag(id, own);
    return id;
  },
  read: async (id) => {
    const asked = new ec2Api.DescribeInternetGatewaysCommand({ InternetGatewayIds: [id] });
    const found = (await orGone(ec2().send(asked)))?.InternetGateways?.[0];
    return found && { inputs: { tags: tagsOf(found.Tags) } };
  },
  update: (id, news, old) => retag(id, news.tags, old.tags),
  delete: async (id, { vpcId }) => {
    const request = { InternetGatewayId: id };
    await orGone(ec2().send(new ec2Api.DetachInternetGatewayCommand({ ...request, VpcId: vpcId })));
    await orGone(ec2().send(new ec2Api.DeleteInternetGatewayCommand(request)));
  },
});

export const routeTable = standInKind({
  type: "aws:ec2/routeTable:RouteTable",
  inputs: z.strictObject({ vpcId: z.string(), tags }),
  replaceOn: ["vpcId"],
  create: async ({ vpcId, tags: own }) => {
    const { RouteTable } = await ec2().send(new ec2Api.CreateRouteTableCommand({ VpcId: vpcId }));
    const id = answered(RouteTable?.RouteTableId, "RouteTableId");
    await retag(id, own);
    return id;
  },
  read: async (id) => {
    const found = await tableOf(id);
    return found && { inputs: { vpcId: found.VpcId, tags: tagsOf(found.Tags) } };
  },
  update: (id, news, old) => retag(id, news.tags, old.tags),
  delete: async (id) => {
    await orGone(ec2().send(new ec2Api.DeleteRouteTableCommand({ RouteTableId: id })));
  },
});

export const route = standInKind({
  type: "aws:ec2/route:Route",
  inputs: z.strictObject({
    routeTableId: z.string(),
    destinationCidrBlock: z.string(),
    gatewayId: z.string(),
  }),
  replaceOn: ["routeTableId", "destinationCidrBlock"],
  create: async ({ routeTableId, destinationCidrBlock, gatewayId }) => {
    await ec2().send(
      new ec2Api.CreateRouteCommand({
        RouteTableId: routeTableId,
        DestinationCidrBlock: destinationCidrBlock,
        GatewayId: gatewayId,
      }),
    );
    return `r-${routeTableId}-${destinationCidrBlock}`;
  },
  read: async (_id, { routeTableId, destinationCidrBlock }) => {
    const routes = (await tableOf(routeTableId))?.Routes ?? [];
    const found = routes.find((one) => one.DestinationCidrBlock === destinationCidrBlock);
    return found && { inputs: { gatewayId: found.GatewayId } };
  },
  update: async (_id, { routeTableId, destinationCidrBlock, gatewayId }) => {
    await ec2().send(
      new ec2Api.ReplaceRouteCommand({
        RouteTableId: routeTableId,
        DestinationCidrBlock: destinationCidrBlock,
        GatewayId: gatewayId,
      }),
    );
  },
  delete: async (_id, { routeTableId, destinationCidrBlock }) => {
    const request = { RouteTableId: routeTableId, DestinationCidrBlock: destinationCidrBlock };
    await orGone(ec2().send(new ec2Api.DeleteRouteCommand(request)));
  },
});

export const routeTableAssociation = standInKind({
  type: "aws:ec2/routeTableAssociation:RouteTableAssociation",
  inputs: z.strictObject({ routeTableId: z.string(), subnetId: z.string() }),
  replaceOn: ["subnetId"],
  create: async ({ routeTableId, subnetId }) => {
    const { AssociationId } = await ec2().send(
      new ec2Api.AssociateRouteTableCommand({ RouteTableId: routeTableId, SubnetId: subnetId }),
    );
    return answered(AssociationId, "AssociationId");
  },
  read: async (id, { routeTableId }) => {
    const associations = (await tableOf(routeTableId))?.Associations ?? [];
    const found = associations.find((one) => one.RouteTableAssociationId === id);
    return found && { inputs: { subnetId: found.SubnetId } };
  },
  delete: async (id) => {
    await orGone(ec2().send(new ec2Api.DisassociateRouteTableCommand({ AssociationId: id })));
  },
});

async function tableOf(id: string): Promise<ec2Api.RouteTable | undefined> {
  const asked = new ec2Api.DescribeRouteTablesCommand({ RouteTableIds: [id] });
  return (await orGone(ec2().send(asked)))?.RouteTables?.[0];
}
