/** What `SpfInclude` stores of what a domain's TXT records show, wherever its zone is. */
import { MailRuleError } from "../mail/errors.ts";
import { type Claim, formatClaim, type SpfClaim } from "../mail/journal.ts";
import { formatNote } from "../mail/preview-note.ts";
import { describeBudget, measureBudget, removeTerms, selectSpf } from "../mail/spf/index.ts";
import type { PublicDomain } from "./public-domain.ts";
import type { Call } from "./resource.ts";
import { termsOf } from "./spf-include-goal.ts";
import type {
  SpfIncludeInputs as Inputs,
  SpfIncludeOutputs as Outputs,
} from "./spf-include-schema.ts";

export interface SeenSpf {
  /** All TXT records of the domain, decoded. */
  readonly texts: readonly string[];
  readonly claims: readonly SpfClaim[];
}

export async function spfOutputs(
  { domain, resolver }: PublicDomain,
  { texts, claims }: SeenSpf,
  inputs: Inputs,
  claim: Claim,
  call: Call,
): Promise<Outputs> {
  const spf = selectSpf(texts);
  if (spf.status === "several") {
    const shown = spf.records.map((record) => `"${record}"`).join(", ");
    const text = `${domain} has several SPF records, a permerror at every receiver: ${shown}.`;
    call.warn(formatNote("spf-faulty", text));
  }
  const after = spf.status === "one" ? spf.record : "";
  const own = claims.find((entry) => entry.claim.resource === claim.resource);
  const kept = {
    ...inputs,
    claim: formatClaim(claim),
    ...(own !== undefined && { claimedTerms: [...own.terms] }),
  };
  try {
    const budget = await measureBudget({ domain, record: after, resolver });
    const before = withoutClaim(after, own ?? { terms: termsOf(inputs) });
    const lookupsByTerm = describeBudget(budget);
    return { ...kept, before, after, lookups: budget.lookups, lookupsByTerm };
  } catch (error) {
    if (!(error instanceof MailRuleError)) throw error;
    call.warn(formatNote("spf-faulty", error.message));
    return { ...kept, before: after, after, lookups: 0, lookupsByTerm: "the record is faulty" };
  }
}

/** The record without what the claim brought; "" where there would be none. */
function withoutClaim(record: string, { terms, base }: Pick<SpfClaim, "terms" | "base">): string {
  const rest = removeTerms(record, terms);
  return base !== undefined && rest === removeTerms(base, terms) ? "" : rest;
}
