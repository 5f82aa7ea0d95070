/** The stack's configuration, as the engine hands it to a program. */
import { getStack } from "@pulumi/pulumi/metadata.js";
import * as config from "@pulumi/pulumi/runtime/config.js";
import { invoke } from "@pulumi/pulumi/runtime/invoke.js";
import { z } from "zod";
import type { StackConfiguration } from "../config/stack-configuration.ts";

declare module "@pulumi/pulumi/runtime/config.js" {
  // It exists, but its declaration is left out. `Config.get` asks it, too.
  export function isConfigSecret(key: string): boolean;
}

const stackOutputs = z.object({
  outputs: z.record(z.string(), z.unknown()),
  secretOutputNames: z.array(z.string()),
});

export function stackConfiguration(): StackConfiguration {
  return {
    file: `stacks/Pulumi.${getStack()}.yaml`,
    values: config.allConfig(),
    isSecret: config.isConfigSecret,
    outputsOf,
  };
}

/**
 * By the function behind `pulumi.StackReference`: where the stack does not exist, that resource ends the run
 * before the program can say which value of the configuration is wrong.
 */
async function outputsOf(name: string): Promise<Record<string, unknown>> {
  const answer: unknown = await invoke("pulumi:pulumi:readStackOutputs", { name });
  const { outputs, secretOutputNames } = stackOutputs.parse(answer);
  return Object.fromEntries(
    Object.entries(outputs).filter(([output]) => !secretOutputNames.includes(output)),
  );
}
