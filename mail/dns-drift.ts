/** What someone else has changed in a domain's records since the last run, in words. Pure. */
import type { MxRecord } from "./dns.ts";
import { formatMx, includesMx } from "./mx.ts";
import { selectSpf } from "./spf/index.ts";

/** When a record was made and last changed, where the DNS host tells it. ISO 8601, UTC. */
export interface Dated {
  readonly created?: string | undefined;
  readonly modified?: string | undefined;
}

export interface DatedText extends Dated {
  readonly content: string;
}

export interface Drift {
  readonly text: string;
  /** Something that the last run brought about is missing. Otherwise something stands beside it. */
  readonly isMissing: boolean;
}

/** @param expected as the last run left them */
export function mxDrift(
  domain: string,
  expected: readonly MxRecord[],
  present: readonly (MxRecord & Dated)[],
): Drift | undefined {
  const added = present.filter((record) => !includesMx(expected, record));
  const missing = expected.filter((record) => !includesMx(present, record));
  if (added.length === 0 && missing.length === 0) return undefined;
  const parts = [
    ...added.map((record) => `${formatMx(record)} stands there${since(record)}`),
    ...missing.map((record) => `${formatMx(record)} is gone, and nothing tells since when`),
  ];
  const text = `The MX of ${domain} were changed since the last run: ${parts.join("; ")}.`;
  return { text, isMissing: missing.length > 0 };
}

/**
 * @param expected the record as the last run left it
 * @param terms the gateway's
 * @param texts every TXT record at the name
 */
export function spfDrift(
  domain: string,
  { expected, terms }: { readonly expected: string; readonly terms: readonly string[] },
  texts: readonly DatedText[],
): Drift | undefined {
  const present = texts.filter(({ content }) => selectSpf([content]).status !== "none");
  const [only, ...others] = present;
  if (only !== undefined && others.length === 0 && only.content === expected) return undefined;
  const lost = terms.filter((term) => !present.some(({ content }) => hasTerm(content, term)));
  const now =
    present.length === 0
      ? ["it is gone, and nothing tells since when"]
      : present.map((record) => `now ${record.content}${since(record)}`);
  const lack = lost.length === 0 ? "" : ` It lacks ${lost.join(" ")}.`;
  const text = `The SPF record of ${domain} was changed since the last run, was ${expected}: ${now.join("; ")}.${lack}`;
  return { text, isMissing: lost.length > 0 };
}

/** Terms do not depend on case (RFC 7208, section 4.6.1). */
function hasTerm(record: string, term: string): boolean {
  return record.toLowerCase().split(/\s+/).includes(term.toLowerCase());
}

/** A record that was edited in place was there before as another one. */
function since({ created, modified }: Dated): string {
  if (modified === undefined) return "";
  if (created === undefined || created === modified) return ` since ${inWords(modified)}`;
  return `, last changed at ${inWords(modified)}`;
}

/** To the second. */
function inWords(time: string): string {
  return `${time.slice(0, 19).replace("T", " ")} UTC`;
}
