/**
 * What a stack's configuration tells the providers: where their APIs are, with which credentials they ask. A preview
 * shows nothing of it, since the engine makes these providers itself. So the stack has it as an output: by key, with a
 * hash in place of each value, as comments on pull requests quote it.
 */
import { createHash } from "node:crypto";
import type { MailRuleFault } from "../mail/errors.ts";
import { ConfigurationError, type StackConfiguration } from "./stack-configuration.ts";

/** What is no provider's. */
const OWN = ["mail:", "gateway:"];

/** In place of a secret: a hash of a short one could be found by trying. */
const SECRET = "secret";

/** Of providers, what may be a secret. All else says where credentials go, and a secret could be changed unseen. */
const CREDENTIALS: ReadonlySet<string> = new Set([
  "mxhero:apiToken",
  "mxhero:apiTokens",
  "aws:accessKey",
  "aws:secretKey",
  "aws:token",
]);

/**
 * Empty where nothing is set. Of a secret it tells that there is one, so another one reads the same.
 *
 * @throws ConfigurationError `value-is-secret` for a setting that may be none
 */
export function providerSettings({
  file,
  values,
  isSecret,
}: Pick<StackConfiguration, "file" | "values" | "isSecret">): Readonly<Record<string, string>> {
  const told = Object.entries(values).filter(([key]) => !OWN.some((own) => key.startsWith(own)));
  const hidden = told.map(([key]) => key).filter((key) => isSecret(key) && !CREDENTIALS.has(key));
  if (hidden.length > 0) throw new ConfigurationError(file, "", hidden.map(hiddenSetting));
  return Object.fromEntries(
    told.map(([key, value]) => [key, isSecret(key) ? SECRET : hashOf(value)]),
  );
}

function hiddenSetting(key: string): MailRuleFault {
  return {
    code: "value-is-secret",
    where: key,
    problem: "A secret stands there, so that a change of it would show in no preview.",
    fix: `Write it as plain text: pulumi config set --plaintext ${key} VALUE. Only tokens and keys may be secret.`,
  };
}

function hashOf(value: string): string {
  return createHash("sha256").update(value).digest("hex").slice(0, 32);
}
