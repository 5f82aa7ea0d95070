/**
 * What becomes of a domain's SPF record when a resource needs terms in it, or needs them no longer.
 *
 * Several resources may need the same term (a rename, a move to another stack, two gateways while one
 * replaces the other), so that each writes a claim beside the record. A term goes with its last claim.
 */
import { MailRuleError } from "./errors.ts";
import { type Claim, formatClaim, formatSpfClaim, type SpfClaim } from "./journal.ts";
import { findTerm, insertTerms, removeTerms, selectSpf } from "./spf/index.ts";

export interface SpfText {
  readonly id: string;
  readonly text: string;
}

/** What a domain's zone holds. */
export interface SpfWorld {
  readonly domain: string;
  /** All TXT records of the domain. */
  readonly texts: readonly SpfText[];
  readonly claims: readonly SpfClaim[];
}

export interface SpfGoal {
  /** The organisation. */
  readonly holder: string;
  readonly claim: Claim;
  /** A create may add its claim; an update or a delete must not have lost it to a later create. */
  readonly mayClaim: boolean;
  /** The gateway's terms. They go in the end even where they stood in the record before. */
  readonly terms: readonly string[];
  /** The domain's own senders. Such a term that stood in the record before is not ours, and stays. */
  readonly replacements: readonly string[];
  /** The terms that the state remembers, for a resource whose claim was lost. */
  readonly known: readonly string[];
  /** The record to begin with where there is none. */
  readonly base?: string | undefined;
}

/** One transaction: what becomes of the record, and the claims after it. */
export interface SpfStep {
  /** In words. */
  readonly what: string;
  /** Changed records, by identifier; `add` is a new one. */
  readonly patch: readonly SpfText[];
  readonly add: readonly string[];
  readonly remove: readonly string[];
  readonly claims: readonly SpfClaim[];
}

/**
 * Brings the terms in; `undefined` where all is as it should be.
 *
 * @throws MailRuleError `other-holder`, `claim-lost`, `spf-several`, `spf-missing`, SpfSyntaxError
 */
export function decideSpf(world: SpfWorld, goal: SpfGoal): SpfStep | undefined {
  const { own, others } = standing(world, goal);
  const selected = selectSpf(world.texts.map(({ text }) => text));
  if (selected.status === "several") throw several(world.domain, selected.records);
  const former = selected.status === "one" ? selected.record : undefined;
  const start = former ?? goal.base;
  if (start === undefined) throw missing(world.domain, goal);
  const ours = [...(own?.terms ?? goal.known), ...others];
  const replacements = goal.replacements.filter(
    (term) => findTerm(start, term) === undefined || includesTerm(ours, term),
  );
  const terms = [...goal.terms, ...replacements];
  const unneeded = without(own?.terms ?? goal.known, [...terms, ...others]);
  const record = insertTerms(removeTerms(start, unneeded), terms);
  const base = former === undefined ? goal.base : baseOf(world, own);
  const claim = {
    holder: goal.holder,
    claim: goal.claim,
    terms,
    ...(base !== undefined && { base }),
  };
  if (record === former && own !== undefined && sameClaim(own, claim)) return undefined;
  const present = world.texts.find(({ text }) => text === former);
  return {
    what: `SPF of ${world.domain}: ${former ?? "no record"} → ${record}`,
    patch: present !== undefined && record !== former ? [{ id: present.id, text: record }] : [],
    add: present === undefined ? [record] : [],
    remove: [],
    claims: [...world.claims.filter((other) => other !== own), claim],
  };
}

/**
 * Takes the terms out that nobody else claims, whatever else has become of the record.
 *
 * @throws MailRuleError `other-holder`, `claim-lost` where there is nothing of this resource's left
 */
export function decideSpfRemoval(world: SpfWorld, goal: SpfGoal): SpfStep | undefined {
  const { own, others } = standing(world, { ...goal, mayClaim: false });
  const claims = world.claims.filter((claim) => claim !== own);
  if (own === undefined && claims.length > 0) throw claimLost(world);
  const unneeded = without(own?.terms ?? goal.known, others);
  const affected = world.texts.filter(({ text }) => isSpf(text) && hasAny(text, unneeded));
  const cleaned = affected.map(({ id, text }) => ({ id, text: removeTerms(text, unneeded) }));
  const base = claims.length === 0 ? own?.base : undefined;
  const isOurs = (text: string) => base !== undefined && text === removeTerms(base, unneeded);
  if (affected.length === 0 && own === undefined) return undefined;
  return {
    what: `SPF of ${world.domain} without ${unneeded.join(" ") || "changes"}`,
    patch: cleaned.filter(({ text }) => !isOurs(text)),
    add: [],
    remove: cleaned.filter(({ text }) => isOurs(text)).map(({ id }) => id),
    claims,
  };
}

/** Whether any of the terms stands in an SPF record; a record that can't be parsed has none of ours. */
export function hasAny(record: string, terms: readonly string[]): boolean {
  try {
    return terms.some((term) => findTerm(record, term) !== undefined);
  } catch (error) {
    if (error instanceof MailRuleError) return false;
    throw error;
  }
}

function isSpf(text: string): boolean {
  return selectSpf([text]).status === "one";
}

/** This resource's claim, and the terms of all others. */
function standing({ domain, claims }: SpfWorld, goal: SpfGoal) {
  // A claim proves more than a name: whoever has it holds the domain, under whatever name by now.
  const proof = claims.find(({ claim }) => formatClaim(claim) === formatClaim(goal.claim));
  const foreign = claims.find(({ holder }) => holder !== goal.holder && holder !== proof?.holder);
  if (foreign !== undefined) throw otherHolder(domain, foreign.holder, goal.holder);
  const own = claims.find(({ claim }) => claim.resource === goal.claim.resource);
  const lost = own !== undefined && own.claim.generation !== goal.claim.generation;
  if (lost && !goal.mayClaim) throw claimLost({ domain, claims });
  const others = claims.filter((claim) => claim !== own).flatMap(({ terms }) => terms);
  return { own, others };
}

/** What the present record was created from, by whichever claim knows it. */
function baseOf({ claims }: SpfWorld, own: SpfClaim | undefined): string | undefined {
  return own?.base ?? claims.find(({ base }) => base !== undefined)?.base;
}

function without(terms: readonly string[], kept: readonly string[]): string[] {
  return [...new Set(terms)].filter((term) => !includesTerm(kept, term));
}

/** By the rules of SPF: case, qualifier and a trailing dot make no other term. */
export function includesTerm(terms: readonly string[], term: string): boolean {
  return findTerm(["v=spf1", ...terms].join(" "), term) !== undefined;
}

function sameClaim(a: SpfClaim, b: SpfClaim): boolean {
  return formatSpfClaim(a).text === formatSpfClaim(b).text;
}

function otherHolder(domain: string, holder: string, wanted: string): MailRuleError {
  return new MailRuleError({
    code: "other-holder",
    where: `SPF of ${domain}`,
    problem: `The journal in DNS says that the organisation "${holder}" holds the domain, not "${wanted}".`,
    fix: `Let "${holder}" hand the domain back first (pulumi destroy, or remove it from that stack).`,
    value: holder,
  });
}

function claimLost({ domain, claims }: Pick<SpfWorld, "domain" | "claims">): MailRuleError {
  const names = claims.map(({ claim }) => formatClaim(claim)).join(", ");
  return new MailRuleError({
    code: "claim-lost",
    where: `SPF of ${domain}`,
    problem: `Another resource has taken the domain's SPF terms over since (claims ${names}).`,
    fix: "Nothing was changed here; keep the domain in one stack only.",
    value: names,
  });
}

function several(domain: string, records: readonly string[]): MailRuleError {
  return new MailRuleError({
    code: "spf-several",
    where: `SPF of ${domain}`,
    problem: `The domain has ${records.length} SPF records (${records.map((r) => `"${r}"`).join(", ")}), which is a permerror at every receiver (RFC 7208, section 4.5).`,
    fix: "Merge them into one record, then run again.",
    value: records.join(" | "),
  });
}

function missing(domain: string, { terms, replacements }: SpfGoal): MailRuleError {
  return new MailRuleError({
    code: "spf-missing",
    where: `SPF of ${domain}`,
    problem: `The domain has no SPF record to put ${[...terms, ...replacements].join(" ")} into, and a record with only that would refuse its other senders.`,
    fix: 'Set spf.base of the domain to a record that names every sender, for instance "v=spf1 mx -all".',
    value: domain,
  });
}
