/** What a person has to do for a domain, beside `pulumi up` and `pulumi destroy`, in order. */
import { exchangeSteps } from "./exchange.ts";
import type { StepFacts } from "./facts.ts";
import { googleSteps } from "./google.ts";
import { hostedSteps } from "./hosted.ts";
import { microsoft365Steps } from "./microsoft365.ts";
import { otherSteps } from "./other.ts";
import type { DomainSteps } from "./step.ts";

export type { GatewayFacts, Neighbour, StepFacts } from "./facts.ts";
export { type DomainSteps, formatStep, type Step } from "./step.ts";

const SYSTEMS = {
  microsoft365: microsoft365Steps,
  google: googleSteps,
  exchange: exchangeSteps,
  other: otherSteps,
} as const;

/**
 * The steps of a domain.
 *
 * @param safeFrom from when a lock-down of the mail system to the gateway's addresses loses no mail: ISO 8601;
 *   `undefined` where it is not known yet
 */
export function domainSteps(facts: StepFacts, safeFrom?: string): DomainSteps {
  const hosted = hostedSteps(facts);
  const system = SYSTEMS[facts.mailSystem](facts, safeFrom);
  return {
    onboarding: [...hosted.onboarding, ...system.onboarding],
    offboarding: [...system.offboarding, ...hosted.offboarding],
  };
}
