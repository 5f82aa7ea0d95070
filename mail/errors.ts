/** The error of every rule: what is wrong, where, with which value, and how to go on. */

export interface MailRuleFault {
  /** A stable id of the rule that was broken, in kebab case: `domain-name-too-long`. Never reworded. */
  readonly code: string;
  /** One sentence that says what is wrong and quotes the offending value. */
  readonly problem: string;
  /** One sentence that says how to go on. */
  readonly fix: string;
  /** Where the value stands: a record's name and type, or the path in a configuration file. */
  readonly where?: string | undefined;
  /** The offending value as it was given. Never a secret. */
  readonly value?: string | undefined;
  readonly cause?: unknown;
}

/** Its message is `<where>: <problem> <fix>`. A refusal by the provider is thrown as this, too. */
export class MailRuleError extends Error {
  override readonly name: string = "MailRuleError";
  readonly code: string;
  readonly problem: string;
  readonly fix: string;
  readonly where: string | undefined;
  readonly value: string | undefined;

  constructor({ code, problem, fix, where, value, cause }: MailRuleFault) {
    const place = where === undefined ? "" : `${where}: `;
    super(`${place}${problem} ${fix}`, cause === undefined ? undefined : { cause });
    this.code = code;
    this.problem = problem;
    this.fix = fix;
    this.where = where;
    this.value = value;
  }

  /** The same fault, reported at the place that only the caller knows. */
  at(where: string): MailRuleError {
    const { code, problem, fix, value } = this;
    return new MailRuleError({ code, problem, fix, where, value, cause: this });
  }
}

/** The fault that reading a text ends with, at the place where the text stands; none where it is right. */
export function faultsOfReading(read: () => unknown, where: string): MailRuleFault[] {
  try {
    read();
    return [];
  } catch (error) {
    if (!(error instanceof MailRuleError)) throw error;
    const { code, problem, fix, value } = error;
    return [{ code, where, value, problem, fix, cause: error }];
  }
}
