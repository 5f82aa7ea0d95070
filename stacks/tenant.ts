/** The program of a tenant's stack: an organisation's domains onto the gateway, and off it on destroy. */
import { RunError } from "@pulumi/pulumi/errors.js";
import { Tenant } from "../components/tenant.ts";
import { readTenantConfig } from "../config/read-tenant.ts";
import { ConfigurationError, type StackConfiguration } from "../config/stack-configuration.ts";
import type { TenantConfig } from "../config/tenant.ts";
import { planTenant } from "../config/tenant-plan.ts";

/** The stack's outputs. Every fault of the configuration is reported before the first resource exists. */
export async function tenant(stack: StackConfiguration) {
  const plan = planTenant(await validConfig(stack));
  // The name is a part of every resource's name, so it never follows the organisation's.
  const { organisation, domains, steps } = new Tenant("tenant", { plan });
  return { organisation, domains, steps };
}

async function validConfig(stack: StackConfiguration): Promise<TenantConfig> {
  try {
    return await readTenantConfig(stack);
  } catch (error) {
    if (error instanceof ConfigurationError) throw new RunError(error.message);
    throw error;
  }
}
