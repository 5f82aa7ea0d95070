/** Numbers of things in words. */
import type { ChangeKind, StackReport } from "./stack-report.ts";

/** `1 stack`, `3 stacks`. */
export function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}

const PHRASES: Readonly<Record<ChangeKind, readonly [one: string, many: string]>> = {
  unknown: ["could not be previewed", "could not be previewed"],
  offboard: ["leaves the gateway", "leave the gateway"],
  onboard: ["comes onto the gateway", "come onto the gateway"],
  "other-gateway": ["moves to another gateway", "move to another gateway"],
  inactivate: ["is no longer served", "are no longer served"],
  activate: ["is served again", "are served again"],
  bypass: ["goes around the gateway", "go around the gateway"],
  "end-bypass": ["comes back from a bypass", "come back from a bypass"],
  direction: ["changes in one direction", "change in one direction"],
  server: ["gets another mail server", "get another mail server"],
  other: ["changes otherwise", "change otherwise"],
  unchanged: ["stays as it is", "stay as they are"],
};

/** `2 stacks with 5 domains: 1 leaves the gateway, 4 stay as they are.` */
export function totals(reports: readonly StackReport[]): string {
  const domains = reports.flatMap((report) => report.domains);
  const parts = Object.entries(PHRASES).flatMap(([kind, [one, many]]) => {
    const number = domains.filter(({ change }) => change === kind).length;
    return number === 0 ? [] : [`${number} ${number === 1 ? one : many}`];
  });
  const end = parts.length === 0 ? "" : `: ${parts.join(", ")}`;
  if (domains.length === 0) return `${count(reports.length, "stack")}.`;
  return `${count(reports.length, "stack")} with ${count(domains.length, "domain")}${end}.`;
}

/** What happens to a domain, behind its name. */
export function phraseOf(kind: ChangeKind): string {
  return PHRASES[kind][0];
}
