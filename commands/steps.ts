/**
 * `npm run steps -- <stack> [domain]`: what a person has to do for the domains of a stack, as plain text.
 *
 * The stack's output `steps` says the same. This can be read before the first `pulumi up`, and it is not cut. It
 * changes nothing.
 */
import { Command, CommanderError } from "commander";
import { readTenantConfig } from "../config/read-tenant.ts";
import { planTenant } from "../config/tenant-plan.ts";
import { parseDomainName } from "../mail/domain-name.ts";
import { domainSteps, formatStep, type Step } from "../mail/steps/index.ts";
import { readConfiguration, readState } from "./stack.ts";

async function describe(stack: string, only: string | undefined): Promise<string> {
  const { configuration } = await readConfiguration(stack);
  const { takeovers } = await readState(stack);
  const { domains } = planTenant(await readTenantConfig(configuration));
  const wanted = only === undefined ? undefined : parseDomainName(only);
  const chosen = domains.filter(({ name }) => wanted === undefined || name === wanted);
  if (chosen.length === 0) throw new Error(`${configuration.file} has no domain ${only}.`);
  const texts = chosen.map(({ name, displayName, steps }) => {
    const held = takeovers.find(({ outputs }) => outputs.domain === name);
    const { onboarding, offboarding } = domainSteps(steps, held?.outputs.lockDownSafeFrom);
    return [
      ...section(`${displayName} onto the gateway`, onboarding),
      "",
      ...section(`${displayName} off the gateway`, offboarding),
    ].join("\n");
  });
  return texts.join("\n\n");
}

function section(title: string, steps: readonly Step[]): string[] {
  return [title, "", ...steps.flatMap((step, index) => formatStep(step, index + 1))];
}

async function run(args: readonly string[]): Promise<void> {
  const command = new Command("npm run steps --")
    .description("Says what a person has to do for each domain. Changes nothing.")
    .argument("<stack>", "the stack's name, as pulumi stack ls shows it; for example contoso")
    .argument("[domain]", "only this domain")
    .exitOverride()
    .parse(args, { from: "user" });
  const [stack = "", domain] = command.args;
  console.log(await describe(stack, domain));
}

try {
  await run(process.argv.slice(2));
} catch (error) {
  // Commander has printed its own messages already; help is no failure.
  const helped = error instanceof CommanderError && error.exitCode === 0;
  if (!(error instanceof CommanderError)) {
    console.error(error instanceof Error ? error.message : error);
  }
  process.exitCode = helped ? 0 : 1;
}
