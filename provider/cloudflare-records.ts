/** Zones and records between Cloudflare's form and that of the resources. */
import type {
  RecordResponse,
  RecordResponsesV4PagePaginationArray,
} from "cloudflare/resources/dns/records";
import type { Zone as ZoneResponse } from "cloudflare/resources/zones/zones";
import { quoteText } from "../mail/zone-file.ts";
import { decodeText } from "./txt-content.ts";

/** A zone, with the name servers that Cloudflare gives it. */
export interface Zone {
  readonly id: string;
  readonly name: string;
  readonly nameServers: readonly string[];
}

/** A zone as Cloudflare has it, whether public DNS uses it or not. */
export interface CandidateZone extends Zone {
  readonly status: string;
  readonly type: string;
}

/** A record of the types that matter here. `content` of a TXT is decoded, that of others is a plain name. */
export interface ZoneRecord {
  readonly id: string;
  readonly name: string;
  readonly type: string;
  readonly content: string;
  readonly priority: number;
  readonly ttl: number;
  readonly comment?: string;
  readonly tags?: readonly string[];
  readonly readOnly: boolean;
  /** By Cloudflare. ISO 8601, UTC. */
  readonly created?: string;
  readonly modified?: string;
}

/** A record as it is to be. */
export interface NewRecord {
  readonly name: string;
  readonly type: "MX" | "TXT";
  readonly content: string;
  readonly priority?: number;
  readonly ttl: number;
  readonly comment?: string;
  readonly tags?: readonly string[];
}

/** One transaction. A patch keeps the comment and the tags that it does not name. */
export interface Batch {
  readonly deletes: readonly string[];
  readonly patches: readonly (NewRecord & { readonly id: string })[];
  readonly posts: readonly NewRecord[];
}

/** As large as a real answer ever gets: one request reads all. */
export const RECORD_PAGE = 5_000;

type RecordPage = RecordResponsesV4PagePaginationArray;

/** A page's records, and how to ask for the next one if there may be one. */
export function readPage(page: RecordPage) {
  const records = itemsOf(page).map(asRecord);
  // The SDK would ask for one more page to see that it is empty.
  const full = page.result.length >= (page.result_info.per_page ?? RECORD_PAGE);
  return { records, next: full ? () => page.getNextPage() : undefined };
}

/** The items of a list. What has no page is no list, and proves no absence. */
export function itemsOf<T>({
  result,
  result_info,
}: {
  result: T[];
  result_info: { page?: number };
}): T[] {
  if (result_info.page === undefined) throw new Error("what should be a list has no page");
  return result;
}

export function asZone(zone: ZoneResponse): CandidateZone {
  const { id, name, status = "unknown", type = "unknown", name_servers } = zone;
  return {
    id,
    name,
    status,
    type,
    nameServers: name_servers.map((server) => server.toLowerCase()),
  };
}

export function asRecord(record: RecordResponse): ZoneRecord {
  const { id, name, type, content = "", ttl, comment, tags } = record;
  const meta: unknown = record.meta;
  const priority = "priority" in record ? record.priority : undefined;
  return {
    id,
    name: name.toLowerCase(),
    type,
    content: type === "TXT" ? decodeText(content) : content.toLowerCase().replace(/\.$/, ""),
    priority: priority ?? 0,
    ttl,
    ...(comment && { comment }),
    ...(tags !== undefined && tags.length > 0 && { tags }),
    ...(record.created_on && { created: record.created_on }),
    ...(record.modified_on && { modified: record.modified_on }),
    readOnly:
      typeof meta === "object" && meta !== null && "read_only" in meta && meta.read_only === true,
  };
}

export function asParameters({ name, type, content, priority = 0, ttl, comment, tags }: NewRecord) {
  const shared = {
    name,
    ttl,
    ...(comment !== undefined && { comment }),
    ...(tags !== undefined && { tags: [...tags] }),
  };
  if (type === "TXT") return { ...shared, type, content: quoteText(content) };
  return { ...shared, type, content: content || ".", priority };
}
