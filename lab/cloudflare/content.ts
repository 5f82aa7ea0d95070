/** What each record type accepts as content, how it comes back, and how it is written in a zone file. */
import { isIPv4, isIPv6 } from "node:net";
import ipaddr from "ipaddr.js";
import { normaliseText, textLength } from "./character-strings.ts";
import { badAddress, badPriority, badTarget, invalidBody } from "./errors.ts";
import { normaliseName } from "./name.ts";

/** What a client sends about a record's value. */
export interface GivenValue {
  readonly content?: string | undefined;
  readonly priority?: number | undefined;
  readonly data?: Readonly<Record<string, string | number>> | undefined;
}

/** The value as stored and returned. */
export interface Value {
  readonly content: string;
  readonly priority?: number;
  readonly data?: Readonly<Record<string, string | number>>;
}

interface RecordType {
  /** Checks and normalises. @throws {ApiError} */
  readonly normalise: (given: GivenValue) => Value;
  /** Record data in a zone file. */
  readonly present: (value: Value) => string;
  /** Bytes that count towards the limits. */
  readonly size: (content: string) => number;
}

/** With the trailing dot; "." itself stays. */
const absolute = (name: string) => name.replace(/\.?$/, ".");

const size = (content: string) => Buffer.byteLength(content);

function address(type: "A" | "AAAA"): RecordType {
  return {
    normalise({ content = "" }) {
      const text = content.trim();
      if (!(type === "A" ? isIPv4(text) : isIPv6(text))) throw badAddress(type);
      return { content: type === "A" ? text : ipaddr.IPv6.parse(text).toRFC5952String() };
    },
    present: ({ content }) => content,
    size,
  };
}

/** A host name, or "." for none: the null MX (RFC 7505), a service that is not offered (RFC 2782). */
function target(type: "MX" | "SRV", content: string): string {
  return content === "." ? content : hostName(type, content);
}

function hostName(type: string, content: string): string {
  const name = normaliseName(content);
  if (name === undefined || isIPv4(name) || name.includes("*")) throw badTarget(type);
  return name;
}

function host(type: string): RecordType {
  return {
    normalise: ({ content = "" }) => ({ content: hostName(type, content) }),
    present: ({ content }) => absolute(content),
    size,
  };
}

function checkPriority(priority: number | undefined): number {
  const valid = Number.isInteger(priority) && priority !== undefined;
  if (!valid || priority < 0 || priority > 65_535) throw badPriority();
  return priority;
}

const mx: RecordType = {
  normalise({ content = "", priority }) {
    return { content: target("MX", content), priority: checkPriority(priority) };
  },
  present: ({ content, priority }) => `${priority} ${absolute(content)}`,
  size,
};

const txt: RecordType = {
  normalise({ content = "" }) {
    const text = normaliseText(content);
    if (text === undefined || content === "") throw badTarget("TXT");
    return { content: text };
  },
  present: ({ content }) => content,
  size: textLength,
};

type Data = Readonly<Record<string, string | number>>;

/** A type whose value is sent field by field in `data`, and is its content in a zone file. */
function structured(
  type: string,
  fields: readonly string[],
  write: (data: Data) => Value,
): RecordType {
  return {
    normalise({ data }) {
      const missing = fields.filter((field) => data?.[field] === undefined);
      if (data === undefined || missing.length > 0) {
        throw invalidBody(`${type} needs data.${missing.join(", data.")}`);
      }
      return { ...write(data), data };
    },
    present: ({ content }) => content,
    size,
  };
}

const srv: RecordType = {
  ...structured("SRV", ["priority", "weight", "port", "target"], (data) => ({
    content: `${data.weight} ${data.port} ${target("SRV", String(data.target))}`,
    priority: checkPriority(Number(data.priority)),
  })),
  present: ({ content, priority }) => `${priority} ${absolute(content)}`,
};

const caa = structured("CAA", ["flags", "tag", "value"], (data) => ({
  content: `${data.flags} ${data.tag} ${JSON.stringify(data.value)}`,
}));

const tlsa = structured("TLSA", ["usage", "selector", "matching_type", "certificate"], (data) => ({
  content: `${data.usage} ${data.selector} ${data.matching_type} ${data.certificate}`,
}));

/** The types that the emulator knows. Cloudflare has more. */
export const recordTypes: ReadonlyMap<string, RecordType> = new Map([
  ["A", address("A")],
  ["AAAA", address("AAAA")],
  ["CNAME", host("CNAME")],
  ["MX", mx],
  ["NS", host("NS")],
  ["PTR", host("PTR")],
  ["TXT", txt],
  ["SRV", srv],
  ["CAA", caa],
  ["TLSA", tlsa],
]);

/** @throws {ApiError} for a type that the emulator does not know */
export function recordType(type: string): RecordType {
  const known = recordTypes.get(type);
  if (known === undefined) throw invalidBody(`The record type ${type} is not supported.`);
  return known;
}
