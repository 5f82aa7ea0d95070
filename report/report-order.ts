/** The order of reports: who must be read first comes first. */
import { rankOf } from "./risk.ts";
import { CHANGE_KINDS, type DomainReport, type Risk, type StackReport } from "./stack-report.ts";

/** A domain with its stack. */
export interface PlacedDomain {
  readonly stack: StackReport;
  readonly domain: DomainReport;
}

/** Domains to which something happens, or of which nobody knows, the riskiest first. */
export function orderedDomains(reports: readonly StackReport[]): PlacedDomain[] {
  const all = reports.flatMap((stack) => stack.domains.map((domain) => ({ stack, domain })));
  return all.filter(isToldOf).toSorted(compare);
}

function isToldOf({ domain }: PlacedDomain): boolean {
  return domain.change !== "unchanged" || domain.unread.length > 0 || domain.risks.length > 0;
}

function compare(a: PlacedDomain, b: PlacedDomain): number {
  return (
    weightOf(a.domain) - weightOf(b.domain) ||
    CHANGE_KINDS.indexOf(a.domain.change) - CHANGE_KINDS.indexOf(b.domain.change) ||
    order(a.stack.stack, b.stack.stack) ||
    order(a.domain.domain, b.domain.domain)
  );
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** What nobody knows is the worst. */
function weightOf({ unread, risks }: DomainReport): number {
  if (unread.length > 0) return -1;
  return Math.min(3, ...risks.map(({ level }) => rankOf(level)));
}

/** Stacks that have something to say of themselves: failed ones first. */
export function orderedStacks(reports: readonly StackReport[]): StackReport[] {
  const told = reports.filter(
    ({ status, faults, risks, kind, isDestroyed }) =>
      isDestroyed ||
      status === "failed" ||
      faults.length > 0 ||
      risks.length > 0 ||
      (kind === "gateway" && status !== "unchanged"),
  );
  return told.toSorted((a, b) => stackWeight(a) - stackWeight(b) || order(a.stack, b.stack));
}

function stackWeight({ status, risks }: StackReport): number {
  if (status === "failed") return -1;
  return Math.min(3, ...risks.map(({ level }: Risk) => rankOf(level)));
}
