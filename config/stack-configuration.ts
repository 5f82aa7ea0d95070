/** A stack's configuration as the engine hands it to a program, read below one prefix, and its faults. */
import { MailRuleError, type MailRuleFault } from "../mail/errors.ts";
import { suggestion } from "./schema-faults.ts";

/** The stack's configuration as the engine hands it to a program. */
export interface StackConfiguration {
  /** Where a person finds the values: `stacks/Pulumi.contoso.yaml`. */
  readonly file: string;
  /** By full key (`mail:domains`). Lists and maps are JSON texts. */
  readonly values: Readonly<Record<string, string>>;
  readonly isSecret: (key: string) => boolean;
  /** The outputs of another stack that are not secret; rejects where there is no such stack. */
  readonly outputsOf: (stack: string) => Promise<Readonly<Record<string, unknown>>>;
}

/** All faults of a stack's configuration, one a line. A place without a prefix of its own gets the one given. */
export class ConfigurationError extends Error {
  override readonly name = "ConfigurationError";
  readonly faults: readonly MailRuleError[];

  constructor(file: string, prefix: string, faults: readonly MailRuleFault[]) {
    const errors = faults.map((fault) => {
      const cause = fault.cause === undefined ? {} : { cause: fault.cause };
      const place = /^\w+:/.test(fault.where ?? "") ? fault.where : `${prefix}${fault.where}`;
      const where = `${file}: config ${place}`;
      return new MailRuleError({ ...fault, where, ...cause });
    });
    const count = errors.length === 1 ? "1 fault" : `${errors.length} faults`;
    const lines = errors.map(({ message }) => `- ${message}`);
    super(`${file} has ${count}. Nothing was changed.\n${lines.join("\n")}`);
    this.faults = errors;
  }
}

/** What stands below a prefix: every key that is known, and how its value is to be taken. */
export interface KeySpace {
  /** With its colon: `mail:`. */
  readonly prefix: string;
  readonly keys: readonly string[];
  /** Keys whose value is a text as it stands. All others are JSON where they can be. */
  readonly texts: readonly string[];
  /** Keys that may hold a secret. */
  readonly secrets: readonly string[];
  /** Why no other key may, in a sentence and a way on. */
  readonly noSecret: { readonly problem: string; readonly fix: string };
}

/** The values below a prefix, decoded. A key that holds a secret and may not is refused unread. */
export function rawValues({ values, isSecret }: StackConfiguration, space: KeySpace) {
  const faults: MailRuleFault[] = [];
  const raw: Record<string, unknown> = {};
  for (const [key, text] of Object.entries(values)) {
    if (!key.startsWith(space.prefix)) continue;
    const name = key.slice(space.prefix.length);
    if (!space.keys.includes(name)) {
      faults.push(unknownKey(name, space));
    } else if (isSecret(key) && !space.secrets.includes(name)) {
      faults.push({ code: "value-is-secret", where: name, ...space.noSecret });
    } else {
      raw[name] = space.texts.includes(name) ? text : decoded(text);
    }
  }
  return { raw, faults };
}

/** Adds what was found, except where a fault that was found earlier is the reason for it. */
export function report(faults: MailRuleFault[], found: readonly MailRuleFault[]): void {
  const reported = new Set(faults.map(({ where }) => where));
  faults.push(...found.filter(({ where }) => !reported.has(where)));
}

function unknownKey(name: string, { prefix, keys }: KeySpace): MailRuleFault {
  const known = keys.map((key) => prefix + key).join(", ");
  return {
    code: "key-unknown",
    where: name,
    problem: "The key is not known.",
    fix: `${suggestion(name, keys)}The keys here are: ${known}.`,
  };
}

/** Lists and maps come as JSON; what does not is a text that somebody wrote in their place. */
function decoded(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
