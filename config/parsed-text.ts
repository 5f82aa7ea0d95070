/** A zod type for a text that a rule of `mail/` reads: into its normal form, or into what it means. */
import { z } from "zod";
import { MailRuleError } from "../mail/errors.ts";
import { customIssue } from "./schema-faults.ts";

/** What an editor shows of a value. */
export interface About {
  readonly description: string;
  readonly examples: readonly [string, ...string[]];
}

/** `parse` throws a `MailRuleError` for a text that is wrong. */
export function parsedText<T>(about: About, parse: (text: string) => T) {
  // The examples stand on the text that goes in: zod drops those of a type that transforms.
  return z
    .string()
    .meta({ examples: [...about.examples] })
    .transform((text, context) => {
      try {
        return parse(text);
      } catch (error) {
        if (!(error instanceof MailRuleError)) throw error;
        context.addIssue(customIssue(error));
        return z.NEVER;
      }
    })
    .meta({ description: about.description });
}
