/** What a slot may do on AWS: the policy of the slots' role. */
import { RolePolicy } from "@pulumi/aws/iam/rolePolicy.js";
import type { ComponentResourceOptions, Input } from "@pulumi/pulumi";
import { all } from "@pulumi/pulumi/output.js";
import { ComponentResource } from "@pulumi/pulumi/resource.js";
import type { GatewayPlan } from "../config/gateway-plan.ts";
import { slotPolicy } from "../config/gateway-policies.ts";
import type { GatewayBundle } from "./gateway-bundle.ts";
import type { Account, GatewayStore } from "./gateway-store.ts";

export interface GatewayRoleArgs {
  readonly plan: GatewayPlan;
  readonly account: Account;
  readonly store: GatewayStore;
  readonly bundle: GatewayBundle;
  readonly logGroupArn: Input<string>;
}

export class GatewayRole extends ComponentResource {
  constructor(name: string, args: GatewayRoleArgs, options?: ComponentResourceOptions) {
    super("mxhero:gateway:GatewayRole", name, {}, options);
    const { plan, account, store, bundle, logGroupArn } = args;
    const { secretPrefix, config } = plan;
    const { partition, id } = account;
    const place = { partition, account: id, region: config.region, secretPrefix };
    const arns = all([store.tableArn, bundle.bucketArn, store.keyArn, logGroupArn]);
    const policy = arns.apply(([tableArn, bucketArn, keyArn, logGroup]) =>
      JSON.stringify(
        slotPolicy({
          ...place,
          tableArn,
          bucketArn,
          keyArn,
          bundleKey: bundle.key,
          logGroupArn: logGroup,
        }),
      ),
    );
    new RolePolicy(name, { name: "slot", role: store.role, policy }, { parent: this });
    this.registerOutputs({});
  }
}
