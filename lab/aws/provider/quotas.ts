/**
 * Service quotas, of which the emulator has none.
 *
 * The values are AWS's defaults for a new account; `LAB_AWS_QUOTAS` replaces some, as JSON: `{"L-0263D0A3": 20}`.
 *
 * @see https://docs.aws.amazon.com/general/latest/gr/ec2-service.html#limits_ec2
 */
import { z } from "zod";

const DEFAULTS = {
  /** EC2-VPC Elastic IPs in a region. */
  "L-0263D0A3": 5,
  /** vCPUs of running on-demand standard instances in a region. */
  "L-1216C47A": 5,
} as const;

export const ELASTIC_IPS = "L-0263D0A3";

const overrides = z.record(z.string(), z.number());

/** @throws Error for a quota that the stand-in does not know */
export function quota(code: string): number {
  const set = overrides.parse(JSON.parse(process.env["LAB_AWS_QUOTAS"] ?? "{}"));
  const value = new Map(Object.entries({ ...DEFAULTS, ...set })).get(code);
  if (value === undefined) throw new Error(`The stand-in for AWS knows no quota ${code}.`);
  return value;
}
