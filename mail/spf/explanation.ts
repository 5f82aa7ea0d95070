/** The text that a domain gives for a `fail` (RFC 7208, section 6.2). */
import { ask, type Evaluation } from "./evaluation.ts";
import { explainString } from "./grammar.ts";
import { expandDomain, expandText } from "./macro.ts";
import type { SpfTerm } from "./term.ts";

/** `undefined` where the record has no `exp`, or its text cannot be had or is malformed. */
export async function findExplanation(
  evaluation: Evaluation,
  domain: string,
  terms: readonly SpfTerm[],
): Promise<string | undefined> {
  const exp = terms.find((term) => term.kind === "exp");
  if (exp === undefined) return undefined;
  const target = await expandDomain(evaluation, domain, exp.domain);
  const { records } = await ask(evaluation, target, "TXT");
  const [text] = records;
  if (text === undefined || records.length > 1 || !explainString.test(text)) return undefined;
  return expandText(evaluation, domain, text);
}
