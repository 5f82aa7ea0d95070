/** Putting terms into an SPF record and taking them out; every other byte stays as it is. */
import { parseRecord } from "./record.ts";
import { SpfSyntaxError } from "./syntax-error.ts";
import { isDirective, parseTerm, type SpfDirective } from "./term.ts";

/**
 * Puts each term right before `all`, or before `redirect=` when there is no `all`, or else at the
 * end. A term that `findTerm` finds is left as it is, unless it stands behind `all`, where it has no
 * effect (RFC 7208, section 5.1).
 * @param terms Mechanisms other than `all`: `include:_spf.example.com`.
 * @throws SpfSyntaxError when the record or a term does not follow the grammar.
 */
export function insertTerms(record: string, terms: readonly string[]): string {
  return terms.reduce(insertTerm, record);
}

/**
 * Takes each term out, with one space. Undoes `insertTerms` byte for byte where the record did not
 * have the term before.
 * @throws SpfSyntaxError as `insertTerms` does.
 */
export function removeTerms(record: string, terms: readonly string[]): string {
  return terms.reduce(removeTerm, record);
}

/**
 * The first directive of the record that is `term`, whatever its case, its qualifier and the
 * trailing dot of its domain. Macro letters keep their case: `%{L}` and `%{l}` differ.
 * @throws SpfSyntaxError as `insertTerms` does.
 */
export function findTerm(record: string, term: string): SpfDirective | undefined {
  const wanted = canonicalText(parseOwnTerm(term).text);
  return parseRecord(record)
    .filter(isDirective)
    .find(({ text }) => canonicalText(text) === wanted);
}

function insertTerm(record: string, term: string): string {
  const terms = parseRecord(record);
  const all = terms.find(({ kind }) => kind === "all");
  const present = findTerm(record, term);
  if (present !== undefined && (all === undefined || present.position < all.position)) {
    return record;
  }
  const next = all ?? terms.find(({ kind }) => kind === "redirect");
  if (next !== undefined) return splice(record, next.position, next.position, `${term} `);
  const end = record.trimEnd().length;
  return splice(record, end, end, ` ${term}`);
}

function removeTerm(record: string, term: string): string {
  let remaining = record;
  for (let own = findTerm(remaining, term); own; own = findTerm(remaining, term)) {
    const end = own.position + own.text.length;
    const isLast = end === remaining.trimEnd().length;
    remaining = isLast
      ? splice(remaining, own.position - 1, end, "")
      : splice(remaining, own.position, end + 1, "");
  }
  return remaining;
}

function splice(text: string, start: number, end: number, insertion: string): string {
  return text.slice(0, start) + insertion + text.slice(end);
}

function parseOwnTerm(text: string): SpfDirective {
  const term = parseTerm(text);
  if (isDirective(term) && term.kind !== "all") return term;
  throw new SpfSyntaxError({
    record: text,
    position: 0,
    problem: `"${text}" is not a mechanism that can be put into a record.`,
    fix: "Give a mechanism other than all, such as include:_spf.example.com.",
  });
}

function canonicalText(directive: string): string {
  const bare = directive.replace(/^[-+?~]/, "").replace(/\.(?=$|\/)/, "");
  return bare.replace(/%\{[^}]*\}|[^%]/g, (part) =>
    part.startsWith("%") ? part : part.toLowerCase(),
  );
}
