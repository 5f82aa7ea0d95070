/**
 * What a stack's configuration tells the providers: where their APIs are, with which credentials they ask. A preview
 * shows nothing of it, since the engine makes these providers itself. So the stack has it as an output: by key, with a
 * hash in place of each value, as comments on pull requests quote it.
 */
import { createHash } from "node:crypto";
import type { StackConfiguration } from "./stack-configuration.ts";

/** What is no provider's. */
const OWN = ["mail:", "gateway:"];

/** In place of a secret: a hash of a short one could be found by trying. */
const SECRET = "secret";

/** Empty where nothing is set. Of a secret it tells that there is one, so another one reads the same. */
export function providerSettings({
  values,
  isSecret,
}: Pick<StackConfiguration, "values" | "isSecret">): Readonly<Record<string, string>> {
  const told = Object.entries(values).filter(([key]) => !OWN.some((own) => key.startsWith(own)));
  return Object.fromEntries(
    told.map(([key, value]) => [key, isSecret(key) ? SECRET : hashOf(value)]),
  );
}

function hashOf(value: string): string {
  return createHash("sha256").update(value).digest("hex").slice(0, 32);
}
