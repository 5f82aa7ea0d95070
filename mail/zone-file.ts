/** Records as the lines of a zone file (RFC 1035, section 5), which every DNS host can read and show. */
import type { MxRecord } from "./dns.ts";
import { formatMx } from "./mx.ts";

/** The most bytes of one character string (RFC 1035, section 3.3). */
const CHUNK = 255;

/** `contoso.test. 300 IN MX 10 mail.contoso.test.`; without a TTL the zone's own counts. */
export function mxLine(domain: string, mx: MxRecord, ttl?: number): string {
  return line(domain, "MX", formatMx(mx), ttl);
}

/** `contoso.test. 300 IN TXT "v=spf1 -all"` */
export function txtLine(domain: string, text: string, ttl?: number): string {
  return line(domain, "TXT", quoteText(text), ttl);
}

/**
 * The character strings of a TXT record: quoted, in chunks of at most 255 bytes, which belong together
 * without anything between them; what is not printable ASCII as `\DDD` (RFC 1035, section 5.1).
 *
 * @param text one UTF-16 unit a byte
 */
export function quoteText(text: string): string {
  const chunks = text.match(new RegExp(`[^]{1,${CHUNK}}`, "g")) ?? [""];
  return chunks.map((chunk) => `"${chunk.replace(/["\\]|[^ -~]/g, escape)}"`).join(" ");
}

function line(domain: string, type: string, data: string, ttl?: number): string {
  return [`${domain}.`, ...(ttl === undefined ? [] : [ttl]), "IN", type, data].join(" ");
}

function escape(character: string): string {
  if (character === '"' || character === "\\") return `\\${character}`;
  return `\\${String(character.charCodeAt(0)).padStart(3, "0")}`;
}
