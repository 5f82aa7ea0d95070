/** MTA-STS (RFC 8461): the record that announces a policy, the policy itself, and the hosts it admits. */

import { MailRuleError } from "./errors.ts";

/** `enforce`: senders refuse other hosts. `testing`: they only report. `none`: as without a policy. */
export type MtaStsMode = "enforce" | "testing" | "none";

export interface MtaStsPolicy {
  readonly mode: MtaStsMode;
  /** Patterns of MX host names, in lower case: `mail.example.com` or `*.example.net`. */
  readonly mx: readonly string[];
  /** For how many seconds senders keep the policy. */
  readonly maxAge: number;
}

/** Section 3.2: the largest `max_age`, in seconds. */
const MAX_AGE_MAXIMUM = 31_557_600;
const FIELD_NAME = "[A-Za-z0-9][A-Za-z0-9_.-]{0,31}";
const RECORD_FIELD = new RegExp(`^(${FIELD_NAME})=([!-:<>-~]+)$`);
const POLICY_FIELD = new RegExp(`^(${FIELD_NAME}):[ \\t]*(\\P{Cc}+)$`, "u");
/** `["*."] Domain`, the domain as in RFC 5321 section 4.1.2. */
const MX_PATTERN = /^(\*\.)?[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/i;

/**
 * Finds the id of the policy that a domain announces (section 3.1).
 *
 * @param texts the TXT records at `_mta-sts.<domain>`, each with its strings joined.
 * @returns `undefined` where senders see no announcement: no record, more than one, or a malformed one.
 *   Senders that know a policy from before still keep to it.
 */
export function findPolicyId(texts: readonly string[]): string | undefined {
  // The grammar allows white space before the semicolon, so it does not hide a record from us.
  const records = texts.filter((text) => /^v=STSv1[ \t]*;/.test(text));
  const [record] = records;
  if (record === undefined || records.length > 1) return undefined;
  const fields = record
    .replace(/[ \t]*;[ \t]*$/, "")
    .split(/[ \t]*;[ \t]*/)
    .map((field) => RECORD_FIELD.exec(field));
  if (fields.includes(null)) return undefined;
  const id = fields.find((field) => field?.[1] === "id")?.[2];
  return id !== undefined && /^[A-Za-z0-9]{1,32}$/.test(id) ? id : undefined;
}

/**
 * Reads a policy (section 3.2). Lines end with LF or CRLF; unknown keys are ignored; of a key that may
 * stand once, the first counts. Empty lines are passed over, as widely used senders do.
 *
 * @param text the body of `https://mta-sts.<domain>/.well-known/mta-sts.txt`.
 * @throws {MailRuleError} with the code `mta-sts-policy` and the line or key that is at fault.
 */
export function parsePolicy(text: string): MtaStsPolicy {
  const fields = readFields(text);
  const first = (key: string) => fields.find(([name]) => name === key)?.[1];
  readValue("version", first("version"), /^STSv1$/, "STSv1");
  const mode = readValue("mode", first("mode"), /^(enforce|testing|none)$/, "enforce");
  const maxAge = readValue("max_age", first("max_age"), /^[0-9]{1,10}$/, "86400");
  const mx = fields
    .filter(([name]) => name === "mx")
    .map(([, value]) => readValue("mx", value, MX_PATTERN, "*.example.com").toLowerCase());
  if (mx.length === 0 && mode !== "none") readValue("mx", undefined, MX_PATTERN, "*.example.com");
  return { mode: toMode(mode), mx, maxAge: Math.min(Number(maxAge), MAX_AGE_MAXIMUM) };
}

/**
 * Whether an MX host is one that a pattern stands for (section 4.1). A wildcard stands for exactly one
 * label: `*.example.com` admits `mail.example.com`, neither `example.com` nor `a.b.example.com`.
 *
 * @param pattern as `MtaStsPolicy.mx` holds it.
 * @param exchange a host name in lower-case A-labels.
 */
export function matchesMxPattern(pattern: string, exchange: string): boolean {
  if (!pattern.startsWith("*.")) return pattern === exchange;
  const firstDot = exchange.indexOf(".");
  return firstDot > 0 && exchange.slice(firstDot) === pattern.slice(1);
}

/**
 * The MX hosts among `exchanges` that the policy does not admit, in their order; none if its mode is
 * `none`. What follows depends on the mode: in `enforce`, senders do not deliver to them (section 5).
 */
export function notAdmitted(policy: MtaStsPolicy, exchanges: readonly string[]): string[] {
  if (policy.mode === "none") return [];
  return exchanges.filter(
    (exchange) => !policy.mx.some((pattern) => matchesMxPattern(pattern, exchange)),
  );
}

function readFields(text: string): [string, string][] {
  const lines = text.split(/\r?\n/).map((line) => line.replace(/[ \t]+$/, ""));
  return lines
    .filter((line) => line !== "")
    .map((line) => {
      const [, name, value] = POLICY_FIELD.exec(line) ?? [];
      if (name === undefined || value === undefined) {
        throw policyFault(line, `has a line that is no "key: value" pair: ${JSON.stringify(line)}`);
      }
      return [name, value];
    });
}

function readValue(key: string, value: string | undefined, form: RegExp, example: string): string {
  if (value === undefined) throw policyFault(undefined, `has no "${key}"`, `${key}: ${example}`);
  if (!form.test(value)) {
    throw policyFault(value, `has the ${key} ${JSON.stringify(value)}`, `${key}: ${example}`);
  }
  return value;
}

function toMode(text: string): MtaStsMode {
  return text === "enforce" || text === "testing" ? text : "none";
}

function policyFault(value: string | undefined, problem: string, example = "mode: enforce") {
  return new MailRuleError({
    code: "mta-sts-policy",
    problem: `The MTA-STS policy ${problem}.`,
    fix: `Correct the policy file (RFC 8461 section 3.2); such a line reads "${example}".`,
    value,
  });
}
