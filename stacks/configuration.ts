/** The stack's configuration, as the engine hands it to a program. */
import * as pulumi from "@pulumi/pulumi";
import type { StackConfiguration } from "../config/read-tenant.ts";

declare module "@pulumi/pulumi/runtime/config.js" {
  // It exists, but its declaration is left out. `Config.get` asks it, too.
  export function isConfigSecret(key: string): boolean;
}

export function stackConfiguration(): StackConfiguration {
  return {
    file: `stacks/Pulumi.${pulumi.getStack()}.yaml`,
    values: pulumi.runtime.allConfig(),
    isSecret: (key) => pulumi.runtime.isConfigSecret(key),
    outputsOf,
  };
}

async function outputsOf(
  stack: string,
  names: readonly string[],
): Promise<Record<string, unknown>> {
  const reference = new pulumi.StackReference(stack);
  const outputs = names.map(async (name) => [name, await reference.getOutputValue(name)] as const);
  return Object.fromEntries(await Promise.all(outputs));
}
