/**
 * How Exchange Server sends through the gateway: a Send connector.
 *
 * Sources, learn.microsoft.com: New-SendConnector (SmartHosts need DNSRoutingEnabled $false), Set-SendConnector,
 * Retry-Queue.
 */
import type { StepFacts } from "./facts.ts";
import { exchangeName, powershell } from "./quoting.ts";
import type { CommandBlock, Step } from "./step.ts";
import {
  AFTER_UP,
  BEFORE_DESTROY,
  drainWords,
  keepForNeighbours,
  outboundCheck,
  quietCheck,
  senderWords,
} from "./words.ts";

const WHERE = "Exchange Management Shell";
/** What marks a Send connector that was switched off for the gateway's. */
const MARK = "off while mail leaves through the gateway";

export function sendName({ gateway }: StepFacts): string {
  return exchangeName("To gateway", gateway.smtpRelay);
}

/** A Send connector is chosen by the recipient, so that it takes the mail of every domain of the organisation. */
export function sendSteps(facts: StepFacts): Step[] {
  if (facts.outbound !== "standard") return [];
  const silent = facts.neighbours.filter(({ outbound }) => outbound === "none");
  const name = powershell(sendName(facts));
  return [
    {
      when: AFTER_UP,
      title: "make the Send connector to the gateway, and switch the others to the Internet off",
      words: [
        ...senderWords(facts),
        `It takes the mail of every domain of the Exchange organisation, not of ${facts.domain} alone: each must send through the gateway` +
          (silent.length === 0
            ? ". For one domain alone, a transport agent is needed (next step)."
            : `, which is not so for ${silent.map(({ domain }) => domain).join(", ")}: use a transport agent instead (next step).`),
        `In words: Exchange admin center > Mail flow > Send connectors > New: name ${sendName(facts)}, type Internet; Route mail through smart ` +
          `hosts: ${facts.gateway.smtpRelay}, no authentication; address space SMTP, *, cost 1; all Mailbox servers as sources. Then Disable each other connector with the address space *.`,
      ],
      blocks: [sendBlock(facts)],
      check: [
        `Get-SendConnector | Format-Table Name,Enabled,AddressSpaces,SmartHosts shows ${name} as the only one with * that is enabled.`,
        outboundCheck(facts),
      ],
    },
  ];
}

export function sendBlock(facts: StepFacts): CommandBlock {
  const name = powershell(sendName(facts));
  const others = `Get-SendConnector | Where-Object { $_.Enabled -and $_.Name -ne ${name} -and ($_.AddressSpaces -match '^smtp:\\*;') }`;
  return {
    where: WHERE,
    lines: [
      `if (-not (Get-SendConnector | Where-Object Name -eq ${name})) { New-SendConnector -Name ${name} -Internet -AddressSpaces 'SMTP:*;1' ` +
        `-DNSRoutingEnabled $false -SmartHosts ${powershell(facts.gateway.smtpRelay)} -SmartHostAuthMechanism None -RequireTLS $true ` +
        "-SourceTransportServers (Get-TransportService).Name -Enabled $false }",
      `Set-SendConnector -Identity ${name} -Enabled $true`,
      `${others} | ForEach-Object { Set-SendConnector -Identity $_.Identity -Enabled $false -Comment ($_.Comment + ' (${MARK})') }`,
    ],
    undo: sendUndo(name),
  };
}

/** The former connectors first, so that there is always one. */
function sendUndo(name: string): string[] {
  return [
    `Get-SendConnector | Where-Object Comment -like '*(${MARK})' | ForEach-Object { Set-SendConnector -Identity $_.Identity -Enabled $true ` +
      `-Comment ($_.Comment -replace ' \\(${MARK}\\)$', '') }`,
    `Set-SendConnector -Identity ${name} -Enabled $false`,
  ];
}

export function stopSteps(facts: StepFacts): Step[] {
  if (facts.outbound !== "standard") return [];
  const { lines, undo } = sendBlock(facts);
  return [
    {
      when: BEFORE_DESTROY,
      title: "let mail leave without the gateway",
      words: [
        ...keepForNeighbours(facts),
        `In words: Mail flow > Send connectors > Enable those to the Internet that were switched off, then Disable ${sendName(facts)}.`,
        drainWords(facts, "out"),
      ],
      blocks: [
        {
          where: WHERE,
          lines: [
            ...undo,
            "Get-TransportService | ForEach-Object { Get-Queue -Server $_.Name } | Where-Object DeliveryType -eq SmartHostConnectorDelivery | Retry-Queue -Resubmit $true -Confirm:$false",
          ],
          undo: lines,
        },
      ],
      check: [
        "Get-SendConnector | Format-Table Name,Enabled,AddressSpaces shows one with * that is enabled, and it is not the gateway's.",
        quietCheck(facts),
      ],
    },
  ];
}
