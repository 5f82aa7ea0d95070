/**
 * How Microsoft 365 takes mail from the gateway: an inbound connector, Enhanced Filtering, the ARC sealer, lock-down.
 *
 * Sources, learn.microsoft.com: New-InboundConnector, Set-InboundConnector (IPv4 only; RestrictDomainsToIPAddresses for
 * Partner connectors only), "Enhanced filtering for connectors in Exchange Online" (not for mail whose former hop is
 * Microsoft 365 itself), Set-ArcConfig (the list is replaced, a blank empties it), New-TransportRule (SenderIpRanges is
 * the last hop).
 */
import { type StepFacts, takesFromGateway } from "./facts.ts";
import { addressPattern, exchangeName, powershell, powershellList } from "./quoting.ts";
import type { CommandBlock, Step } from "./step.ts";
import {
  AFTER_LEAVING,
  AFTER_UP,
  addressWords,
  BEFORE_UP,
  keepForNeighbours,
  lockDownTime,
  lockDownWords,
} from "./words.ts";

const WHERE = "Exchange Online PowerShell";

export function acceptSteps(facts: StepFacts): Step[] {
  return [
    ...(facts.inbound === "none" ? [] : [partnerStep(facts)]),
    ...(facts.inbound === "loopback" ? [noSecondFilterStep(facts)] : []),
    ...(facts.outbound === "loopback" ? [relayStep(facts)] : []),
  ];
}

/** The addresses in a command: as they are known, or asked for in the window. */
function addresses(known: readonly string[]): { ask: string[]; value: string } {
  if (known.length > 0) return { ask: [], value: powershellList(known) };
  const question = powershell("The gateway's addresses, with commas between them");
  return { ask: [`$addresses = (Read-Host ${question}) -split '\\s*,\\s*'`], value: "$addresses" };
}

function partnerName({ gateway }: StepFacts): string {
  return exchangeName("From gateway", gateway.smtpIn);
}

function partnerStep(facts: StepFacts): Step {
  const name = powershell(partnerName(facts));
  const { ask, value } = addresses(facts.gateway.deliversFrom);
  const filters = facts.inbound === "border";
  const skip = filters ? ` -EFSkipLastIP $false -EFSkipIPs ${value}` : "";
  return {
    when: BEFORE_UP,
    title: filters
      ? "make the inbound connector for the gateway, with Enhanced Filtering"
      : "make the inbound connector for the gateway",
    words: [
      `In words: Mail flow > Connectors > Add a connector: from Partner organization, name ${partnerName(facts)}, ` +
        "by verifying the sender domain *, no security restriction ticked yet.",
      `Its addresses are ${addressWords(facts)}.`,
      ...(filters ? enhancedFilteringWords(facts) : []),
    ],
    blocks: [
      {
        where: WHERE,
        lines: [
          ...ask,
          unlessThere(
            "Get-InboundConnector",
            name,
            `New-InboundConnector -Name ${name} -ConnectorType Partner -SenderDomains '*' -SenderIPAddresses ${value} ` +
              "-RequireTls $false -RestrictDomainsToIPAddresses $false",
          ),
          `Set-InboundConnector -Identity ${name} -SenderIPAddresses ${value}${skip}`,
        ],
        undo: [`Remove-InboundConnector -Identity ${name} -Confirm:$false`],
      },
    ],
    check: [
      `Get-InboundConnector -Identity ${name} | Format-List Enabled,SenderIPAddresses,EFSkipIPs,RestrictDomainsToIPAddresses ` +
        `shows True, the addresses${filters ? " twice" : ""}, and False.`,
      ...(filters
        ? [
            "After pulumi up, a message from outside has the header X-MS-Exchange-SkipListedInternetSender with the sender's address, not the gateway's.",
          ]
        : []),
    ],
  };
}

function enhancedFilteringWords(facts: StepFacts): string[] {
  return [
    "Enhanced Filtering, so that SPF and the filters look at the sender's address instead of the gateway's: " +
      "https://security.microsoft.com/skiplisting > the connector > Skip these IP addresses that are associated " +
      `with the connector: ${addressWords(facts)} > Apply to entire organization.`,
    "If a mail flow rule sets the spam confidence level of mail from these addresses to -1, disable it: it would switch the filters off.",
  ];
}

/** Mail that was filtered before it went to the gateway. */
function noSecondFilterStep(facts: StepFacts): Step {
  const rule = exchangeName("Back from gateway to", facts.domain);
  const name = powershell(rule);
  const { ask, value } = addresses(facts.gateway.deliversFrom);
  const pattern = powershell(addressPattern(facts.domain));
  return {
    when: BEFORE_UP,
    title: "filter mail that comes back from the gateway no second time",
    words: [
      `In words: Mail flow > Rules > Add a rule, name ${rule}: recipient address matches ${addressPattern(facts.domain)}, ` +
        `sender's IP address is ${addressWords(facts)}; set the spam confidence level (SCL) to -1.`,
      "It was filtered before it went to the gateway; now its sender's SPF would be looked at on the gateway's address.",
    ],
    blocks: [
      {
        where: WHERE,
        lines: [
          ...ask,
          unlessThere(
            "Get-TransportRule",
            name,
            `New-TransportRule -Name ${name} -RecipientAddressMatchesPatterns ${pattern} -SenderIpRanges ${value} -SetSCL -1`,
          ),
        ],
        undo: [`Remove-TransportRule -Identity ${name} -Confirm:$false`],
      },
    ],
    check: [`Get-TransportRule -Identity ${name} | Format-List State,SenderIpRanges,SetSCL`],
  };
}

function relayName({ gateway }: StepFacts): string {
  return exchangeName("Back from gateway", gateway.smtpRelay);
}

/** Only a connector of this type may send on to the Internet. */
function relayStep(facts: StepFacts): Step {
  const name = powershell(relayName(facts));
  const { ask, value } = addresses(facts.gateway.relaysFrom);
  return {
    when: BEFORE_UP,
    title: "make the inbound connector by which outbound mail comes back",
    words: [
      `In words: Mail flow > Connectors > Add a connector: from Your organization's email server, name ${relayName(facts)}, ` +
        `by verifying that the IP address of the sending server is ${addressWords({ ...facts, inbound: "none" })}.`,
      "Microsoft 365 sends on to the Internet only what comes by such a connector from one of its accepted domains.",
    ],
    blocks: [
      {
        where: WHERE,
        lines: [
          ...ask,
          unlessThere(
            "Get-InboundConnector",
            name,
            `New-InboundConnector -Name ${name} -ConnectorType OnPremises -SenderDomains '*' -SenderIPAddresses ${value}`,
          ),
        ],
        undo: [`Remove-InboundConnector -Identity ${name} -Confirm:$false`],
      },
    ],
    check: [
      `Get-InboundConnector -Identity ${name} | Format-List Enabled,ConnectorType,SenderIPAddresses shows True and OnPremises.`,
    ],
  };
}

export function lockDownSteps(facts: StepFacts, safeFrom?: string): Step[] {
  if (facts.inbound !== "border") return [];
  const name = powershell(partnerName(facts));
  const restrict = (to: string) =>
    `Set-InboundConnector -Identity ${name} -RestrictDomainsToIPAddresses ${to}`;
  return [
    {
      ...lockDownTime(safeFrom),
      title:
        "lock Microsoft 365 down to the gateway's addresses, if nobody is to come around the gateway",
      words: [
        ...lockDownWords(facts),
        `In words: Mail flow > Connectors > ${partnerName(facts)} > Security restrictions: tick Reject email messages if they ` +
          `aren't sent from within this IP address range, with ${addressWords(facts)}.`,
      ],
      blocks: [{ where: WHERE, lines: [restrict("$true")], undo: [restrict("$false")] }],
      check: [
        `A message from outside to ${facts.domain} arrives; one that is handed to ${facts.server} from an address of another host is refused with 550 5.7.51.`,
      ],
    },
  ];
}

export function sealerSteps(facts: StepFacts): Step[] {
  if (!takesFromGateway(facts)) return [];
  return [
    {
      when: AFTER_UP,
      title: "trust the gateway's ARC seal, if it seals",
      words: [
        "Look at the header of a message that came through the gateway. Where ARC-Seal has a d= that is the gateway's " +
          "(its operator tells it), trust that domain; where it has none, leave this step out. A gateway that changes " +
          "a message breaks its DKIM signature, and the seal says what was true before.",
        "In words: https://security.microsoft.com/authentication > ARC > Add: the domain.",
      ],
      blocks: [sealerBlock()],
      check: [
        "Get-ArcConfig shows the domain; ARC-Authentication-Results of a later message through the gateway says arc=pass and oda=1.",
      ],
    },
  ];
}

/** The cmdlet replaces the whole list, which it shows as one text with commas. */
function sealerBlock(): CommandBlock {
  const list =
    "$sealers = @((Get-ArcConfig).ArcTrustedSealers -split ',' | ForEach-Object { $_.Trim() } | " +
    "Where-Object { $_ -and $_ -ne $sealer })";
  const sealer = `$sealer = Read-Host ${powershell("The d= of the gateway's ARC-Seal")}`;
  return {
    where: WHERE,
    lines: [
      sealer,
      list,
      "Set-ArcConfig -Identity Default -ArcTrustedSealers ($sealers + $sealer)",
    ],
    undo: [
      sealer,
      list,
      "Set-ArcConfig -Identity Default -ArcTrustedSealers $(if ($sealers) { $sealers } else { ' ' })",
    ],
  };
}

export function removeAcceptSteps(facts: StepFacts): Step[] {
  if (!takesFromGateway(facts)) return [];
  const made = acceptSteps(facts)
    .toReversed()
    .flatMap(({ blocks }) => blocks);
  const lines = made.flatMap(({ undo }) => undo);
  const seal = sealerBlock();
  return [
    {
      when: AFTER_LEAVING,
      title: "remove what let mail in from the gateway",
      words: [
        ...keepForNeighbours(facts),
        "Until then the gateway still delivers what late senders bring there.",
        `In words: delete ${acceptedNames(facts).join(" and ")}; at https://security.microsoft.com/authentication > ARC delete the gateway's domain.`,
      ],
      blocks: [
        { where: WHERE, lines, undo: made.toReversed().flatMap((block) => block.lines) },
        {
          where: `${WHERE}, if the gateway's seal was trusted`,
          lines: seal.undo,
          undo: seal.lines,
        },
      ],
      check: ["Get-InboundConnector | Format-Table Name,Enabled no longer lists them."],
    },
  ];
}

function acceptedNames(facts: StepFacts): string[] {
  return [
    ...(facts.inbound === "none" ? [] : [`the connector ${partnerName(facts)}`]),
    ...(facts.inbound === "loopback"
      ? [`the rule ${exchangeName("Back from gateway to", facts.domain)}`]
      : []),
    ...(facts.outbound === "loopback" ? [`the connector ${relayName(facts)}`] : []),
  ];
}

/** Another domain may have made it before. */
function unlessThere(get: string, name: string, make: string): string {
  return `if (-not (${get} | Where-Object Name -eq ${name})) { ${make} }`;
}
