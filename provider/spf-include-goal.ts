/** What `SpfInclude` wants by its inputs and its state. */
import { parseClaim } from "../mail/journal.ts";
import type { SpfGoal } from "../mail/spf-claims.ts";
import type {
  SpfIncludeInputs as Inputs,
  SpfIncludeOutputs as Outputs,
} from "./spf-include-schema.ts";

export function termsOf({
  include,
  alsoInclude = [],
  replacements = [],
}: Pick<Inputs, "include" | "alsoInclude" | "replacements">): string[] {
  const includes = [...(include === undefined ? [] : [include]), ...alsoInclude];
  return [...includes.map((each) => `include:${each}`), ...replacements];
}

/** A domain's own sender that stood in the record before was never claimed, and is not taken out. */
export function claimedTerms({ claimedTerms: claimed, include }: Outputs): readonly string[] {
  return claimed ?? (include === undefined ? [] : [`include:${include}`]);
}

export function goalOf(inputs: Inputs, claim: string): SpfGoal {
  return {
    holder: inputs.organisation,
    claim: parseClaim(claim),
    mayClaim: false,
    terms: termsOf({ ...inputs, replacements: [] }),
    replacements: inputs.replacements ?? [],
    known: [],
    base: inputs.base,
  };
}
