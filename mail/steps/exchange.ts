/**
 * The steps in Exchange Server (on premises), in the Exchange Management Shell.
 *
 * Sources, learn.microsoft.com: New-SendConnector (SmartHosts need DNSRoutingEnabled $false; the lowest cost of an
 * address space wins), Set-SendConnector, New-ReceiveConnector, "Receive connectors in Exchange Server" (the most
 * specific RemoteIPRanges wins; the Default Frontend takes anonymous senders), Get-, Disable-, Uninstall-TransportAgent.
 */
import { acceptedAddresses, type StepFacts, takesFromGateway } from "./facts.ts";
import { exchangeName, powershell, powershellList } from "./quoting.ts";
import type { CommandBlock, DomainSteps, Step } from "./step.ts";
import {
  AFTER_LEAVING,
  AFTER_UP,
  addressWords,
  BEFORE_DESTROY,
  BEFORE_UP,
  BYPASS_TOO,
  keepForNeighbours,
  lockDownTime,
  lockDownWords,
  outboundCheck,
  quietCheck,
  relaySpfStep,
  runDestroy,
  runUp,
  senderWords,
} from "./words.ts";

const WHERE = "Exchange Management Shell";
/** What marks a Send connector that was switched off for the gateway's. */
const MARK = "off while mail leaves through the gateway";
const DEFAULT_FRONTEND = "Get-ReceiveConnector | Where-Object Name -like 'Default Frontend *'";

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

function receiveName({ gateway }: StepFacts): string {
  return exchangeName("From gateway", gateway.smtpIn);
}

function acceptSteps(facts: StepFacts): Step[] {
  if (!takesFromGateway(facts)) return [];
  const name = receiveName(facts);
  return [
    {
      when: BEFORE_UP,
      title: "make a Receive connector for the gateway",
      words: [
        `In words: Exchange admin center > Mail flow > Receive connectors > New, on each server: name ${name}, role Frontend Transport, type Custom; ` +
          `port 25; remote network settings ${addressWords(facts)}; security: Anonymous users.`,
        "It changes nothing yet; later the lock-down leaves it open.",
      ],
      blocks: [receiveBlock(facts)],
      check: [
        `Get-ReceiveConnector | Where-Object Name -eq ${powershell(name)} | Format-List Identity,Enabled,RemoteIPRanges shows one for each server.`,
      ],
    },
    ...(facts.outbound === "loopback" ? [relayStep(facts)] : []),
  ];
}

function receiveBlock(facts: StepFacts): CommandBlock {
  const name = powershell(receiveName(facts));
  const known = acceptedAddresses(facts);
  const question = powershell("The gateway's addresses, with commas between them");
  const ask = known.length > 0 ? [] : [`$addresses = (Read-Host ${question}) -split '\\s*,\\s*'`];
  const value = known.length > 0 ? powershellList(known) : "$addresses";
  return {
    where: WHERE,
    lines: [
      ...ask,
      `Get-FrontendTransportService | Where-Object { -not (Get-ReceiveConnector -Server $_.Name | Where-Object Name -eq ${name}) } | ` +
        `ForEach-Object { New-ReceiveConnector -Name ${name} -Server $_.Name -TransportRole FrontendTransport -Custom ` +
        `-Bindings '0.0.0.0:25' -RemoteIPRanges ${value} -AuthMechanism Tls -PermissionGroups AnonymousUsers }`,
    ],
    undo: [
      `Get-ReceiveConnector | Where-Object Name -eq ${name} | Remove-ReceiveConnector -Confirm:$false`,
    ],
  };
}

function relayStep(facts: StepFacts): Step {
  const name = powershell(receiveName(facts));
  const permission = (verb: string) =>
    `Get-ReceiveConnector | Where-Object Name -eq ${name} | ${verb}-ADPermission -User 'NT AUTHORITY\\ANONYMOUS LOGON' ` +
    "-ExtendedRights 'Ms-Exch-SMTP-Accept-Any-Recipient'";
  return {
    when: BEFORE_UP,
    title: "let outgoing mail that comes back from the gateway be sent on",
    words: [
      `Who connects from ${addressWords({ ...facts, inbound: "none" })} may then send to everyone: see that these addresses are the gateway's alone.`,
    ],
    blocks: [
      {
        where: WHERE,
        lines: [permission("Add")],
        undo: [`${permission("Remove")} -Confirm:$false`],
      },
    ],
    check: [
      `Get-ReceiveConnector | Where-Object Name -eq ${name} | Get-ADPermission | Where-Object { $_.ExtendedRights -like '*Accept-Any-Recipient*' } lists ANONYMOUS LOGON.`,
    ],
  };
}

function sendName({ gateway }: StepFacts): string {
  return exchangeName("To gateway", gateway.smtpRelay);
}

/** A Send connector is chosen by the recipient, so that it takes the mail of every domain of the organisation. */
function sendSteps(facts: StepFacts): Step[] {
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

function sendBlock(facts: StepFacts): CommandBlock {
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

/** @param groups an expression of PowerShell, in which `$_` is the connector */
function setGroups(groups: string): string {
  return `${DEFAULT_FRONTEND} | ForEach-Object { Set-ReceiveConnector -Identity $_.Identity -PermissionGroups (${groups}) }`;
}

function lockDownSteps(facts: StepFacts, safeFrom?: string): Step[] {
  if (facts.inbound !== "border") return [];
  return [
    {
      when: lockDownTime(safeFrom),
      title:
        "lock Exchange down to the gateway's addresses, if nobody is to come around the gateway",
      words: [
        ...lockDownWords(facts),
        `In words: Mail flow > Receive connectors > Default Frontend of each server > Security: clear Anonymous users. ${receiveName(facts)} keeps them.`,
        "Printers and programs inside that send without a login need a Receive connector of their own before. Better still is the firewall: TCP port 25 " +
          `only from ${addressWords(facts)}.`,
      ],
      blocks: [
        {
          where: WHERE,
          lines: [
            setGroups(`"$($_.PermissionGroups)" -split ',\\s*' -ne 'AnonymousUsers' -join ','`),
          ],
          undo: [setGroups(`"$($_.PermissionGroups),AnonymousUsers"`)],
        },
      ],
      check: [
        `A message from outside arrives; one that is handed to ${facts.server} from another host is refused with 530 5.7.57.`,
      ],
    },
  ];
}

/** Undo and command change places. */
function lift(step: Step): Step {
  return {
    ...step,
    when: BEFORE_DESTROY,
    title: "lift the lock-down, so that Exchange accepts mail from everyone again",
    words: [
      "In words: Mail flow > Receive connectors > Default Frontend of each server > Security: tick Anonymous users. In the firewall: TCP port 25 from everywhere.",
      BYPASS_TOO,
    ],
    blocks: step.blocks.map(({ where, lines, undo }) => ({ where, lines: undo, undo: lines })),
    check: [`${DEFAULT_FRONTEND} | Format-List Identity,PermissionGroups shows AnonymousUsers.`],
  };
}

function stopSteps(facts: StepFacts): Step[] {
  if (facts.outbound !== "standard") return [];
  const { lines, undo } = sendBlock(facts);
  return [
    {
      when: BEFORE_DESTROY,
      title: "let mail leave without the gateway",
      words: [
        ...keepForNeighbours(facts),
        `In words: Mail flow > Send connectors > Enable those to the Internet that were switched off, then Disable ${sendName(facts)}.`,
        "pulumi destroy waits until the domain's outgoing mail has been quiet for long enough, and says who still sends.",
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

/** Installed by someone else, it may have another name. */
function stopAgentSteps({ inbound, outbound }: StepFacts): Step[] {
  if (inbound !== "loopback" && outbound === "none") return [];
  const agents = "Get-TransportAgent | Where-Object Identity -match 'gateway|mxhero'";
  return [
    {
      when: BEFORE_DESTROY,
      title: "switch the gateway's transport agent off, if there is one",
      words: [
        "Run it on each Mailbox server. Get-TransportAgent lists all; Microsoft's own stay as they are.",
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
