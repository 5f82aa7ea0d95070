import { expect, test } from "vitest";
import { type AccountUse, isStandard, quotaFaults } from "./gateway-quotas.ts";

const need = {
  region: "eu-central-1",
  pool: 4,
  slots: 2,
  instanceType: "t4g.small",
  architecture: "arm64",
} as const;

const roomy: AccountUse = {
  elasticIps: { quota: 5, others: 1 },
  vcpus: { quota: 5, others: 1 },
  instanceType: { vcpus: 2, architectures: ["arm64"] },
};

test("a fleet that fills the quotas to the last is admitted", () => {
  expect(quotaFaults(need, roomy)).toEqual([]);
});

test("what is missing is told with the request for it", () => {
  const use = {
    ...roomy,
    elasticIps: { quota: 5, others: 2 },
    vcpus: { quota: 5, others: 2 },
  };
  const [addresses, vcpus, ...more] = quotaFaults(need, use);
  expect(more).toEqual([]);
  expect(addresses).toMatchObject({ code: "quota-too-small", where: "pool", value: "5" });
  expect(addresses?.problem).toContain("others use 2 of it, and with the fleet it must be 6");
  expect(addresses?.fix).toContain("--quota-code L-0263D0A3 --desired-value 6");
  expect(vcpus).toMatchObject({ code: "quota-too-small", where: "slots" });
  expect(vcpus?.fix).toContain("--quota-code L-1216C47A --desired-value 6");
});

test("an instance type that is not of the architecture is refused", () => {
  const use = { ...roomy, instanceType: { vcpus: 2, architectures: ["x86_64"] } };
  expect(quotaFaults(need, use)).toMatchObject([{ code: "instance-type-of-other-architecture" }]);
});

// The families are those in the quota's own name.
test.each([
  ["t4g.small", true],
  ["m7i.large", true],
  ["c7gn.large", true],
  ["z1d.large", true],
  ["g5.xlarge", false],
  ["p4d.24xlarge", false],
  ["inf2.xlarge", false],
  ["trn1.2xlarge", false],
  ["mac2.metal", false],
  ["hpc7g.4xlarge", false],
])("%s counts on the standard quota: %s", (type, counts) => {
  expect(isStandard(type)).toBe(counts);
});
