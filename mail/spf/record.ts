/** Finding a domain's SPF record among its TXT records, and parsing it (RFC 7208, 4.5 and 4.6). */
import { version } from "./grammar.ts";
import { SpfSyntaxError } from "./syntax-error.ts";
import { parseTerm, type SpfTerm } from "./term.ts";

export type SpfSelection =
  | { readonly status: "none" }
  | { readonly status: "one"; readonly record: string }
  | { readonly status: "several"; readonly records: readonly string[] };

/**
 * Keeps the TXT records that start with the version section `v=spf1`, in any case, ended by a space
 * or by the record's end (RFC 7208, section 4.5). More than one is a permerror for every receiver.
 */
export function selectSpf(txts: readonly string[]): SpfSelection {
  const records = txts.filter((txt) => version.test(txt));
  const [record] = records;
  if (record === undefined) return { status: "none" };
  return records.length === 1 ? { status: "one", record } : { status: "several", records };
}

/**
 * The terms of a record, in order.
 * @throws SpfSyntaxError when the record does not follow the grammar, or has a second `redirect` or
 * `exp` (section 6).
 */
export function parseRecord(record: string): readonly SpfTerm[] {
  const start = version.exec(record)?.[0].length;
  if (start === undefined) {
    const problem = "an SPF record starts with v=spf1 and a space.";
    throw new SpfSyntaxError({ record, position: 0, problem, fix: 'Start it with "v=spf1 ".' });
  }
  const words = [...record.slice(start).matchAll(/[^ ]+/g)];
  const terms = words.map((word) => parseTerm(word[0], record, start + word.index));
  refuseSecond(terms, "redirect", record);
  refuseSecond(terms, "exp", record);
  return terms;
}

function refuseSecond(terms: readonly SpfTerm[], kind: "redirect" | "exp", record: string): void {
  const second = terms.filter((term) => term.kind === kind)[1];
  if (second === undefined) return;
  throw new SpfSyntaxError({
    record,
    position: second.position,
    problem: `"${second.text}" is the second ${kind}= of the record.`,
    fix: "Remove one of the two.",
  });
}
