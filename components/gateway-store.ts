/** What a fleet keeps: the table of routes, the key of the secrets, and who may use both. */
import { Table } from "@pulumi/aws/dynamodb/table.js";
import { InstanceProfile } from "@pulumi/aws/iam/instanceProfile.js";
import { Role } from "@pulumi/aws/iam/role.js";
import { Key } from "@pulumi/aws/kms/key.js";
import type { ComponentResourceOptions, Output } from "@pulumi/pulumi";
import { ComponentResource } from "@pulumi/pulumi/resource.js";
import type { GatewayPlan } from "../config/gateway-plan.ts";
import { keyPolicy, trustPolicy } from "../config/gateway-policies.ts";

/** The AWS account that the stack is built in. */
export interface Account {
  /** `aws`, `aws-cn`, `aws-us-gov`. */
  readonly partition: string;
  readonly id: string;
}

export interface GatewayStoreArgs {
  readonly plan: GatewayPlan;
  readonly account: Account;
}

export class GatewayStore extends ComponentResource {
  readonly table: Output<string>;
  readonly tableArn: Output<string>;
  readonly keyId: Output<string>;
  readonly keyArn: Output<string>;
  /** The slots' role. Its policy is the business of `GatewayRole`. */
  readonly role: Output<string>;
  readonly instanceProfile: Output<string>;

  constructor(name: string, args: GatewayStoreArgs, options?: ComponentResourceOptions) {
    super("mxhero:gateway:GatewayStore", name, {}, options);
    const { plan } = args;
    const table = this.#makeTable(name, plan);
    const role = this.#makeRole(name, plan);
    const key = this.#makeKey(name, args, role);
    this.table = table.name;
    this.tableArn = table.arn;
    this.keyId = key.keyId;
    this.keyArn = key.arn;
    this.role = role.name;
    this.instanceProfile = new InstanceProfile(
      name,
      { name: plan.table, role: role.name },
      { parent: this },
    ).name;
    this.registerOutputs({ table: this.table, keyId: this.keyId });
  }

  #makeTable(name: string, { table, tags, config }: GatewayPlan): Table {
    return new Table(
      name,
      {
        name: table,
        billingMode: "PAY_PER_REQUEST",
        hashKey: "pk",
        rangeKey: "sk",
        attributes: [
          { name: "pk", type: "S" },
          { name: "sk", type: "S" },
          { name: "changes", type: "S" },
          { name: "sequence", type: "N" },
        ],
        globalSecondaryIndexes: [
          {
            name: "changes",
            keySchemas: [
              { attributeName: "changes", keyType: "HASH" },
              { attributeName: "sequence", keyType: "RANGE" },
            ],
            projectionType: "ALL",
          },
        ],
        pointInTimeRecovery: { enabled: true },
        // What has ended deletes itself: see store/item.ts.
        ttl: { attributeName: "expires", enabled: true },
        deletionProtectionEnabled: config.deletionProtection,
        tags,
      },
      { parent: this },
    );
  }

  #makeRole(name: string, { table, tags }: GatewayPlan): Role {
    const description = "A slot of the mxHERO gateway";
    const assumeRolePolicy = JSON.stringify(trustPolicy());
    return new Role(name, { name: table, description, assumeRolePolicy, tags }, { parent: this });
  }

  #makeKey(name: string, { plan, account }: GatewayStoreArgs, role: Role): Key {
    const { secretPrefix, config, tags } = plan;
    const { partition, id } = account;
    const place = { partition, account: id, region: config.region, secretPrefix };
    return new Key(
      name,
      {
        description: `Secrets of the mxHERO gateway ${config.name}`,
        enableKeyRotation: true,
        deletionWindowInDays: 30,
        policy: role.arn.apply((roleArn) => JSON.stringify(keyPolicy({ ...place, roleArn }))),
        tags,
      },
      { parent: this },
    );
  }
}
