/** One domain of a tenant: its SPF record and its MX, and what became of its mail path. */
import type { ComponentResourceOptions, Output } from "@pulumi/pulumi";
import { all, output } from "@pulumi/pulumi/output.js";
import { ComponentResource } from "@pulumi/pulumi/resource.js";
import { inboundByBorder, inboundWithoutMx, outboundPath } from "../config/mail-path.ts";
import type { DomainPlan, SpfPlan, TakeoverPlan } from "../config/tenant-plan.ts";
import { MxTakeover, type MxTargetOutput, SpfInclude } from "../provider/sdk.ts";

export interface TenantDomainArgs {
  readonly plan: DomainPlan;
}

/** The way of the mail in words. */
export interface PathReport {
  readonly before: Output<string>;
  readonly after: Output<string>;
}

/** What a stack's outputs say of a domain. Parts that are not touched are absent. */
export interface DomainReport {
  readonly name: string;
  readonly inbound: string;
  readonly outbound: string;
  readonly server: string;
  readonly bypass: boolean;
  readonly inboundPath: PathReport;
  readonly outboundPath: PathReport;
  readonly mx?: {
    readonly before: Output<MxTargetOutput[]>;
    readonly after: Output<MxTargetOutput[]>;
  };
  readonly spf?: {
    readonly before: Output<string>;
    readonly after: Output<string>;
    readonly lookups: Output<number>;
    readonly lookupsByTerm: Output<string>;
  };
}

/**
 * SPF is edited before the MX moves. Pulumi deletes in reverse: the MX is back before SPF loses its term.
 */
export class TenantDomain extends ComponentResource {
  readonly report: DomainReport;

  constructor(name: string, { plan }: TenantDomainArgs, options?: ComponentResourceOptions) {
    super("mxhero:tenant:TenantDomain", name, {}, options);
    const spf = plan.spf && this.includeInSpf(name, plan.spf);
    const takeover = plan.takeover && this.takeOverMx(name, plan.takeover, spf);
    this.report = {
      name: plan.displayName,
      inbound: plan.config.inbound,
      outbound: plan.config.outbound,
      server: plan.config.server,
      bypass: plan.config.bypass,
      inboundPath: takeover ? borderPath(plan, takeover) : settled(inboundWithoutMx(plan)),
      outboundPath: settled(outboundPath(plan)),
      ...(takeover && { mx: { before: takeover.before, after: takeover.after } }),
      ...(spf && {
        spf: {
          before: spf.before,
          after: spf.after,
          lookups: spf.lookups,
          lookupsByTerm: spf.lookupsByTerm,
        },
      }),
    };
    this.registerOutputs({ report: this.report });
  }

  private includeInSpf(name: string, spf: SpfPlan): SpfInclude {
    return new SpfInclude(`${name}-spf`, spf, { parent: this });
  }

  private takeOverMx(
    name: string,
    takeover: TakeoverPlan,
    spf: SpfInclude | undefined,
  ): MxTakeover {
    const dependsOn = spf === undefined ? [] : [spf];
    return new MxTakeover(`${name}-mx`, takeover, { parent: this, dependsOn });
  }
}

function borderPath(plan: DomainPlan, { before, after }: MxTakeover): PathReport {
  const path = all([before, after]).apply(([old, now]) => {
    return inboundByBorder(plan, { before: old, after: now });
  });
  return { before: path.before, after: path.after };
}

function settled({ before, after }: { before: string; after: string }): PathReport {
  return { before: output(before), after: output(after) };
}
