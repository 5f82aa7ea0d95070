/**
 * What a stack's configuration tells the providers: where their APIs are, with which credentials they ask. A preview
 * shows nothing of it, since the engine makes these providers itself. So the stack has it as an output: by key, with a
 * hash in place of each value, as one may be a secret.
 */
import { createHash } from "node:crypto";
import type { StackConfiguration } from "./stack-configuration.ts";

/** What is no provider's. */
const OWN = ["mail:", "gateway:"];

/** Empty where nothing is set. */
export function providerSettings({
  values,
}: Pick<StackConfiguration, "values">): Readonly<Record<string, string>> {
  const told = Object.entries(values).filter(([key]) => !OWN.some((own) => key.startsWith(own)));
  return Object.fromEntries(told.map(([key, value]) => [key, hashOf(value)]));
}

/** Nobody finds another value with the same one; and a token is so long that none can be guessed by it. */
function hashOf(value: string): string {
  return createHash("sha256").update(value).digest("hex").slice(0, 32);
}
