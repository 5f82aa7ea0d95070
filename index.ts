/** Runs the program that the stack's configuration asks for. */
import { enableCompileCache } from "node:module";
import { RunError } from "@pulumi/pulumi/errors.js";
import type { StackConfiguration } from "./config/stack-configuration.ts";
import { startProvider } from "./provider/early-start.ts";

// Pulumi's start-up maps every stack trace through source maps, and takes one for each promise: 20 ms for
// each resource. Node runs TypeScript at its own positions, so that nothing needs to be mapped.
Reflect.deleteProperty(Error, "prepareStackTrace");
// What a program needs beyond Pulumi is loaded below, from this cache.
enableCompileCache();

export default async function program() {
  await startProvider();
  const { stackConfiguration } = await import("./stacks/configuration.ts");
  const stack = stackConfiguration();
  const settings = await settingsOf(stack);
  const told = Object.keys(settings).length === 0 ? {} : { providerSettings: settings };
  if (has(stack, "mail:")) {
    const { tenant } = await import("./stacks/tenant.ts");
    return { ...(await tenant(stack)), ...told };
  }
  if (has(stack, "gateway:")) {
    const { gateway } = await import("./stacks/gateway.ts");
    return { ...(await gateway(stack)), ...told };
  }
  throw new RunError(
    `${stack.file} says nothing of any mail. Nothing was changed. ` +
      "For a tenant write mail:organisation, mail:gateway and mail:domains below config, " +
      "as stacks/Pulumi.contoso.yaml does; for a gateway write gateway:name and what belongs to it, " +
      "as stacks/Pulumi.gateway.yaml does.",
  );
}

async function settingsOf(stack: StackConfiguration) {
  const { ConfigurationError } = await import("./config/stack-configuration.ts");
  const { providerSettings } = await import("./config/provider-settings.ts");
  try {
    return providerSettings(stack);
  } catch (error) {
    if (error instanceof ConfigurationError) throw new RunError(error.message);
    throw error;
  }
}

function has({ values }: { values: object }, prefix: string): boolean {
  return Object.keys(values).some((key) => key.startsWith(prefix));
}
