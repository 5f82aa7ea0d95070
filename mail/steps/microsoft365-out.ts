/**
 * How Microsoft 365 hands mail to the gateway: an outbound connector and a mail flow rule that points at it, for each
 * direction of its own.
 *
 * Sources, learn.microsoft.com: New-OutboundConnector (SmartHosts need UseMXRecord $false; IsTransportRuleScoped),
 * New-TransportRule (SenderDomainIs and RecipientDomainIs match subdomains too, hence the patterns; SenderAddressLocation
 * Envelope; RouteMessageOutboundConnector), Disable-TransportRule, Validate-OutboundConnector.
 */
import { acceptedAddresses, type StepFacts, sendsThroughOwnHost } from "./facts.ts";
import { addressPattern, exchangeName, powershell, powershellList } from "./quoting.ts";
import { smarthostBlocks } from "./smarthost.ts";
import type { Step } from "./step.ts";
import {
  AFTER_UP,
  addressWords,
  BEFORE_DESTROY,
  drainWords,
  keepForNeighbours,
  outboundCheck,
  quietCheck,
  senderWords,
} from "./words.ts";

const WHERE = "Exchange Online PowerShell";

/** One direction by which mail goes to the gateway. */
interface Handover {
  readonly facts: StepFacts;
  readonly direction: "in" | "out";
  readonly rule: string;
  readonly connector: string;
  /** Where the connector sends; `undefined`: a host of the organisation whose name is not known here. */
  readonly smartHost: string | undefined;
}

function handovers(facts: StepFacts): Handover[] {
  const { domain, gateway, inbound, outbound } = facts;
  const ownHost = sendsThroughOwnHost(facts);
  const outgoing: Handover = {
    facts,
    direction: "out",
    rule: exchangeName("Out through the gateway", domain),
    connector: ownHost ? "To gateway by own host" : exchangeName("To gateway", gateway.smtpRelay),
    smartHost: ownHost ? undefined : gateway.smtpRelay,
  };
  const incoming: Handover = {
    facts,
    direction: "in",
    rule: exchangeName("In through the gateway", domain),
    connector: exchangeName("To gateway", gateway.smtpIn),
    smartHost: gateway.smtpIn,
  };
  return [
    ...(outbound === "none" ? [] : [outgoing]),
    ...(inbound === "loopback" ? [incoming] : []),
  ];
}

export function routeSteps(facts: StepFacts): Step[] {
  const ownHost = facts.outbound !== "none" && sendsThroughOwnHost(facts);
  return [
    ...(ownHost ? [ownHostStep(facts)] : []),
    ...handovers(facts).flatMap((handover) => [connectorStep(handover), ruleStep(handover)]),
  ];
}

/** Nothing is routed by it before a rule names it. */
function connectorStep({ facts, connector, smartHost, direction }: Handover): Step {
  const name = powershell(connector);
  const host = smartHost === undefined ? "$smartHost" : powershell(smartHost);
  const ask = `$smartHost = Read-Host ${powershell("The name of the host that passes mail on to the gateway")}`;
  const hostWords =
    smartHost ?? `the host of your own that sends from ${facts.sendingFrom.join(" or ")}`;
  return {
    when: AFTER_UP,
    title: `make the outbound connector to the gateway for ${direction === "out" ? "outgoing" : "incoming"} mail`,
    words: [
      `In words: Mail flow > Connectors > Add a connector: from Office 365 to Partner organization, name ${connector}; ` +
        "Only when I have a transport rule set up that redirects messages to this connector; Route email through these " +
        `smart hosts: ${hostWords}; Always use TLS, Any digital certificate.`,
      ...(smartHost === undefined ? [] : [endpointWords(facts, direction)]),
    ],
    blocks: [
      {
        where: WHERE,
        lines: [
          ...(smartHost === undefined ? [ask] : []),
          `if (-not (Get-OutboundConnector | Where-Object Name -eq ${name})) { New-OutboundConnector -Name ${name} ` +
            `-ConnectorType Partner -UseMXRecord $false -SmartHosts ${host} -TlsSettings EncryptionOnly -IsTransportRuleScoped $true }`,
          `Set-OutboundConnector -Identity ${name} -Enabled $true`,
        ],
        undo: [`Remove-OutboundConnector -Identity ${name} -Confirm:$false`],
      },
    ],
    check: [
      `Get-OutboundConnector -Identity ${name} | Format-List Enabled,SmartHosts,UseMXRecord,IsTransportRuleScoped shows ` +
        `True, ${hostWords}, False, True.`,
    ],
  };
}

function endpointWords({ gateway }: StepFacts, direction: Handover["direction"]): string {
  const [right, wrong] =
    direction === "out" ? [gateway.smtpRelay, gateway.smtpIn] : [gateway.smtpIn, gateway.smtpRelay];
  return `Here it is ${right}, never ${wrong}: mixing the two up is the usual mistake.`;
}

function ruleStep({ facts, rule, connector, direction }: Handover): Step {
  const name = powershell(rule);
  const words = direction === "out" ? outWords(facts) : inWords(facts);
  const { ask, condition } = direction === "out" ? outCondition(facts) : inCondition(facts);
  const marker = facts.gateway.isHosted
    ? [
        "Where the gateway's dashboard shows a transport value for the organisation, add the action Set the message header " +
          "with the name and the value that it shows (in PowerShell: Set-TransportRule, -SetHeaderName and -SetHeaderValue).",
      ]
    : [];
  return {
    when: AFTER_UP,
    title: `make the mail flow rule that hands ${direction === "out" ? "outgoing" : "incoming"} mail to the gateway`,
    words: [
      `In words: Mail flow > Rules > Add a rule, name ${rule}: ${words}; Redirect the message to the following connector: ` +
        `${connector}.`,
      ...marker,
    ],
    blocks: [
      {
        where: WHERE,
        lines: [
          ...ask,
          `New-TransportRule -Name ${name} ${condition} -RouteMessageOutboundConnector ${powershell(connector)}`,
        ],
        undo: [
          `Disable-TransportRule -Identity ${name} -Confirm:$false`,
          `Remove-TransportRule -Identity ${name} -Confirm:$false`,
        ],
      },
    ],
    check: [
      `Get-TransportRule -Identity ${name} | Format-List State,Mode,RouteMessageOutboundConnector shows Enabled and Enforce.`,
      direction === "out"
        ? `${outboundCheck(facts)} A rule takes effect within an hour.`
        : "Send a message from outside: its Received lines name the gateway once, and it arrives once.",
    ],
  };
}

function outWords(facts: StepFacts): string {
  const except =
    facts.outbound === "loopback"
      ? `; except if the sender's IP address is ${addressWords(facts)}`
      : "";
  return (
    "the sender is inside the organization, the recipient is outside, the sender address (match sender address in message: " +
    `Envelope) matches ${addressPattern(facts.domain)}${except}`
  );
}

function outCondition(facts: StepFacts) {
  const { ask, condition } = exception(facts, facts.outbound === "loopback");
  const pattern = powershell(addressPattern(facts.domain));
  return {
    ask,
    condition:
      "-FromScope InOrganization -SentToScope NotInOrganization -SenderAddressLocation Envelope " +
      `-FromAddressMatchesPatterns ${pattern}${condition}`,
  };
}

function inWords(facts: StepFacts): string {
  return (
    `the sender is outside the organization, the recipient address matches ${addressPattern(facts.domain)}; except if the ` +
    `sender's IP address is ${addressWords(facts)}`
  );
}

function inCondition(facts: StepFacts) {
  const { ask, condition } = exception(facts, true);
  const pattern = powershell(addressPattern(facts.domain));
  return {
    ask,
    condition: `-FromScope NotInOrganization -RecipientAddressMatchesPatterns ${pattern}${condition}`,
  };
}

/** What comes back from the gateway must not go there again: a loop. */
function exception(facts: StepFacts, comesBack: boolean): { ask: string[]; condition: string } {
  if (!comesBack) return { ask: [], condition: "" };
  const known = acceptedAddresses(facts);
  if (known.length > 0) {
    return { ask: [], condition: ` -ExceptIfSenderIpRanges ${powershellList(known)}` };
  }
  const question = powershell("The gateway's addresses, with commas between them");
  return {
    ask: [`$addresses = (Read-Host ${question}) -split '\\s*,\\s*'`],
    condition: " -ExceptIfSenderIpRanges $addresses",
  };
}

function ownHostStep(facts: StepFacts): Step {
  return {
    when: AFTER_UP,
    title: "let a host of your own pass the mail of Microsoft 365 on to the gateway",
    words: [
      ...senderWords(facts),
      "The organisations in Microsoft 365 all send from the same addresses, so the gateway cannot tell yours from others: the host " +
        "takes mail from Microsoft 365 by TLS, only with a header or certificate that is your organisation's, and passes it on.",
    ],
    blocks: smarthostBlocks(facts),
    check: [`The host's log shows a test message as sent to ${facts.gateway.smtpRelay}.`],
  };
}

/** The rule first: what is already in a queue still finds its connector. */
export function stopSteps(facts: StepFacts): Step[] {
  return handovers(facts).map(({ rule, direction }) => {
    const name = powershell(rule);
    return {
      when: BEFORE_DESTROY,
      title: `switch the rule off that hands ${direction === "out" ? "outgoing" : "incoming"} mail to the gateway`,
      words: [
        `In words: Mail flow > Rules > ${rule} > Disabled. Leave the connector until later: mail in its queue still needs it.`,
        ...(direction === "out" ? ["It takes effect within an hour."] : []),
        drainWords(facts, direction),
      ],
      blocks: [
        {
          where: WHERE,
          lines: [`Disable-TransportRule -Identity ${name} -Confirm:$false`],
          undo: [`Enable-TransportRule -Identity ${name}`],
        },
      ],
      check: [
        `Get-TransportRule -Identity ${name} | Format-List State shows Disabled.`,
        ...(direction === "out" ? [quietCheck(facts)] : []),
      ],
    };
  });
}

export function removeRouteSteps(facts: StepFacts): Step[] {
  const all = handovers(facts);
  if (all.length === 0) return [];
  const connectors = [...new Set(all.map(({ connector }) => connector))];
  return [
    {
      when: "After pulumi destroy",
      title: "remove the rules, and the connectors that nobody uses any more",
      words: [
        `In words: delete ${all.map(({ rule }) => `the rule ${rule}`).join(" and ")}, then ` +
          `${connectors.map((connector) => `the connector ${connector}`).join(" and ")}.`,
        ...keepForNeighbours(facts).map((text) => text.replace("this step", "the second block")),
      ],
      blocks: [
        {
          where: WHERE,
          lines: all.map(
            ({ rule }) => `Remove-TransportRule -Identity ${powershell(rule)} -Confirm:$false`,
          ),
          undo: all.flatMap((handover) => linesOf(ruleStep(handover))),
        },
        {
          where: WHERE,
          lines: connectors.flatMap((connector) => [
            `Set-OutboundConnector -Identity ${powershell(connector)} -Enabled $false`,
            `Remove-OutboundConnector -Identity ${powershell(connector)} -Confirm:$false`,
          ]),
          undo: all.flatMap((handover) => linesOf(connectorStep(handover))),
        },
      ],
      check: ["Get-TransportRule and Get-OutboundConnector no longer list them."],
    },
  ];
}

function linesOf({ blocks }: Step): string[] {
  return blocks.flatMap(({ lines }) => lines);
}
