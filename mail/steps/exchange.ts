/**
 * The steps in Exchange Server (on premises), in the Exchange Management Shell, and its transport agents.
 *
 * Sources, learn.microsoft.com: Get-, Install-, Enable-, Disable-, Uninstall-TransportAgent.
 */

import { acceptSteps, lift, lockDownSteps, receiveBlock } from "./exchange-in.ts";
import { sendBlock, sendName, sendSteps, stopSteps } from "./exchange-out.ts";
import { type StepFacts, takesFromGateway } from "./facts.ts";
import { powershell } from "./quoting.ts";
import type { DomainSteps, Step } from "./step.ts";
import {
  AFTER_LEAVING,
  AFTER_UP,
  BEFORE_DESTROY,
  drainWords,
  keepForNeighbours,
  relaySpfStep,
  runDestroy,
  runUp,
} from "./words.ts";

const WHERE = "Exchange Management Shell";

/** @param safeFrom when a lock-down loses no mail, ISO 8601 */
export function exchangeSteps(facts: StepFacts, safeFrom?: string): DomainSteps {
  return {
    onboarding: [
      ...relaySpfStep(facts),
      ...acceptSteps(facts),
      runUp(facts),
      ...sendSteps(facts),
      ...agentSteps(facts),
      ...lockDownSteps(facts, safeFrom),
    ],
    offboarding: [
      ...lockDownSteps(facts).map(lift),
      ...stopSteps(facts),
      ...stopAgentSteps(facts),
      runDestroy(facts),
      ...removeSteps(facts),
    ],
  };
}

/** What Exchange cannot do by a connector. */
function agentSteps({ inbound, outbound, gateway }: StepFacts): Step[] {
  const why = [
    ...(inbound === "loopback"
      ? [
          `Exchange hands no incoming mail to another host by a connector or rule: only a transport agent sends it to ${gateway.smtpIn}.`,
        ]
      : []),
    ...(outbound === "loopback"
      ? [
          `With a Send connector to ${gateway.smtpRelay} mail that comes back would go there again: only a transport agent tells the two apart.`,
        ]
      : []),
  ];
  if (why.length === 0 && outbound === "none") return [];
  const needed = why.length > 0;
  return [
    {
      when: AFTER_UP,
      title: needed
        ? "install the gateway's transport agent"
        : "or, instead of the Send connector, install the gateway's transport agent",
      words: [
        ...why,
        "Its operator gives the agent's file, class and settings. The command asks for them; run it on each Mailbox server.",
      ],
      blocks: [
        {
          where: WHERE,
          lines: [
            "Install-TransportAgent -Name 'Gateway' -TransportAgentFactory (Read-Host 'Class') -AssemblyPath (Read-Host 'Path of the file')",
            "Enable-TransportAgent -Identity 'Gateway'",
            "Restart-Service MSExchangeTransport",
          ],
          undo: [
            "Disable-TransportAgent -Identity 'Gateway' -Confirm:$false",
            "Uninstall-TransportAgent -Identity 'Gateway' -Confirm:$false",
            "Restart-Service MSExchangeTransport",
          ],
        },
      ],
      check: [
        "Get-TransportAgent shows Gateway, Enabled True; a test message goes the way that is meant.",
      ],
    },
  ];
}

/** Installed by someone else, it may have another name. */
function stopAgentSteps(facts: StepFacts): Step[] {
  const { inbound, outbound } = facts;
  if (inbound !== "loopback" && outbound === "none") return [];
  const agents = "Get-TransportAgent | Where-Object Identity -match 'gateway|mxhero'";
  return [
    {
      when: BEFORE_DESTROY,
      title: "switch the gateway's transport agent off, if there is one",
      words: [
        "Run it on each Mailbox server. Get-TransportAgent lists all; Microsoft's own stay as they are.",
        ...(inbound === "loopback" ? [drainWords(facts, "in")] : []),
      ],
      blocks: [
        {
          where: WHERE,
          lines: [
            `${agents} | ForEach-Object { Disable-TransportAgent -Identity $_.Identity -Confirm:$false }`,
            "Restart-Service MSExchangeTransport",
          ],
          undo: [
            `${agents} | ForEach-Object { Enable-TransportAgent -Identity $_.Identity }`,
            "Restart-Service MSExchangeTransport",
          ],
        },
      ],
      check: [`${agents} shows none that is enabled.`],
    },
  ];
}

function removeSteps(facts: StepFacts): Step[] {
  const lines = [
    ...(facts.outbound === "standard"
      ? [`Remove-SendConnector -Identity ${powershell(sendName(facts))} -Confirm:$false`]
      : []),
    ...(takesFromGateway(facts) ? receiveBlock(facts).undo : []),
  ];
  if (lines.length === 0) return [];
  const again = [
    ...(facts.outbound === "standard" ? sendBlock(facts).lines : []),
    ...(takesFromGateway(facts) ? receiveBlock(facts).lines : []),
  ];
  return [
    {
      when: AFTER_LEAVING,
      title: "remove the gateway's connectors",
      words: [
        ...keepForNeighbours(facts),
        "Until then the gateway still delivers what late senders bring there.",
      ],
      blocks: [{ where: WHERE, lines, undo: again }],
      check: ["Get-SendConnector and Get-ReceiveConnector no longer list them."],
    },
  ];
}
