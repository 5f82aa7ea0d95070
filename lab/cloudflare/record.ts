/** One DNS record at Cloudflare: from a request's body, to an answer's body, and as a test sees it. */
import { randomUUID } from "node:crypto";
import { z } from "zod";
import { recordType, type Value } from "./content.ts";
import {
  badName,
  badTtl,
  commentTooLong,
  invalidBody,
  notProxiable,
  recordTooLong,
  tooManyTags,
} from "./errors.ts";
import { nameInZone } from "./name.ts";
import type { Plan, RecordSpec } from "./types.ts";

/** The fields of a record that a client may send. Others are ignored, as Cloudflare does. */
export const recordBody = z.object({
  name: z.string(),
  type: z.string(),
  content: z.string().optional(),
  data: z.record(z.string(), z.union([z.string(), z.number()])).optional(),
  priority: z.number().optional(),
  ttl: z.number().optional(),
  proxied: z.boolean().nullish(),
  comment: z.string().nullish(),
  tags: z.array(z.string()).nullish(),
});

export type RecordBody = z.output<typeof recordBody>;

export interface DnsRecord extends Value {
  readonly id: string;
  readonly name: string;
  readonly type: string;
  readonly ttl: number;
  readonly proxied: boolean;
  readonly comment: string | null;
  readonly tags: readonly string[];
  readonly readOnly: boolean;
  readonly createdOn: Date;
  readonly modifiedOn: Date;
  readonly commentModifiedOn?: Date;
  readonly tagsModifiedOn?: Date;
}

interface Limits {
  readonly leastTtl: number;
  readonly commentLength: number;
  readonly tags: number;
  readonly records: number;
  /** Operations in one batch. */
  readonly operations: number;
}

const paid = { leastTtl: 60, commentLength: 500, tags: 20, records: 3500, operations: 3500 };

/** https://developers.cloudflare.com/dns/manage-dns-records/ (quotas, record attributes, batch) */
export const limits: Readonly<Record<Plan, Limits>> = {
  free: { leastTtl: 60, commentLength: 100, tags: 0, records: 200, operations: 200 },
  pro: paid,
  business: paid,
  enterprise: { ...paid, leastTtl: 30 },
};

const proxiable = (type: string) => ["A", "AAAA", "CNAME"].includes(type);

export interface ZoneRules {
  readonly name: string;
  readonly plan: Plan;
}

/**
 * Makes a record of a complete body.
 * @param former the record that it replaces; keeps the identifier and the dates
 * @throws {ApiError}
 */
export function makeRecord(body: RecordBody, zone: ZoneRules, former?: DnsRecord): DnsRecord {
  const { leastTtl, commentLength, tags: tagQuota } = limits[zone.plan];
  const { type, comment, tags, ttl = 1 } = body;
  const name = nameInZone(body.name, zone.name);
  if (name === undefined) throw badName();
  const { normalise, size } = recordType(type);
  const value = normalise(body);
  const proxied = body.proxied ?? false;
  if (size(value.content) > 4096) throw recordTooLong();
  if (proxied && !proxiable(type)) throw notProxiable();
  if (ttl !== 1 && !(Number.isInteger(ttl) && ttl >= leastTtl && ttl <= 86_400)) {
    throw badTtl(leastTtl);
  }
  if (comment && comment.length > commentLength) throw commentTooLong(commentLength);
  if (tags && tags.length > tagQuota) throw tooManyTags(tags.length, tagQuota);
  const described = { comment: comment || null, tags: tags ?? [] };
  return {
    ...value,
    ...described,
    ...dates(described, former),
    id: former?.id ?? randomUUID().replaceAll("-", ""),
    name,
    type,
    // A proxied record is always automatic.
    ttl: proxied ? 1 : ttl,
    proxied,
    readOnly: former?.readOnly ?? false,
  };
}

function dates(now: Pick<DnsRecord, "comment" | "tags">, former?: DnsRecord) {
  const modifiedOn = new Date();
  const newComment = now.comment !== (former?.comment ?? null);
  const newTags = now.tags.join() !== (former?.tags ?? []).join();
  const commentModifiedOn = newComment ? modifiedOn : former?.commentModifiedOn;
  const tagsModifiedOn = newTags ? modifiedOn : former?.tagsModifiedOn;
  return {
    createdOn: former?.createdOn ?? modifiedOn,
    modifiedOn,
    ...(now.comment !== null && commentModifiedOn ? { commentModifiedOn } : {}),
    ...(now.tags.length > 0 && tagsModifiedOn ? { tagsModifiedOn } : {}),
  };
}

/** The complete body that would make this record: what a PATCH starts from. */
export function toBody(record: DnsRecord): RecordBody {
  const { name, type, content, data, priority, ttl, proxied, comment, tags } = record;
  return { name, type, content, data, priority, ttl, proxied, comment, tags: [...tags] };
}

/** The record in an answer. */
export function toJson(record: DnsRecord): object {
  const { id, name, type, content, data, priority, ttl, proxied, comment, tags } = record;
  const { commentModifiedOn, tagsModifiedOn } = record;
  return {
    id,
    name,
    type,
    content,
    ...(data === undefined ? {} : { data }),
    ...(priority === undefined ? {} : { priority }),
    proxiable: proxiable(type),
    proxied,
    ttl,
    settings: {},
    meta: record.readOnly ? { email_routing: true, read_only: true } : {},
    comment,
    tags,
    created_on: record.createdOn.toISOString(),
    modified_on: record.modifiedOn.toISOString(),
    ...(commentModifiedOn ? { comment_modified_on: commentModifiedOn.toISOString() } : {}),
    ...(tagsModifiedOn ? { tags_modified_on: tagsModifiedOn.toISOString() } : {}),
  };
}

/** The record without identifier and dates. */
export function toSpec(record: DnsRecord): RecordSpec {
  const { name, type, content, ttl, priority, data, proxied, comment, tags, readOnly } = record;
  return {
    name,
    type,
    content,
    ttl,
    ...(priority === undefined ? {} : { priority }),
    ...(data === undefined ? {} : { data }),
    ...(proxied ? { proxied } : {}),
    ...(comment === null ? {} : { comment }),
    ...(tags.length === 0 ? {} : { tags }),
    ...(readOnly ? { readOnly } : {}),
  };
}

/** Parses a body. @throws {ApiError} 9207 with the path of the first fault */
export function parseBody<T>(schema: z.ZodType<T>, body: unknown): T {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw invalidBody(`${issue?.path.join(".") || "body"}: ${issue?.message}`);
}
