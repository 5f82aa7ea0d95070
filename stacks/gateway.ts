/** The program of a gateway's stack: a fleet of slots on AWS, with its names at Cloudflare. */
import { RunError } from "@pulumi/pulumi/errors.js";
import { Gateway } from "../components/gateway.ts";
import { planGateway } from "../config/gateway-plan.ts";
import { quotaFaults } from "../config/gateway-quotas.ts";
import { readGatewayConfig } from "../config/read-gateway.ts";
import { userDataFaults } from "../config/slot-user-data.ts";
import { ConfigurationError, type StackConfiguration } from "../config/stack-configuration.ts";
import { accountUse, findAccount, findImage, findSubnets } from "./aws-account.ts";
import { bundleFile } from "./bundle-file.ts";

/** The stack's outputs. Every fault that can be seen is reported before the first resource exists. */
export async function gateway(stack: StackConfiguration) {
  try {
    return await build(stack);
  } catch (error) {
    if (error instanceof ConfigurationError) throw new RunError(error.message);
    throw error;
  }
}

async function build(stack: StackConfiguration) {
  const config = readGatewayConfig(stack);
  const plan = planGateway(config);
  const { instanceType, architecture, region } = config;
  const use = await accountUse(config.name, instanceType);
  const need = {
    region,
    instanceType,
    architecture,
    pool: 2 * plan.pool.length,
    slots: plan.slots.length,
  };
  const faults = [...userDataFaults(plan), ...quotaFaults(need, use)];
  if (faults.length > 0) throw new ConfigurationError(stack.file, "gateway:", faults);

  const [account, image, subnets, bundle] = await Promise.all([
    findAccount(),
    findImage(plan.image),
    findSubnets(plan.network),
    bundleFile(architecture),
  ]);
  // The name is a part of every resource's name, so it never follows the fleet's.
  const { routeStore, addresses } = new Gateway("gateway", {
    plan,
    account,
    image,
    subnets,
    bundle,
  });
  const { smtpIn, smtpRelay, smtp, spf } = plan.hosts;
  return {
    mx: [{ exchange: smtpIn, preference: 10 }],
    smtpIn,
    smtpRelay,
    smtp,
    spfInclude: spf,
    routeStore,
    slots: plan.slots.map(({ slot }) => slot),
    addresses,
    ...(config.fixIt !== undefined && { fixIt: config.fixIt }),
  };
}
