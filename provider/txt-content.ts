/**
 * The content of a TXT record as Cloudflare's API writes it: quoted character strings of at most
 * 255 bytes (RFC 1035, section 3.3.14), which belong together without anything between them.
 */

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
