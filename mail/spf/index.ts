export { type CheckHostArgs, checkHost, type SpfOutcome, type SpfResult } from "./check-host.ts";
export { findTerm, insertTerms, removeTerms } from "./edit.ts";
export { parseRecord, type SpfSelection, selectSpf } from "./record.ts";
export { SpfSyntaxError } from "./syntax-error.ts";
export type { SpfDirective, SpfMechanism, SpfModifier, SpfQualifier, SpfTerm } from "./term.ts";
