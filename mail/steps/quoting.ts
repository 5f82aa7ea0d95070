/** Values in commands, written so that none can end its place and become a command itself. */
import { createHash } from "node:crypto";

/**
 * A value as a verbatim string of PowerShell, in which nothing is expanded. PowerShell takes the four
 * typographic single quotes for the plain one; any of them doubled stands for itself.
 *
 * Source: about_Quoting_Rules; `CharExtensions.IsSingleQuote` in PowerShell's own tokenizer.
 */
export function powershell(value: string): string {
  return `'${oneLine(value).replace(/['\u2018\u2019\u201A\u201B]/g, "$&$&")}'`;
}

/** Several of them, as an array. */
export function powershellList(values: readonly string[]): string {
  return values.map(powershell).join(",");
}

/** A value as one word of a POSIX shell (IEEE 1003.1, section 2.2.2). */
export function shell(value: string): string {
  return `'${oneLine(value).replaceAll("'", `'\\''`)}'`;
}

/** A host name, domain or address where the language has no quotes that would hold: only their letters pass. */
export function bare(value: string): string {
  if (/^[A-Za-z0-9](?:[A-Za-z0-9.:-]*[A-Za-z0-9])?$/.test(value)) return value;
  throw new Error(`${JSON.stringify(value)} is neither a name nor an address.`);
}

/** A regular expression for the addresses of exactly this domain. `contoso.com` alone would mean subdomains too. */
export function addressPattern(domain: string): string {
  return `@${bare(domain).replaceAll(".", "\\.")}$`;
}

/** Exchange's limit for the names of connectors and mail flow rules. */
const NAME_MAXIMUM = 64;

/** A name for something at Exchange: shortened where it must be, and then still different for each host or domain. */
export function exchangeName(prefix: string, host: string): string {
  const name = `${prefix} ${host}`;
  if (name.length <= NAME_MAXIMUM) return name;
  const mark = createHash("sha256").update(host).digest("hex").slice(0, 8);
  return `${name.slice(0, NAME_MAXIMUM - mark.length - 1)} ${mark}`;
}

/** A line break would be an Enter key in the window that it is pasted into. */
function oneLine(value: string): string {
  if (!/[\p{Cc}\u2028\u2029]/u.test(value)) return value;
  throw new Error(`${JSON.stringify(value)} holds a control character.`);
}
