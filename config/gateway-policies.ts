/**
 * What a slot's instance may do on AWS, and who may use the key of the secrets. Pure: ARNs in, policies out.
 *
 * Every action is named. What each is for stands beside it.
 */

/** An IAM policy (docs.aws.amazon.com: IAM JSON policy elements reference). */
export interface Policy {
  readonly Version: "2012-10-17";
  readonly Statement: readonly Statement[];
}

export interface Statement {
  readonly Sid?: string;
  readonly Effect: "Allow";
  readonly Principal?: Readonly<Record<string, string>>;
  readonly Action: readonly string[];
  readonly Resource?: readonly string[];
  readonly Condition?: Readonly<
    Record<string, Readonly<Record<string, string | readonly string[]>>>
  >;
}

export interface PolicyInput {
  readonly partition: string;
  readonly account: string;
  readonly region: string;
  readonly secretPrefix: string;
  readonly tableArn: string;
  readonly bucketArn: string;
  /** The object that holds the bundle. */
  readonly bundleKey: string;
  readonly keyArn: string;
  readonly logGroupArn: string;
}

/** EC2 may give the role to an instance. */
export function trustPolicy(): Policy {
  return policy([
    { Effect: "Allow", Principal: { Service: "ec2.amazonaws.com" }, Action: ["sts:AssumeRole"] },
  ]);
}

export function slotPolicy(input: PolicyInput): Policy {
  const { partition, account, region, secretPrefix, tableArn, bucketArn, bundleKey } = input;
  const parameters = `arn:${partition}:ssm:${region}:${account}:parameter${secretPrefix}/*`;
  return policy([
    allow("ReadRoutes", ["dynamodb:Query"], [tableArn, `${tableArn}/index/changes`]),
    allow("LoadRoutes", ["dynamodb:BatchGetItem", "dynamodb:Scan"], [tableArn]),
    // A slot writes its report and its answers, and no route (docs.aws.amazon.com: Using IAM policy conditions
    // for fine-grained access control).
    {
      ...allow("Report", ["dynamodb:PutItem"], [tableArn]),
      Condition: { "ForAllValues:StringEquals": { "dynamodb:LeadingKeys": ["#reports"] } },
    },
    {
      ...allow("Answer", ["dynamodb:UpdateItem"], [tableArn]),
      Condition: { "ForAllValues:StringEquals": { "dynamodb:Attributes": ANSWER_ATTRIBUTES } },
    },
    allow("ReadSecrets", ["ssm:GetParameters"], [parameters]),
    allow("DecryptSecrets", ["kms:Decrypt"], [input.keyArn]),
    allow("FetchBundle", ["s3:GetObject"], [`${bucketArn}/${bundleKey}`]),
    allow(
      "Log",
      ["logs:CreateLogStream", "logs:PutLogEvents"],
      [`${input.logGroupArn}:log-stream:*`],
    ),
    // Session Manager: none of these knows resources (Service Authorization Reference).
    allow(
      "SessionManager",
      [
        "ssm:UpdateInstanceInformation",
        "ssmmessages:CreateControlChannel",
        "ssmmessages:CreateDataChannel",
        "ssmmessages:OpenControlChannel",
        "ssmmessages:OpenDataChannel",
      ],
      ["*"],
    ),
  ]);
}

/** The key, and the fields of an answer (store/item.ts). */
const ANSWER_ATTRIBUTES = [
  "pk",
  "sk",
  "proof",
  "acknowledged",
  "expires",
  "lastInbound",
  "lastOutbound",
  "queuedOutbound",
];

export interface KeyPolicyInput {
  readonly partition: string;
  readonly account: string;
  readonly region: string;
  readonly secretPrefix: string;
  readonly roleArn: string;
}

/**
 * The account's administrators manage the key, and those whom IAM allows encrypt with it. Only the slots'
 * role decrypts, and only parameters of this fleet (AWS KMS: encryption context of Parameter Store).
 */
export function keyPolicy(input: KeyPolicyInput): Policy {
  const { partition, account, region, secretPrefix, roleArn } = input;
  const root = { AWS: `arn:${partition}:iam::${account}:root` };
  const parameters = `arn:${partition}:ssm:${region}:${account}:parameter${secretPrefix}/*`;
  return policy([
    {
      ...allow("Manage", MANAGE_KEY, ["*"]),
      Principal: root,
    },
    {
      ...allow("Encrypt", ["kms:Encrypt", "kms:GenerateDataKey"], ["*"]),
      Principal: root,
    },
    {
      ...allow("Decrypt", ["kms:Decrypt"], ["*"]),
      Principal: { AWS: roleArn },
      Condition: { StringLike: { "kms:EncryptionContext:PARAMETER_ARN": parameters } },
    },
  ]);
}

const MANAGE_KEY = [
  "kms:CancelKeyDeletion",
  "kms:DescribeKey",
  "kms:DisableKey",
  "kms:EnableKey",
  "kms:EnableKeyRotation",
  "kms:GetKeyPolicy",
  "kms:GetKeyRotationStatus",
  "kms:ListResourceTags",
  "kms:PutKeyPolicy",
  "kms:ScheduleKeyDeletion",
  "kms:TagResource",
  "kms:UntagResource",
  "kms:UpdateKeyDescription",
];

function policy(statements: readonly Statement[]): Policy {
  return { Version: "2012-10-17", Statement: statements };
}

function allow(sid: string, actions: readonly string[], resources: readonly string[]): Statement {
  return { Sid: sid, Effect: "Allow", Action: actions, Resource: resources };
}
