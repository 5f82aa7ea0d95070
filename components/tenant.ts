/** One organisation with its mail domains. */
import type { ComponentResourceOptions } from "@pulumi/pulumi";
import { ComponentResource } from "@pulumi/pulumi/resource.js";
import type { TenantPlan } from "../config/tenant-plan.ts";
import { type DomainReport, TenantDomain } from "./tenant-domain.ts";

export interface TenantArgs {
  /** What `planTenant` decided. */
  readonly plan: TenantPlan;
}

export class Tenant extends ComponentResource {
  readonly organisation: string;
  /** By domain, in A-labels. */
  readonly domains: Readonly<Record<string, DomainReport>>;

  constructor(name: string, { plan }: TenantArgs, options?: ComponentResourceOptions) {
    super("mxhero:tenant:Tenant", name, {}, options);
    const domains = plan.domains.map((domain) => {
      const component = new TenantDomain(
        `${name}-${domain.name}`,
        { plan: domain },
        { parent: this },
      );
      return [domain.name, component.report] as const;
    });
    this.organisation = plan.organisation;
    this.domains = Object.fromEntries(domains);
    this.registerOutputs({ organisation: this.organisation, domains: this.domains });
  }
}
