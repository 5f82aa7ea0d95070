/** What a risk is found by, and the order of risks. */
import type { MailDomain } from "./mail-domain.ts";
import type { RiskId, RiskLevel } from "./risk-ids.ts";
import type { ChangeKind, Risk } from "./stack-report.ts";

export interface RiskWorld {
  readonly domain: MailDomain;
  readonly kinds: readonly ChangeKind[];
  /** The stack's domains. */
  readonly ownDomains: ReadonlySet<string>;
}

export type Finder = (world: RiskWorld) => readonly Risk[];

const RANKS: Readonly<Record<RiskLevel, number>> = { high: 0, medium: 1, low: 2 };

export function sortRisks(risks: readonly Risk[]): Risk[] {
  return risks.toSorted((a, b) => rankOf(a.level) - rankOf(b.level));
}

export function rankOf(level: RiskLevel): number {
  return RANKS[level];
}

export function risk(id: RiskId, level: RiskLevel, text: string, fix: string): Risk {
  return { id, level, text, fix };
}
