/**
 * How Exchange Server takes mail from the gateway: a Receive connector of its own, and the lock-down of the others.
 *
 * Sources, learn.microsoft.com: New-ReceiveConnector, "Receive connectors in Exchange Server" (the most specific
 * RemoteIPRanges wins; the Default Frontend takes anonymous senders), Add-ADPermission.
 */
import { acceptedAddresses, type StepFacts, takesFromGateway } from "./facts.ts";
import { exchangeName, powershell, powershellList } from "./quoting.ts";
import type { CommandBlock, Step } from "./step.ts";
import {
  addressWords,
  BEFORE_DESTROY,
  BEFORE_UP,
  BYPASS_TOO,
  lockDownTime,
  lockDownWords,
} from "./words.ts";

const WHERE = "Exchange Management Shell";
const DEFAULT_FRONTEND = "Get-ReceiveConnector | Where-Object Name -like 'Default Frontend *'";

function receiveName({ gateway }: StepFacts): string {
  return exchangeName("From gateway", gateway.smtpIn);
}

export function acceptSteps(facts: StepFacts): Step[] {
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

export function receiveBlock(facts: StepFacts): CommandBlock {
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

/** @param groups an expression of PowerShell, in which `$_` is the connector */
function setGroups(groups: string): string {
  return `${DEFAULT_FRONTEND} | ForEach-Object { Set-ReceiveConnector -Identity $_.Identity -PermissionGroups (${groups}) }`;
}

export function lockDownSteps(facts: StepFacts, safeFrom?: string): Step[] {
  if (facts.inbound !== "border") return [];
  return [
    {
      ...lockDownTime(safeFrom),
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
export function lift(step: Step): Step {
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
