/** Zones and records between Cloudflare's form and that of the resources. */
import type {
  RecordResponse,
  RecordResponsesV4PagePaginationArray,
} from "cloudflare/resources/dns/records";
import type { Zone } from "cloudflare/resources/zones/zones";
import { quoteText } from "../mail/zone-file.ts";
import type { CandidateZone, NewRecord, ZoneRecord } from "./cloudflare.ts";
import { decodeText } from "./txt-content.ts";

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

export function asZone(zone: Zone): CandidateZone {
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
