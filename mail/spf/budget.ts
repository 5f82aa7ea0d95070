/** What an SPF record costs in the worst case (RFC 7208, sections 3.4 and 4.6.4). */
import type { Resolver } from "../dns.ts";
import { answerLimit, measureAnswer } from "./answer-size.ts";
import { measureTerms, type SpfTermBudget, type Walk } from "./budget-tree.ts";
import { toAscii } from "./domain-name.ts";
import { lookupLimit, voidLookupLimit } from "./limits.ts";
import type { SpfProblem } from "./problem.ts";
import { parseRecord, selectSpf } from "./record.ts";

export interface MeasureBudgetArgs {
  /** The domain whose record it is, or is to be. */
  readonly domain: string;
  readonly record: string;
  readonly resolver: Resolver;
}

export interface SpfBudget {
  /** Terms that query DNS, over the whole tree. Receivers give up above 10. */
  readonly lookups: number;
  /** Names in the tree that have no records for any client. Receivers give up above 2. */
  readonly voidLookups: number;
  /** Of the record alone, in bytes. */
  readonly size: number;
  /** The record's own terms that query DNS, in order. */
  readonly terms: readonly SpfTermBudget[];
  /** Empty where nothing is wrong. */
  readonly problems: readonly SpfProblem[];
}

/**
 * Counts every term a receiver can get to, as for a client that none of them matches. The record
 * itself is not read from DNS, so that one can be measured before it is published.
 * @throws SpfSyntaxError when `record` does not follow the grammar. Faults of the records that it
 * refers to are `problems`.
 */
export async function measureBudget(args: MeasureBudgetArgs): Promise<SpfBudget> {
  const { record, resolver } = args;
  const domain = toAscii(args.domain).toLowerCase();
  const walk: Walk = { resolver, mailDomain: domain, problems: [], lookups: 0, voidLookups: 0 };
  const terms = await measureTerms(walk, { domain, path: [domain] }, parseRecord(record));
  const { lookups, voidLookups } = walk;
  const budget = { lookups, voidLookups, size: record.length, terms };
  const found = [overLookups(budget), overVoid(budget), await overSize(domain, record, resolver)];
  const problems = [...found.filter((problem) => problem !== undefined), ...walk.problems];
  return { ...budget, problems: problems.map((problem) => ({ where: domain, ...problem })) };
}

/** One line: "7 of 10 lookups: include:_spf.example.com 4, include:example.net 2, mx 1". */
export function describeBudget({ lookups, terms }: Pick<SpfBudget, "lookups" | "terms">): string {
  const dearest = terms.toSorted((one, other) => other.lookups - one.lookups);
  const uses = dearest.map((term) => `${term.term} ${term.lookups}`).join(", ");
  return `${lookups} of ${lookupLimit} lookups${uses && `: ${uses}`}`;
}

function overLookups(budget: Omit<SpfBudget, "problems">): SpfProblem | undefined {
  if (budget.lookups <= lookupLimit) return undefined;
  return {
    code: "spf-lookups-over-limit",
    severity: "error",
    problem: `The SPF record uses ${describeBudget(budget)}.`,
    fix: "Remove senders that are no longer used, or name them with ip4: and ip6:.",
  };
}

function overVoid({ voidLookups }: Omit<SpfBudget, "problems">): SpfProblem | undefined {
  if (voidLookups <= voidLookupLimit) return undefined;
  return {
    code: "spf-void-lookups-over-limit",
    severity: "error",
    problem: `${voidLookups} names that the SPF record leads to have no records; ${voidLookupLimit} may.`,
    fix: "Remove the terms whose names no longer exist.",
  };
}

/** The answer also carries the domain's other TXT records. Where they cannot be read, this alone. */
async function overSize(
  domain: string,
  record: string,
  resolver: Resolver,
): Promise<SpfProblem | undefined> {
  const { records } = await resolver(domain, "TXT");
  const others = records.filter((text) => selectSpf([text]).status === "none");
  const size = measureAnswer(domain, [...others, record]);
  if (size <= answerLimit) return undefined;
  return {
    code: "spf-answer-size",
    severity: "hint",
    problem: `The TXT answer takes ${size} bytes; ${answerLimit} fit without EDNS or TCP.`,
    fix: "Shorten the record, or move TXT records that are no longer needed.",
  };
}
