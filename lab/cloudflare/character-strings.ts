/** The content of TXT records: quoted character strings (RFC 1035 sections 3.3.14 and 5.1). */

const escapes = /\\(\d{3}|[^])/g;
const quoted = /"((?:[^"\\]|\\[^])*)"/g;
const quotedSequence = /^\s*"(?:[^"\\]|\\[^])*"(?:\s*"(?:[^"\\]|\\[^])*")*\s*$/;

/**
 * The content as the API returns it: every string quoted, none longer than 255 bytes. Text without
 * quotes becomes one string. Returns `undefined` where the quotes do not match.
 */
export function normaliseText(content: string): string | undefined {
  const strings = parse(content);
  return strings?.flatMap(chunks).map(quote).join(" ");
}

/** Bytes of all strings together. */
export function textLength(normalised: string): number {
  return parse(normalised)?.reduce((sum, bytes) => sum + bytes.length, 0) ?? 0;
}

function parse(content: string): Buffer[] | undefined {
  if (!content.startsWith('"')) return [Buffer.from(content)];
  if (!quotedSequence.test(content)) return undefined;
  return [...content.matchAll(quoted)].map(([, text = ""]) => unescape(text));
}

function unescape(text: string): Buffer {
  const bytes = Buffer.from(text).toString("latin1");
  const plain = bytes.replace(escapes, (_, escape: string) =>
    escape.length === 3 ? String.fromCharCode(Number(escape) & 255) : escape,
  );
  return Buffer.from(plain, "latin1");
}

function chunks(bytes: Buffer): Buffer[] {
  const count = Math.max(1, Math.ceil(bytes.length / 255));
  return Array.from({ length: count }, (_, index) =>
    bytes.subarray(index * 255, (index + 1) * 255),
  );
}

function quote(bytes: Buffer): string {
  const text = bytes
    .toString("latin1")
    .replace(/["\\]/g, String.raw`\$&`)
    .replace(/[^ -~]/g, (byte) => `\\${byte.charCodeAt(0).toString().padStart(3, "0")}`);
  return `"${text}"`;
}
