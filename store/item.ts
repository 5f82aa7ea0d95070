/** How the values of the route store look as items of the table. Pure: values in, values out. */
import type { z } from "zod";
import type { RouteRecord, SlotAnswer, SlotReport } from "../mail/route.ts";
import { recordEnd } from "../mail/route-life.ts";
import { StoreError } from "./errors.ts";
import { lastMail, queuedMail, routeProof, routeRecord, slotReport } from "./item-schema.ts";

/** An attribute as DynamoDB's API writes it: a text, or a number as text. */
export type Attribute = { readonly S: string } | { readonly N: string };
export type Item = Readonly<Record<string, Attribute>>;

/** Attributes as they arrive: of any type that DynamoDB knows. */
export type FoundItem = Readonly<
  Record<string, { readonly S?: string | undefined; readonly N?: string | undefined }>
>;

/** A slot of the fleet, as the gateway's stack made it known. */
export interface RegisteredSlot {
  readonly slot: string;
  /** ISO 8601, UTC. */
  readonly registered: string;
}

/** The index of changes: its name is that of its hash key, which is the same in every route. */
export const CHANGES_INDEX = "changes";
export const CHANGES_SHARD = "0";

/** Where an item stands. No domain begins with `#`. */
export type Key = { readonly pk: { readonly S: string }; readonly sk: { readonly S: string } };

export function keyOf(pk: string, sk: string): Key {
  return { pk: { S: pk }, sk: { S: sk } };
}

export const routeKey = (domain: string): Key => keyOf(domain, "route");
export const answerKey = (domain: string, slot: string): Key => keyOf(domain, `slot#${slot}`);
export const slotKey = (slot: string): Key => keyOf("#slots", slot);
export const reportKey = (slot: string): Key => keyOf("#reports", slot);
export const closingKey = (slot: string): Key => keyOf("#closing", slot);
export const publishedKey = (slot: string): Key => keyOf("#published", slot);
export const SEQUENCE_KEY = keyOf("#sequence", "#sequence");

/**
 * The attribute by which DynamoDB deletes an item by itself, within days of it: seconds since 1970 (Amazon DynamoDB
 * Developer Guide, "Using time to live"). An item without it stays.
 */
export const EXPIRES = "expires";

/** @param instant ISO 8601 */
export function expiry(instant: string | undefined): Item {
  if (instant === undefined) return {};
  return { [EXPIRES]: { N: `${Math.ceil(Date.parse(instant) / 1000)}` } };
}

/** ISO 8601, UTC; `undefined`: it stays. */
export function expiryOf(item: FoundItem): string | undefined {
  return item[EXPIRES] && new Date(numberOf(item, EXPIRES) * 1000).toISOString();
}

/** How many writes of routes there were. */
export function sequenceItem(sequence: number): Item {
  return { ...SEQUENCE_KEY, sequence: { N: `${sequence}` } };
}

export function isAt(item: FoundItem, { pk, sk }: Key): boolean {
  return item["pk"]?.S === pk.S && item["sk"]?.S === sk.S;
}

/** The whole record is one text: a fleet that starts reads all of them at once. */
export function encodeRoute(record: RouteRecord, sequence: number): Item {
  return {
    ...routeKey(record.domain),
    organisation: { S: record.holder.organisation },
    revision: { N: `${record.revision}` },
    record: { S: JSON.stringify(record) },
    changes: { S: CHANGES_SHARD },
    sequence: { N: `${sequence}` },
    ...expiry(recordEnd(record)),
  };
}

export interface SequencedRoute {
  readonly record: RouteRecord;
  /** Grows with every write of any route. */
  readonly sequence: number;
}

/** @throws {StoreError} as every `decode…` for an item that nobody here has written */
export function decodeRoute(item: FoundItem): SequencedRoute {
  return {
    record: parseJson(routeRecord, item, "record"),
    sequence: numberOf(item, "sequence"),
  };
}

/** The fields that the answer brings; the store keeps the others as they are. */
export function encodeAnswerFields(answer: SlotAnswer): Item {
  const { proof, acknowledged, expires, lastInbound, lastOutbound, queuedOutbound } = answer;
  return {
    ...expiry(expires),
    ...(proof && { proof: { S: JSON.stringify(proof) } }),
    ...(acknowledged !== undefined && { acknowledged: { N: `${acknowledged}` } }),
    ...(lastInbound && { lastInbound: { S: JSON.stringify(lastInbound) } }),
    ...(lastOutbound && { lastOutbound: { S: JSON.stringify(lastOutbound) } }),
    ...(queuedOutbound && { queuedOutbound: { S: JSON.stringify(queuedOutbound) } }),
  };
}

/** The fields of before that the answer takes away. */
export function droppedAnswerFields({ acknowledged, expires }: SlotAnswer): string[] {
  return acknowledged !== undefined && expires === undefined ? [EXPIRES] : [];
}

export function decodeAnswer(item: FoundItem): SlotAnswer {
  const expires = expiryOf(item);
  return {
    domain: textOf(item, "pk"),
    slot: textOf(item, "sk").replace(/^slot#/, ""),
    ...(item["proof"] && { proof: parseJson(routeProof, item, "proof") }),
    ...(item["acknowledged"] && { acknowledged: numberOf(item, "acknowledged") }),
    ...(expires !== undefined && { expires }),
    ...(item["lastInbound"] && { lastInbound: parseJson(lastMail, item, "lastInbound") }),
    ...(item["lastOutbound"] && { lastOutbound: parseJson(lastMail, item, "lastOutbound") }),
    ...(item["queuedOutbound"] && {
      queuedOutbound: parseJson(queuedMail, item, "queuedOutbound"),
    }),
  };
}

export function encodeReport(report: SlotReport): Item {
  return { ...reportKey(report.slot), report: { S: JSON.stringify(report) } };
}

export function decodeReport(item: FoundItem): SlotReport {
  return parseJson(slotReport, item, "report");
}

export function encodeSlot({ slot, registered }: RegisteredSlot): Item {
  return { ...slotKey(slot), registered: { S: registered } };
}

export function decodeSlot(item: FoundItem): RegisteredSlot {
  return { slot: textOf(item, "sk"), registered: textOf(item, "registered") };
}

/** The mark by which a slot is told to take no more mail. */
export function encodeClosing(slot: string, mark: string): Item {
  return { ...closingKey(slot), mark: { S: mark } };
}

export function decodeClosing(item: FoundItem): string {
  return textOf(item, "mark");
}

/** The mark that a slot's records are in DNS. */
export function encodePublished(slot: string): Item {
  return { ...publishedKey(slot), published: { S: new Date().toISOString() } };
}

export function decodePublished(item: FoundItem): string {
  return textOf(item, "sk");
}

export function textOf(item: FoundItem, name: string): string {
  const text = item[name]?.S;
  if (text === undefined) throw new StoreError(`${placeOf(item)} has no text "${name}".`);
  return text;
}

export function numberOf(item: FoundItem, name: string): number {
  const number = Number(item[name]?.N);
  if (!Number.isSafeInteger(number)) {
    throw new StoreError(`${placeOf(item)} has no whole number "${name}".`);
  }
  return number;
}

export function parseJson<T>(schema: z.ZodType<T>, item: FoundItem, name: string): T {
  try {
    return schema.parse(JSON.parse(textOf(item, name)));
  } catch (cause) {
    throw new StoreError(
      `${placeOf(item)}: "${name}" is not what this version of the program writes.`,
      "other",
      { cause },
    );
  }
}

function placeOf(item: FoundItem): string {
  return `The item ${item["pk"]?.S} / ${item["sk"]?.S} of the route table`;
}
