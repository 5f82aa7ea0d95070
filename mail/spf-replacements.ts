/** What a change of `spf.replaceMx` makes of a domain's SPF record. */
import type { SpfClaim } from "./journal.ts";
import { findTerm, insertTerms, removeTerms } from "./spf/index.ts";
import { includesTerm } from "./spf-claims.ts";

export interface ReplacementsChange {
  /** The record now: the change may already be in it. */
  readonly record: string;
  /** The terms as the last run left them. */
  readonly before: readonly string[];
  readonly after: readonly string[];
  /** Who needs which term in the record; `undefined` where that is not known. */
  readonly claims: readonly SpfClaim[] | undefined;
}

export interface ReplacedRecords {
  /** The record as the last run left it. */
  readonly record: string;
  readonly nextRecord: string;
  /** The terms that the change takes out of it. */
  readonly gone: readonly string[];
}

/**
 * The record before and after the change. A term stays where it stood before it was asked for, or where someone
 * else needs it, too: see `decideSpf`. Where that is not known, it goes.
 *
 * @throws SpfSyntaxError
 */
export function replacedRecords(change: ReplacementsChange): ReplacedRecords {
  const { before, after, record } = change;
  const dropped = before.filter((term) => !includesTerm(after, term));
  const gone = dropped.filter((term) => !stays(term, change));
  const complete = insertTerms(record, gone);
  const nextRecord = insertTerms(removeTerms(complete, gone), after);
  return { record: complete, nextRecord, gone };
}

/** Of a term that goes, one resource has the claim; none where the record has lost it already. */
function stays(term: string, { record, claims }: ReplacementsChange): boolean {
  if (claims === undefined || findTerm(record, term) === undefined) return false;
  return claims.filter(({ terms }) => includesTerm(terms, term)).length !== 1;
}
