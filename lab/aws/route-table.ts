/** The route table and the key of the secrets, as a gateway's stack makes them: for labs without such a stack. */
import {
  CreateTableCommand,
  DynamoDBClient,
  UpdateContinuousBackupsCommand,
  UpdateTimeToLiveCommand,
} from "@aws-sdk/client-dynamodb";
import { CreateKeyCommand, KMSClient } from "@aws-sdk/client-kms";
import { CHANGES_INDEX, EXPIRES } from "../../store/item.ts";
import type { RouteStoreOptions } from "../../store/route-store.ts";
import { labCredentials, labRegion, type Moto } from "./moto.ts";

/** What reaches the fleet's store from this process; another one is given `moto.env` instead of the endpoint. */
export type LabRouteStore = Required<Omit<RouteStoreOptions, "onUnreadable">>;

/** Creates what belongs to the store of a fleet of this name. */
export async function createRouteTable(moto: Moto, gateway = "example"): Promise<LabRouteStore> {
  const client = { endpoint: moto.url, region: labRegion, credentials: labCredentials };
  const table = `mxhero-${gateway}-routes`;
  const dynamo = new DynamoDBClient(client);
  const kms = new KMSClient(client);
  try {
    await createTable(dynamo, table);
    const { KeyMetadata } = await kms.send(new CreateKeyCommand({ Description: "secrets" }));
    const keyId = KeyMetadata?.KeyId;
    if (keyId === undefined) throw new Error("moto made a key without an id");
    const secretPrefix = `/mxhero/${gateway}`;
    return { table, secretPrefix, keyId, endpoint: moto.url, region: labRegion };
  } finally {
    dynamo.destroy();
    kms.destroy();
  }
}

async function createTable(client: DynamoDBClient, table: string): Promise<void> {
  await client.send(
    new CreateTableCommand({
      TableName: table,
      BillingMode: "PAY_PER_REQUEST",
      DeletionProtectionEnabled: true,
      AttributeDefinitions: [
        { AttributeName: "pk", AttributeType: "S" },
        { AttributeName: "sk", AttributeType: "S" },
        { AttributeName: "changes", AttributeType: "S" },
        { AttributeName: "sequence", AttributeType: "N" },
      ],
      KeySchema: [
        { AttributeName: "pk", KeyType: "HASH" },
        { AttributeName: "sk", KeyType: "RANGE" },
      ],
      GlobalSecondaryIndexes: [
        {
          IndexName: CHANGES_INDEX,
          KeySchema: [
            { AttributeName: "changes", KeyType: "HASH" },
            { AttributeName: "sequence", KeyType: "RANGE" },
          ],
          Projection: { ProjectionType: "ALL" },
        },
      ],
    }),
  );
  await client.send(
    new UpdateTimeToLiveCommand({
      TableName: table,
      TimeToLiveSpecification: { AttributeName: EXPIRES, Enabled: true },
    }),
  );
  await client.send(
    new UpdateContinuousBackupsCommand({
      TableName: table,
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
    }),
  );
}
