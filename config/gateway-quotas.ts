/** Whether the account's quotas admit the fleet. Pure: what AWS answers comes in as values. */
import type { MailRuleFault } from "../mail/errors.ts";
import type { Architecture } from "./gateway.ts";

/** A quota of EC2 (Service Quotas: quota codes never change). */
export interface Quota {
  readonly code: string;
  readonly name: string;
}

export const ELASTIC_IPS: Quota = { code: "L-0263D0A3", name: "EC2-VPC Elastic IPs" };
export const VCPUS: Quota = {
  code: "L-1216C47A",
  name: "Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances",
};

/** What the account has, and what others use of it. */
export interface AccountUse {
  readonly elasticIps: { readonly quota: number; readonly others: number };
  readonly vcpus: { readonly quota: number; readonly others: number };
  readonly instanceType: {
    readonly vcpus: number;
    /** As EC2 calls them: `x86_64`, `arm64`. */
    readonly architectures: readonly string[];
  };
}

export interface FleetNeed {
  readonly region: string;
  /** Elastic IPs. */
  readonly pool: number;
  readonly slots: number;
  readonly instanceType: string;
  readonly architecture: Architecture;
}

export function quotaFaults(need: FleetNeed, use: AccountUse): MailRuleFault[] {
  const { region, pool, slots, instanceType, architecture } = need;
  const faults: MailRuleFault[] = [];
  const name = architecture === "x64" ? "x86_64" : "arm64";
  if (!use.instanceType.architectures.includes(name)) {
    faults.push({
      code: "instance-type-of-other-architecture",
      where: "instanceType",
      value: instanceType,
      problem: `"${instanceType}" is ${use.instanceType.architectures.join(" or ")}, and the architecture is ${architecture}.`,
      fix: "Write the other architecture, or another instance type.",
    });
  }
  const addresses = use.elasticIps.others + pool;
  if (addresses > use.elasticIps.quota) {
    faults.push(quotaFault("pool", ELASTIC_IPS, { region, needed: addresses, ...use.elasticIps }));
  }
  // A slot's former instance is terminated before the next one starts.
  const vcpus = use.vcpus.others + slots * use.instanceType.vcpus;
  if (isStandard(instanceType) && vcpus > use.vcpus.quota) {
    faults.push(quotaFault("slots", VCPUS, { region, needed: vcpus, ...use.vcpus }));
  }
  return faults;
}

/** Whether instances of the type count on the quota of the standard families. */
export function isStandard(instanceType: string): boolean {
  return /^[acdhimrtz]\d/.test(instanceType) && !/^(?:dl|hpc|inf|mac|trn)/.test(instanceType);
}

interface Shortage {
  readonly region: string;
  readonly needed: number;
  readonly quota: number;
  readonly others: number;
}

function quotaFault(
  where: string,
  { code, name }: Quota,
  { region, needed, quota, others }: Shortage,
): MailRuleFault {
  return {
    code: "quota-too-small",
    where,
    value: String(quota),
    problem: `The account's quota "${name}" in ${region} is ${quota}; others use ${others} of it, and with the fleet it must be ${needed}.`,
    fix: `Ask AWS for ${needed}: aws service-quotas request-service-quota-increase --region ${region} --service-code ec2 --quota-code ${code} --desired-value ${needed}`,
  };
}
