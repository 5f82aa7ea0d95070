/** `aws.dynamodb.Table`, billed on demand. */
import * as dynamo from "@aws-sdk/client-dynamodb";
import { z } from "zod";
import { orGone, standInKind } from "../../stand-in.ts";
import { dynamodb } from "./clients.ts";
import { tagList, tags } from "./tags.ts";

/** A table, or the change of one, is ready within this time, in seconds. */
const READY = { maxWaitTime: 60, minDelay: 1, maxDelay: 2 };

const keyType = z.enum(["HASH", "RANGE"]);

const inputs = z.strictObject({
  name: z.string().exactOptional(),
  billingMode: z.literal("PAY_PER_REQUEST"),
  hashKey: z.string(),
  rangeKey: z.string().exactOptional(),
  attributes: z.array(z.strictObject({ name: z.string(), type: z.enum(["S", "N", "B"]) })),
  globalSecondaryIndexes: z
    .array(
      z.strictObject({
        name: z.string(),
        keySchemas: z.array(z.strictObject({ attributeName: z.string(), keyType })),
        projectionType: z.literal("ALL"),
      }),
    )
    .exactOptional(),
  pointInTimeRecovery: z.strictObject({ enabled: z.boolean() }).exactOptional(),
  ttl: z.strictObject({ attributeName: z.string(), enabled: z.boolean() }).exactOptional(),
  deletionProtectionEnabled: z.boolean().exactOptional(),
  tags,
});
type Inputs = z.output<typeof inputs>;

export const table = standInKind<Inputs>({
  type: "aws:dynamodb/table:Table",
  inputs,
  replaceOn: ["name", "hashKey", "rangeKey"],
  computed: ["name"],
  create: async (asked, unique) => {
    const TableName = asked.name ?? unique;
    await dynamodb().send(new dynamo.CreateTableCommand({ TableName, ...request(asked) }));
    await dynamo.waitUntilTableExists({ client: dynamodb(), ...READY }, { TableName });
    await setRecovery(TableName, asked);
    await setTimeToLive(TableName, asked);
    return TableName;
  },
  read: async (id, asked) => {
    const answer = await orGone(
      dynamodb().send(new dynamo.DescribeTableCommand({ TableName: id })),
    );
    const found = answer?.Table;
    if (found === undefined) return undefined;
    return {
      inputs: {
        name: id,
        ...(asked.deletionProtectionEnabled !== undefined && {
          deletionProtectionEnabled: found.DeletionProtectionEnabled ?? false,
        }),
        ...(asked.pointInTimeRecovery !== undefined && {
          pointInTimeRecovery: { enabled: await recovers(id) },
        }),
        ...(asked.ttl !== undefined && { ttl: await timeToLive(id, asked.ttl.attributeName) }),
      },
      outputs: { arn: found.TableArn },
    };
  },
  update: async (id, news, old) => {
    if (shapeOf(news) !== shapeOf(old))
      throw new Error("the stand-in cannot change a table's indexes");
    const DeletionProtectionEnabled = news.deletionProtectionEnabled ?? false;
    await dynamodb().send(
      new dynamo.UpdateTableCommand({ TableName: id, DeletionProtectionEnabled }),
    );
    await setRecovery(id, news);
    await setTimeToLive(id, news, old);
  },
  delete: async (id) => {
    await orGone(dynamodb().send(new dynamo.DeleteTableCommand({ TableName: id })));
  },
});

function request(asked: Inputs) {
  const { hashKey, rangeKey, globalSecondaryIndexes: indexes } = asked;
  const range =
    rangeKey === undefined ? [] : [{ AttributeName: rangeKey, KeyType: "RANGE" } as const];
  return {
    BillingMode: asked.billingMode,
    KeySchema: [{ AttributeName: hashKey, KeyType: "HASH" } as const, ...range],
    AttributeDefinitions: asked.attributes.map(({ name, type }) => ({
      AttributeName: name,
      AttributeType: type,
    })),
    ...(indexes !== undefined && { GlobalSecondaryIndexes: indexes.map(indexRequest) }),
    DeletionProtectionEnabled: asked.deletionProtectionEnabled ?? false,
    Tags: tagList(asked.tags),
  };
}

function shapeOf({ attributes, globalSecondaryIndexes }: Inputs): string {
  return JSON.stringify([attributes, globalSecondaryIndexes]);
}

function indexRequest({ name, keySchemas, projectionType }: IndexInputs) {
  return {
    IndexName: name,
    KeySchema: keySchemas.map(({ attributeName, keyType: KeyType }) => ({
      AttributeName: attributeName,
      KeyType,
    })),
    Projection: { ProjectionType: projectionType },
  };
}

type IndexInputs = NonNullable<Inputs["globalSecondaryIndexes"]>[number];

async function setRecovery(TableName: string, { pointInTimeRecovery }: Inputs): Promise<void> {
  if (pointInTimeRecovery === undefined) return;
  const PointInTimeRecoveryEnabled = pointInTimeRecovery.enabled;
  await dynamodb().send(
    new dynamo.UpdateContinuousBackupsCommand({
      TableName,
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled },
    }),
  );
}

/** AWS refuses to switch on what is on. */
async function setTimeToLive(TableName: string, { ttl }: Inputs, old?: Inputs): Promise<void> {
  if (ttl === undefined || ttl.enabled === (old?.ttl?.enabled ?? false)) return;
  const { attributeName: AttributeName, enabled: Enabled } = ttl;
  const TimeToLiveSpecification = { AttributeName, Enabled };
  await dynamodb().send(new dynamo.UpdateTimeToLiveCommand({ TableName, TimeToLiveSpecification }));
}

async function timeToLive(TableName: string, asked: string) {
  const answer = await dynamodb().send(new dynamo.DescribeTimeToLiveCommand({ TableName }));
  const { AttributeName = asked, TimeToLiveStatus } = answer.TimeToLiveDescription ?? {};
  return { attributeName: AttributeName, enabled: TimeToLiveStatus === "ENABLED" };
}

async function recovers(TableName: string): Promise<boolean> {
  const answer = await dynamodb().send(new dynamo.DescribeContinuousBackupsCommand({ TableName }));
  const description = answer.ContinuousBackupsDescription?.PointInTimeRecoveryDescription;
  return description?.PointInTimeRecoveryStatus === "ENABLED";
}
