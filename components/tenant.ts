/** One organisation with its mail domains. */
import type { ComponentResourceOptions } from "@pulumi/pulumi";
import { ComponentResource } from "@pulumi/pulumi/resource.js";
import type { TenantPlan } from "../config/tenant-plan.ts";
import { type DomainReport, type StepsReport, TenantDomain } from "./tenant-domain.ts";

export interface TenantArgs {
  /** What `planTenant` decided. */
  readonly plan: TenantPlan;
}

export class Tenant extends ComponentResource {
  readonly organisation: string;
  /** By domain, in A-labels. */
  readonly domains: Readonly<Record<string, DomainReport>>;
  /** What a person has to do, by domain, too. */
  readonly steps: Readonly<Record<string, StepsReport>>;

  constructor(name: string, { plan }: TenantArgs, options?: ComponentResourceOptions) {
    super("mxhero:tenant:Tenant", name, {}, options);
    const domains = plan.domains.map((domain) => {
      const component = new TenantDomain(
        `${name}-${domain.name}`,
        { plan: domain },
        { parent: this },
      );
      return [domain.name, component] as const;
    });
    this.organisation = plan.organisation;
    this.domains = Object.fromEntries(domains.map(([key, { report }]) => [key, report]));
    this.steps = Object.fromEntries(domains.map(([key, { steps }]) => [key, steps]));
    this.registerOutputs({
      organisation: this.organisation,
      domains: this.domains,
      steps: this.steps,
    });
  }
}
