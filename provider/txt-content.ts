/**
 * The content of a TXT record as Cloudflare's API writes it: quoted character strings of at most
 * 255 bytes (RFC 1035, section 3.3.14), which belong together without anything between them.
 */

const CHUNK = 255;

/** The joined character strings, one UTF-16 unit a byte; content without quotes is taken as it is. */
export function decodeText(content: string): string {
  const bytes = Buffer.from(content, "utf8").toString("latin1");
  if (!bytes.startsWith('"')) return bytes;
  const strings = bytes.matchAll(/"((?:[^"\\]|\\.)*)"/gs);
  return [...strings].map(([, text = ""]) => text.replace(/\\(\d{3}|.)/gs, unescape)).join("");
}

function unescape(_: string, escaped: string): string {
  return escaped.length === 3 ? String.fromCharCode(Number(escaped)) : escaped;
}

/**
 * Quoted, in chunks; what is not printable ASCII as `\DDD` (RFC 1035, section 5.1).
 *
 * @param text one UTF-16 unit a byte
 */
export function encodeText(text: string): string {
  const chunks = text.match(new RegExp(`[^]{1,${CHUNK}}`, "g")) ?? [""];
  return chunks.map((chunk) => `"${chunk.replace(/["\\]|[^ -~]/g, escape)}"`).join(" ");
}

function escape(character: string): string {
  if (character === '"' || character === "\\") return `\\${character}`;
  return `\\${String(character.charCodeAt(0)).padStart(3, "0")}`;
}
