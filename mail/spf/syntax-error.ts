/** The error for a record or a term that does not follow the grammar of RFC 7208. */
import { MailRuleError } from "../errors.ts";

export interface SpfSyntaxFault {
  readonly record: string;
  readonly position: number;
  readonly problem: string;
  readonly fix: string;
}

/** `code` is `spf-syntax`; `fix` says what to write instead. */
export class SpfSyntaxError extends MailRuleError {
  override readonly name = "SpfSyntaxError";
  /** The record, or the term given alone, in which the fault stands. */
  readonly record: string;
  /** Where in `record` the fault stands, in bytes from 0. */
  readonly position: number;

  constructor({ record, position, problem, fix }: SpfSyntaxFault) {
    super({
      code: "spf-syntax",
      problem: `Syntax error at position ${position} of the SPF text ${JSON.stringify(record)}: ${problem}`,
      fix,
      value: record,
    });
    this.record = record;
    this.position = position;
  }
}
