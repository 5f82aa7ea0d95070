/** What a budget finds fault with. Every fault has a stable code. */
import type { MailRuleFault } from "../errors.ts";

export type SpfProblemCode =
  | "spf-lookups-over-limit"
  | "spf-void-lookups-over-limit"
  | "spf-exchanges-over-limit"
  | "spf-nested-record-missing"
  | "spf-nested-records-several"
  | "spf-nested-syntax"
  | "spf-loop"
  | "spf-dns-unanswered"
  | "spf-depends-on-message"
  | "spf-answer-size";

/**
 * With `error`, receivers that get as far as the place answer permerror, or it could not be read.
 * A `hint` breaks nothing. `where` is the domain whose record has the fault.
 */
export interface SpfProblem extends MailRuleFault {
  readonly code: SpfProblemCode;
  readonly severity: "error" | "hint";
}
