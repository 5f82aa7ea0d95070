/** The calls of DynamoDB that the route store makes, on one table. Reads are strongly consistent but on the index. */
import {
  BatchGetItemCommand,
  ConditionalCheckFailedException,
  DeleteItemCommand,
  DynamoDBClient,
  type KeysAndAttributes,
  PutItemCommand,
  paginateQuery,
  paginateScan,
  TransactionCanceledException,
  TransactionConflictException,
  TransactWriteItemsCommand,
  UpdateItemCommand,
} from "@aws-sdk/client-dynamodb";
import { ask, type ClientOptions, clientConfiguration } from "./client.ts";
import { CHANGES_INDEX, CHANGES_SHARD, type FoundItem, type Item, type Key } from "./item.ts";

type Keys = NonNullable<KeysAndAttributes["Keys"]>;

/** The most that one BatchGetItem takes (Amazon DynamoDB API Reference). */
const BATCH_MAXIMUM = 100;

/** A write that happens only where the item's number still is what was read. */
export interface GuardedPut {
  readonly item: Item;
  readonly guard: string;
  /** 0: there is no such item. */
  readonly read: number;
}

export class Table {
  readonly #client: DynamoDBClient;
  readonly #name: string;

  constructor(name: string, options: ClientOptions) {
    this.#name = name;
    this.#client = new DynamoDBClient(clientConfiguration(options));
  }

  close(): void {
    this.#client.destroy();
  }

  /** In no order; what does not exist is left out. */
  async get(keys: readonly Key[]): Promise<FoundItem[]> {
    const found: FoundItem[] = [];
    let rest: Keys = [...keys];
    while (rest.length > 0) {
      const { items, unprocessed } = await this.#getBatch(rest.slice(0, BATCH_MAXIMUM));
      found.push(...items);
      rest = [...unprocessed, ...rest.slice(BATCH_MAXIMUM)];
    }
    return found;
  }

  async #getBatch(keys: Keys): Promise<{ items: FoundItem[]; unprocessed: Keys }> {
    const command = new BatchGetItemCommand({
      RequestItems: { [this.#name]: { Keys: keys, ConsistentRead: true } },
    });
    const { Responses, UnprocessedKeys } = await this.#ask("Reading", this.#client.send(command));
    return {
      items: Responses?.[this.#name] ?? [],
      unprocessed: UnprocessedKeys?.[this.#name]?.Keys ?? [],
    };
  }

  /** All items of one partition. */
  async partition(pk: string): Promise<FoundItem[]> {
    const pages = paginateQuery(
      { client: this.#client },
      {
        TableName: this.#name,
        KeyConditionExpression: "pk = :pk",
        ExpressionAttributeValues: { ":pk": { S: pk } },
        ConsistentRead: true,
      },
    );
    const reading = async () => {
      const items: FoundItem[] = [];
      for await (const { Items = [] } of pages) items.push(...Items);
      return items;
    };
    return this.#ask("Reading", reading());
  }

  /** Routes that were written after the one with this number, oldest first. A write may show up late here. */
  async changesAfter(sequence: number): Promise<FoundItem[]> {
    const pages = paginateQuery(
      { client: this.#client },
      {
        TableName: this.#name,
        IndexName: CHANGES_INDEX,
        KeyConditionExpression: "changes = :shard AND #sequence > :sequence",
        ExpressionAttributeNames: { "#sequence": "sequence" },
        ExpressionAttributeValues: {
          ":shard": { S: CHANGES_SHARD },
          ":sequence": { N: `${sequence}` },
        },
      },
    );
    const reading = async () => {
      const items: FoundItem[] = [];
      for await (const { Items = [] } of pages) items.push(...Items);
      return items;
    };
    return this.#ask("Reading the changes", reading());
  }

  /** One of the parts of the table, page by page. */
  async *routesOfSegment(segment: number, segments: number): AsyncGenerator<FoundItem[]> {
    const pages = paginateScan(
      { client: this.#client },
      {
        TableName: this.#name,
        Segment: segment,
        TotalSegments: segments,
        FilterExpression: "sk = :route",
        ExpressionAttributeValues: { ":route": { S: "route" } },
        ConsistentRead: true,
      },
    );
    for (;;) {
      const { done, value } = await this.#ask("Reading all routes", pages.next());
      if (done === true) return;
      yield value?.Items ?? [];
    }
  }

  async put(item: Item): Promise<void> {
    const command = new PutItemCommand({ TableName: this.#name, Item: item });
    await this.#ask("Writing", this.#client.send(command));
  }

  /** Sets these attributes, takes those away, and leaves the others. */
  async set(key: Key, attributes: Item, dropped: readonly string[] = []): Promise<void> {
    const command = new UpdateItemCommand({
      TableName: this.#name,
      Key: key,
      ...changeOf(attributes, dropped),
    });
    await this.#ask("Writing", this.#client.send(command));
  }

  /** Sets these attributes where there is an item whose number is not above `most`. */
  async setUpTo(key: Key, attributes: Item, guard: string, most: number): Promise<void> {
    const { UpdateExpression, ExpressionAttributeNames, ExpressionAttributeValues } =
      changeOf(attributes);
    const command = new UpdateItemCommand({
      TableName: this.#name,
      Key: key,
      UpdateExpression,
      ConditionExpression:
        "attribute_exists(pk) AND (attribute_not_exists(#guard) OR #guard <= :most)",
      ExpressionAttributeNames: { ...ExpressionAttributeNames, "#guard": guard },
      ExpressionAttributeValues: { ...ExpressionAttributeValues, ":most": { N: `${most}` } },
    });
    const writing = this.#client.send(command).catch((error: unknown) => {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
    });
    await this.#ask("Writing", writing);
  }

  async delete(key: Key): Promise<void> {
    const command = new DeleteItemCommand({ TableName: this.#name, Key: key });
    await this.#ask("Deleting", this.#client.send(command));
  }

  /** All writes or none. False: someone else has written one of the items since it was read. */
  async transact(puts: readonly GuardedPut[]): Promise<boolean> {
    const command = new TransactWriteItemsCommand({
      TransactItems: puts.map((put) => ({ Put: { TableName: this.#name, ...guarded(put) } })),
    });
    const writing = this.#client.send(command).then(
      () => true,
      (error: unknown) => {
        if (isConflict(error)) return false;
        throw error;
      },
    );
    return this.#ask("Writing the route", writing);
  }

  #ask<T>(what: string, call: Promise<T>): Promise<T> {
    return ask(`${what} in the route table ${this.#name}`, call);
  }
}

/** At least one attribute is set. */
function changeOf(attributes: Item, dropped: readonly string[] = []) {
  const names = Object.keys(attributes);
  const sets = `SET ${names.map((name) => `#${name} = :${name}`).join(", ")}`;
  const removes = dropped.map((name) => `#${name}`).join(", ");
  return {
    UpdateExpression: removes === "" ? sets : `${sets} REMOVE ${removes}`,
    ExpressionAttributeNames: Object.fromEntries(
      [...names, ...dropped].map((name) => [`#${name}`, name]),
    ),
    ExpressionAttributeValues: Object.fromEntries(
      Object.entries(attributes).map(([name, value]) => [`:${name}`, value]),
    ),
  };
}

function guarded({ item, guard, read }: GuardedPut) {
  if (read === 0) return { Item: item, ConditionExpression: "attribute_not_exists(pk)" };
  return {
    Item: item,
    ConditionExpression: "#guard = :read",
    ExpressionAttributeNames: { "#guard": guard },
    ExpressionAttributeValues: { ":read": { N: `${read}` } },
  };
}

/** Reasons that another attempt can overcome (TransactWriteItems, cancellation reasons). */
const PASSING = new Set([
  "None",
  "ConditionalCheckFailed",
  "TransactionConflict",
  "ThrottlingError",
]);

function isConflict(error: unknown): boolean {
  if (error instanceof TransactionConflictException) return true;
  if (!(error instanceof TransactionCanceledException)) return false;
  const codes = (error.CancellationReasons ?? []).map(({ Code = "None" }) => Code);
  return codes.every((code) => PASSING.has(code));
}
