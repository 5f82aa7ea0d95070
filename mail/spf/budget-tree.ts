/** Walks an SPF record and every record it refers to, and counts the lookups by term. */
import type { DnsStatus, DnsType, DnsValue, Resolver } from "../dns.ts";
import { isQueryable } from "./domain-name.ts";
import { exchangeLimit, queriesDns } from "./limits.ts";
import { expandFixedDomain } from "./macro.ts";
import type { SpfProblem } from "./problem.ts";
import { parseRecord, selectSpf } from "./record.ts";
import { SpfSyntaxError } from "./syntax-error.ts";
import { isDirective, type SpfTerm } from "./term.ts";

/** A term that queries DNS, with the terms of the record that it refers to. */
export interface SpfTermBudget {
  /** As it is written. */
  readonly term: string;
  /** Of the term and of everything below it. */
  readonly lookups: number;
  readonly children: readonly SpfTermBudget[];
}

export interface Walk {
  readonly resolver: Resolver;
  /** The domain of MAIL FROM. */
  readonly mailDomain: string;
  readonly problems: SpfProblem[];
  lookups: number;
  voidLookups: number;
}

/** A tree that is this far over the limit is not followed further; it may have no end. */
const followedLookups = 100;

/** Where the walk is: the domain whose record is read, and those that led to it. */
export interface WalkPlace {
  readonly domain: string;
  readonly path: readonly string[];
}

/**
 * Measures the terms that a receiver can get to: not those behind `all`, nor a `redirect` beside
 * `all` (RFC 7208, section 5.1).
 */
export async function measureTerms(
  walk: Walk,
  place: WalkPlace,
  terms: readonly SpfTerm[],
): Promise<readonly SpfTermBudget[]> {
  const directives = terms.filter(isDirective);
  const end = directives.findIndex(({ kind }) => kind === "all");
  const redirects = terms.filter(({ kind }) => kind === "redirect");
  const reached = end === -1 ? [...directives, ...redirects] : directives.slice(0, end);

  const budgets: SpfTermBudget[] = [];
  for (const term of reached.filter(({ kind }) => queriesDns(kind))) {
    budgets.push(await measureTerm(walk, place, term));
  }
  return budgets;
}

async function measureTerm(walk: Walk, place: WalkPlace, term: SpfTerm): Promise<SpfTermBudget> {
  walk.lookups += 1;
  const children = walk.lookups > followedLookups ? [] : await measureTarget(walk, place, term);
  const lookups = children.reduce((sum, child) => sum + child.lookups, 1);
  return { term: term.text, lookups, children };
}

/** What `ptr` asks for depends on the client alone, so that nothing is asked here. */
async function measureTarget(
  walk: Walk,
  place: WalkPlace,
  term: SpfTerm,
): Promise<readonly SpfTermBudget[]> {
  const target = await findTarget(walk, place, term);
  if (target === undefined) return [];
  const { kind } = term;
  if (kind === "include" || kind === "redirect") return measureReferred(walk, place, term, target);
  if (!isQueryable(target)) return [];
  if (kind === "mx") await countExchanges(walk, place, target);
  if (kind === "a") await countVoid(walk, place, target, ["A", "AAAA"]);
  if (kind === "exists") await countVoid(walk, place, target, ["A"]);
  return [];
}

/** `undefined` where the name differs from message to message. */
async function findTarget(
  { mailDomain, problems }: Walk,
  { domain }: WalkPlace,
  term: SpfTerm,
): Promise<string | undefined> {
  const spec = "domain" in term ? term.domain : undefined;
  if (spec === undefined) return domain;
  const target = await expandFixedDomain(spec, domain, mailDomain);
  if (target === undefined && (term.kind === "include" || term.kind === "redirect")) {
    problems.push({
      code: "spf-depends-on-message",
      severity: "hint",
      where: domain,
      value: term.text,
      problem: `"${term.text}" names another domain for every message; it is counted as one lookup.`,
      fix: "Ask its owner how many lookups the records behind it use.",
    });
  }
  return target?.toLowerCase();
}

async function measureReferred(
  walk: Walk,
  { domain, path }: WalkPlace,
  { text }: SpfTerm,
  target: string,
): Promise<readonly SpfTermBudget[]> {
  const place = { domain: target, path: [...path, target] };
  const fault = { severity: "error", where: domain, value: text } as const;
  if (path.includes(target)) {
    const loop = place.path.slice(path.indexOf(target)).join(" → ");
    const problem = `"${text}" leads back to where it came from: ${loop}.`;
    walk.problems.push({ ...fault, code: "spf-loop", problem, fix: "Remove one of these terms." });
    return [];
  }
  const texts = await query(walk, domain, target, "TXT");
  if (texts === undefined) return [];
  if (texts.length === 0) walk.voidLookups += 1;

  const selection = selectSpf(texts);
  if (selection.status === "none") {
    const problem = `"${text}" names ${target}, which has no SPF record.`;
    const fix = "Remove the term, or correct the name.";
    walk.problems.push({ ...fault, code: "spf-nested-record-missing", problem, fix });
    return [];
  }
  if (selection.status === "several") {
    const problem = `"${text}" names ${target}, which has ${selection.records.length} SPF records.`;
    const fix = "Its owner must leave one of them; remove the term until then.";
    walk.problems.push({ ...fault, code: "spf-nested-records-several", problem, fix });
    return [];
  }
  const terms = parseNested(walk, place, selection.record);
  return measureTerms(walk, place, terms);
}

function parseNested(walk: Walk, { domain }: WalkPlace, record: string): readonly SpfTerm[] {
  try {
    return parseRecord(record);
  } catch (cause) {
    if (!(cause instanceof SpfSyntaxError)) throw cause;
    const { problem, fix } = cause;
    const fault = { severity: "error", where: domain, value: record, problem, fix, cause } as const;
    walk.problems.push({ ...fault, code: "spf-nested-syntax" });
    return [];
  }
}

async function countExchanges(walk: Walk, place: WalkPlace, target: string): Promise<void> {
  const exchanges = await query(walk, place.domain, target, "MX");
  if (exchanges === undefined) return;
  if (exchanges.length === 0) walk.voidLookups += 1;
  if (exchanges.length > exchangeLimit) {
    walk.problems.push({
      code: "spf-exchanges-over-limit",
      severity: "error",
      where: place.domain,
      value: target,
      problem: `${target} has ${exchanges.length} MX records; "mx" allows ${exchangeLimit}.`,
      fix: "Name the senders with ip4: and ip6: instead of mx.",
    });
  }
  for (const { exchange } of exchanges.slice(0, exchangeLimit)) {
    await countVoid(walk, place, exchange, ["A", "AAAA"]);
  }
}

/** A host with addresses of one family only is void for clients of the other; it is not counted. */
async function countVoid(
  walk: Walk,
  { domain }: WalkPlace,
  name: string,
  types: readonly ("A" | "AAAA")[],
): Promise<void> {
  if (!isQueryable(name)) return;
  for (const type of types) {
    const records = await query(walk, domain, name, type);
    if (records === undefined || records.length > 0) return;
  }
  walk.voidLookups += 1;
}

/** `undefined`, and a problem, where DNS gave no answer. */
async function query<T extends DnsType>(
  { resolver, problems }: Walk,
  domain: string,
  name: string,
  type: T,
): Promise<readonly DnsValue[T][] | undefined> {
  if (!isQueryable(name)) return [];
  const { status, records } = await resolver(name, type);
  if (!isFailure(status)) return records;
  problems.push({
    code: "spf-dns-unanswered",
    severity: "error",
    where: domain,
    value: name,
    problem: `DNS answered ${type} of ${name} with "${status}".`,
    fix: "Try again; if it stays, whoever runs that name's DNS must mend it.",
  });
  return undefined;
}

function isFailure(status: DnsStatus): boolean {
  return status === "servfail" || status === "timeout";
}
