/** What the account on AWS says before a fleet is built in it. Reads only. */
import { getAmi } from "@pulumi/aws/ec2/getAmi.js";
import { getEips } from "@pulumi/aws/ec2/getEips.js";
import { getInstance } from "@pulumi/aws/ec2/getInstance.js";
import { getInstances } from "@pulumi/aws/ec2/getInstances.js";
import { getInstanceType } from "@pulumi/aws/ec2/getInstanceType.js";
import { getSubnet } from "@pulumi/aws/ec2/getSubnet.js";
import { getCallerIdentity } from "@pulumi/aws/getCallerIdentity.js";
import { getPartition } from "@pulumi/aws/getPartition.js";
import { getServiceQuota } from "@pulumi/aws/servicequotas/getServiceQuota.js";
import type { GivenSubnet } from "../components/gateway-network.ts";
import type { Account } from "../components/gateway-store.ts";
import type { GatewayPlan, NetworkPlan } from "../config/gateway-plan.ts";
import { type AccountUse, ELASTIC_IPS, isStandard, VCPUS } from "../config/gateway-quotas.ts";

export async function findAccount(): Promise<Account> {
  const [{ accountId }, { partition }] = await Promise.all([
    getCallerIdentity({}),
    getPartition({}),
  ]);
  return { partition, id: accountId };
}

/** The id of the image, which is another one in each region. */
export async function findImage({ owner, name }: GatewayPlan["image"]): Promise<string> {
  const filters = [{ name: "name", values: [name] }];
  const { id } = await getAmi({ owners: [owner], filters });
  return id;
}

export async function findSubnets(network: NetworkPlan): Promise<GivenSubnet[]> {
  if (network.kind === "own") return [];
  return Promise.all(
    network.subnets.map(async (id) => {
      const { availabilityZone, vpcId } = await getSubnet({ id });
      return { id, availabilityZone, vpcId };
    }),
  );
}

/** The quotas, and what is used of them beside the fleet of this name. */
export async function accountUse(gateway: string, instanceType: string): Promise<AccountUse> {
  const own = { filters: [{ name: "tag:mxhero:gateway", values: [gateway] }] };
  const running = { instanceStateNames: ["pending", "running"] };
  const [ips, ownIps, instances, ownInstances, ipQuota, vcpuQuota, type] = await Promise.all([
    getEips({}),
    getEips(own),
    getInstances(running),
    getInstances({ ...running, ...own }),
    getServiceQuota({ serviceCode: "ec2", quotaCode: ELASTIC_IPS.code }),
    getServiceQuota({ serviceCode: "ec2", quotaCode: VCPUS.code }),
    getInstanceType({ instanceType }),
  ]);
  const others = instances.ids.filter((id) => !ownInstances.ids.includes(id));
  return {
    elasticIps: {
      quota: ipQuota.value,
      others: ips.allocationIds.length - ownIps.allocationIds.length,
    },
    vcpus: { quota: vcpuQuota.value, others: await vcpusOf(others) },
    instanceType: { vcpus: type.defaultVcpus, architectures: type.supportedArchitectures },
  };
}

/** The vCPUs of these instances that count on the quota of the standard families. */
async function vcpusOf(ids: readonly string[]): Promise<number> {
  const instances = await Promise.all(ids.map((instanceId) => getInstance({ instanceId })));
  const types = instances.map(({ instanceType }) => instanceType).filter(isStandard);
  const sizes = await Promise.all(
    [...new Set(types)].map(async (instanceType) => {
      const { defaultVcpus } = await getInstanceType({ instanceType });
      return defaultVcpus * types.filter((type) => type === instanceType).length;
    }),
  );
  return sizes.reduce((sum, vcpus) => sum + vcpus, 0);
}
