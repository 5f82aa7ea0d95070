/**
 * What AWS deletes by itself as time passes, which moto does not: items whose time to live is over (Amazon DynamoDB
 * Developer Guide, "Using time to live"), and parameters that have expired (AWS Systems Manager User Guide,
 * "Assigning parameter policies").
 */
import {
  DeleteItemCommand,
  DescribeTimeToLiveCommand,
  DynamoDBClient,
  paginateScan,
} from "@aws-sdk/client-dynamodb";
import { DeleteParameterCommand, paginateDescribeParameters, SSMClient } from "@aws-sdk/client-ssm";
import type { LabRouteStore } from "./route-table.ts";

/** Deletes what ends before this instant. */
export async function letTimePass(store: LabRouteStore, until: Date): Promise<void> {
  await deleteItems(store, until);
  await deleteParameters(store, until);
}

async function deleteItems({ endpoint, region, table }: LabRouteStore, until: Date) {
  using client = disposable(new DynamoDBClient({ endpoint, region }));
  const TableName = table;
  const answer = await client.own.send(new DescribeTimeToLiveCommand({ TableName }));
  const { AttributeName, TimeToLiveStatus } = answer.TimeToLiveDescription ?? {};
  if (AttributeName === undefined || TimeToLiveStatus !== "ENABLED") return;
  for await (const { Items = [] } of paginateScan({ client: client.own }, { TableName })) {
    for (const { pk, sk, [AttributeName]: end } of Items) {
      if (end?.N === undefined || Number(end.N) * 1000 > until.getTime()) continue;
      if (pk === undefined || sk === undefined) continue;
      await client.own.send(new DeleteItemCommand({ TableName, Key: { pk, sk } }));
    }
  }
}

async function deleteParameters({ endpoint, region }: LabRouteStore, until: Date): Promise<void> {
  using client = disposable(new SSMClient({ endpoint, region }));
  for await (const { Parameters = [] } of paginateDescribeParameters({ client: client.own }, {})) {
    for (const { Name, Policies = [] } of Parameters) {
      const text = Policies.map(({ PolicyText = "" }) => PolicyText).join(" ");
      const [, end] = /Expiration.*Timestamp\W+([\d-]+T[\d:.]+Z)/.exec(text) ?? [];
      if (end === undefined || new Date(end) > until) continue;
      await client.own.send(new DeleteParameterCommand({ Name }));
    }
  }
}

function disposable<T extends { destroy(): void }>(own: T): Disposable & { readonly own: T } {
  return { own, [Symbol.dispose]: () => own.destroy() };
}
