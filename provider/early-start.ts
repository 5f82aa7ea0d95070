/** Has the engine start the provider before the first resource asks for it. */
import { setImmediate } from "node:timers/promises";
import { invoke } from "@pulumi/pulumi/runtime/invoke.js";
import { isDryRun } from "@pulumi/pulumi/runtime/settings.js";

/** Turns of the event loop until a request has left. Loading modules at once would hold it up. */
const turns = 3;

/**
 * The engine starts a provider at the first request for it, and a provider takes about 0.15 s to start.
 * Asked for now, it starts while the program loads and reads the configuration. It has no functions:
 * the answer is an error, and does not matter.
 *
 * In a preview only: elsewhere the provider would be in the state before the configuration is read.
 */
export async function startProvider(): Promise<void> {
  if (!isDryRun()) return;
  invoke("mxhero:index:start", {}).catch(() => undefined);
  for (let turn = 0; turn < turns; turn += 1) await setImmediate();
}
