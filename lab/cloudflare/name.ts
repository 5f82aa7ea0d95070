/** DNS names as Cloudflare's API writes them: lower case, Punycode, no trailing dot, complete. */
import { domainToASCII } from "node:url";

const label = /^(?:\*|[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)$/;

/** Returns `undefined` for what is no name. A `*` stands only for a whole label. */
export function normaliseName(name: string): string | undefined {
  const ascii = domainToASCII(name.replace(/\.$/, ""));
  const labels = ascii.split(".");
  const valid = ascii.length <= 253 && labels.every((part) => label.test(part));
  return valid && !labels.includes("*", 1) ? ascii : undefined;
}

/** The complete name of a record: `@` is the apex, and the zone is added where it is missing. */
export function nameInZone(name: string, zone: string): string | undefined {
  if (name === "@") return zone;
  const given = normaliseName(name);
  if (given === zone || given?.endsWith(`.${zone}`)) return given;
  return normaliseName(`${name.replace(/\.$/, "")}.${zone}`);
}
