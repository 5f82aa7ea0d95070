/**
 * The steps in Microsoft 365, in the order of their effects.
 *
 * Sources: learn.microsoft.com, "Connect to Exchange Online PowerShell", "Manage mail flow using a third-party
 * cloud service with Exchange Online", and the pages of the cmdlets that the other files of this system name.
 */
import type { StepFacts } from "./facts.ts";
import { acceptSteps, lockDownSteps, removeAcceptSteps, sealerSteps } from "./microsoft365-in.ts";
import { removeRouteSteps, routeSteps, stopSteps } from "./microsoft365-out.ts";
import type { DomainSteps, Step } from "./step.ts";
import { BEFORE_DESTROY, BEFORE_UP, BYPASS_TOO, relaySpfStep, runDestroy, runUp } from "./words.ts";

/** @param safeFrom when a lock-down loses no mail, ISO 8601 */
export function microsoft365Steps(facts: StepFacts, safeFrom?: string): DomainSteps {
  return {
    onboarding: [
      connect(BEFORE_UP),
      ...relaySpfStep(facts),
      ...acceptSteps(facts),
      runUp(facts),
      ...routeSteps(facts),
      ...sealerSteps(facts),
      ...lockDownSteps(facts, safeFrom),
    ],
    offboarding: [
      connect(BEFORE_DESTROY),
      ...lockDownSteps(facts).map(lift),
      ...stopSteps(facts),
      runDestroy(facts),
      ...removeRouteSteps(facts),
      ...removeAcceptSteps(facts),
    ],
  };
}

function connect(when: string): Step {
  return {
    when,
    title: "open Exchange Online PowerShell, where the commands below are pasted",
    words: [
      "Sign in as an Exchange administrator. In words the same settings are in the Exchange admin center, https://admin.exchange.microsoft.com.",
    ],
    blocks: [
      {
        where: "PowerShell",
        lines: [
          "Install-Module -Name ExchangeOnlineManagement -Scope CurrentUser",
          "Connect-ExchangeOnline",
        ],
        undo: ["Disconnect-ExchangeOnline -Confirm:$false"],
      },
    ],
    check: ["Get-ConnectionInformation says State Connected and TokenStatus Active."],
  };
}

/** Undo and command change places. */
function lift(step: Step): Step {
  return {
    ...step,
    when: BEFORE_DESTROY,
    title: "lift the lock-down, so that Microsoft 365 accepts mail from everyone again",
    words: [
      "In words: Mail flow > Connectors > the connector > Edit sent email identity or Security restrictions: clear " +
        "Reject email messages if they aren't sent from within this IP address range.",
      "Otherwise what comes straight after the hand-back is refused with 550 5.7.51. It takes effect within an hour.",
      BYPASS_TOO,
    ],
    blocks: step.blocks.map(({ where, lines, undo }) => ({ where, lines: undo, undo: lines })),
    check: [
      "Get-InboundConnector | Where-Object RestrictDomainsToIPAddresses shows no connector with SenderDomains smtp:*;1.",
    ],
  };
}
