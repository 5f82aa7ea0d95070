/** MX RRsets: how they are compared and written down, and which of their records are the gateway's. */
import type { MxRecord } from "./dns.ts";

/** An MX record as the zone holds it. */
export interface ZoneMx extends MxRecord {
  readonly id: string;
  /** Seconds; 1 is Cloudflare's "automatic" (300 s). */
  readonly ttl: number;
  readonly comment?: string;
  readonly tags?: readonly string[];
  /** ISO 8601, UTC. */
  readonly created?: string;
  readonly modified?: string;
}

/** RFC 7505: the domain accepts no mail. It must be the only MX. */
export function isNullMx({ preference, exchange }: MxRecord): boolean {
  return preference === 0 && exchange === "";
}

/** As a zone file has it: `10 mail.example.com.`; the null MX is `0 .`. */
export function formatMx({ preference, exchange }: MxRecord): string {
  return `${preference} ${exchange}.`;
}

/** `10 a.example.com., 20 b.example.com.`, in the order in which senders try them; `no MX` where empty. */
export function formatMxSet(records: readonly MxRecord[]): string {
  return sortMx(records).map(formatMx).join(", ") || "no MX";
}

export function sortMx<T extends MxRecord>(records: readonly T[]): T[] {
  return records.toSorted(
    (a, b) => a.preference - b.preference || (a.exchange < b.exchange ? -1 : 1),
  );
}

/** The same record: preference and exchange. TTLs, comments and identifiers do not matter to senders. */
export function sameMx(a: MxRecord, b: MxRecord): boolean {
  return a.preference === b.preference && a.exchange === b.exchange;
}

export function includesMx(set: readonly MxRecord[], record: MxRecord): boolean {
  return set.some((other) => sameMx(other, record));
}

export function includesAllMx(set: readonly MxRecord[], wanted: readonly MxRecord[]): boolean {
  return wanted.every((record) => includesMx(set, record));
}

/** Order does not matter in an RRset (RFC 2181, section 5). */
export function sameMxSet(a: readonly MxRecord[], b: readonly MxRecord[]): boolean {
  return includesAllMx(a, b) && includesAllMx(b, a);
}

/** Only preference and exchange, without what the zone adds. */
export function plainMx({ preference, exchange }: MxRecord): MxRecord {
  return { preference, exchange };
}

const MARK = "mxhero gateway: ";
const COMMENT_LIMIT = 100;

/**
 * The comment by which a gateway's MX is known again, even where nobody remembers the gateway.
 *
 * It repeats the exchange, so that a record that someone pointed elsewhere is theirs, not ours. It is
 * cut at the 100 characters that a comment may have on Cloudflare's free plan.
 */
export function gatewayComment(exchange: string): string {
  return `${MARK}${exchange}`.slice(0, COMMENT_LIMIT);
}

/** Whether a record carries the comment of the gateway's MX. */
export function isMarked({ exchange, comment }: Commented): boolean {
  return comment === gatewayComment(exchange);
}

/** Whether a record carries the comment of another exchange: it was the gateway's, and someone pointed it elsewhere. */
export function wasMarked(record: Commented): boolean {
  return record.comment?.startsWith(MARK) === true && !isMarked(record);
}

/** The records of an RRset, by whose they are. */
export interface SortedMx<T = ZoneMx> {
  /** What the gateway is to have, and has. */
  readonly ours: readonly T[];
  /** A gateway's, but no longer wanted: a former target, or another preference. */
  readonly stale: readonly T[];
  /** Everyone else's: the mail system's own, or what a person added. */
  readonly theirs: readonly T[];
}

interface Commented extends MxRecord {
  readonly comment?: string;
}

/**
 * @param wanted the gateway's MX targets now
 * @param known those that the state remembers from before
 */
export function sortByHolder<T extends Commented>(
  present: readonly T[],
  wanted: readonly MxRecord[],
  known: readonly MxRecord[] = [],
): SortedMx<T> {
  const gateway = new Set([...wanted, ...known].map(({ exchange }) => exchange));
  const ours = present.filter((record) => includesMx(wanted, record));
  const rest = present.filter((record) => !includesMx(wanted, record));
  const stale = rest.filter((record) => gateway.has(record.exchange) || isMarked(record));
  return { ours, stale, theirs: rest.filter((record) => !stale.includes(record)) };
}
