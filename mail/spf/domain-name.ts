/** Domain names as SPF needs them: in A-labels, of lengths that DNS can carry (RFC 7208, 4.3, 7.3). */
import { domainToASCII } from "node:url";

const longestName = 253;
const longestLabel = 63;
const visibleAscii = /^[\x20-\x7e]*$/;

/** U-labels become A-labels, and one trailing dot goes. A name that no A-labels can hold becomes "". */
export function toAscii(name: string): string {
  const bare = name.replace(/\.$/, "");
  return visibleAscii.test(bare) ? bare : domainToASCII(bare);
}

/** Whether a DNS query can be made from `name`, which has no trailing dot. */
export function isQueryable(name: string): boolean {
  return (
    name.length <= longestName &&
    visibleAscii.test(name) &&
    name.split(".").every((label) => label.length > 0 && label.length <= longestLabel)
  );
}

/** Whether check_host() can start with `name`: several labels, and no address in brackets. */
export function isMailDomain(name: string): boolean {
  return isQueryable(name) && name.includes(".") && !name.startsWith("[");
}

/** Removes labels from the left until the name fits into 253 characters (section 7.3). */
export function truncateName(name: string): string {
  let fitting = name;
  while (fitting.length > longestName) {
    const dot = fitting.indexOf(".");
    if (dot === -1) return "";
    fitting = fitting.slice(dot + 1);
  }
  return fitting;
}

/** Whether `name` is `domain` or lies below it. */
export function isWithin(name: string, domain: string): boolean {
  const lower = name.toLowerCase();
  const parent = domain.toLowerCase();
  return lower === parent || lower.endsWith(`.${parent}`);
}
