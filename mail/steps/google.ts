/**
 * The steps in Google Workspace. All are in the Admin console, https://admin.google.com; there are no commands for them.
 *
 * Sources: support.google.com/a, answers 60730 (inbound gateway), 2956491 (SMTP relay service).
 */
import { type StepFacts, takesFromGateway } from "./facts.ts";
import { GMAIL, routeSteps, SLOW, stopSteps } from "./google-rules.ts";
import type { DomainSteps, Step } from "./step.ts";
import {
  AFTER_LEAVING,
  addressWords,
  BEFORE_DESTROY,
  BEFORE_UP,
  BYPASS_TOO,
  keepForNeighbours,
  lockDownTime,
  lockDownWords,
  relaySpfStep,
  runDestroy,
  runUp,
} from "./words.ts";

const INBOUND_GATEWAY = `${GMAIL} > Spam, Phishing and Malware, the top organization, Inbound gateway`;

/** @param safeFrom when a lock-down loses no mail, ISO 8601 */
export function googleSteps(facts: StepFacts, safeFrom?: string): DomainSteps {
  return {
    onboarding: [
      ...relaySpfStep(facts),
      ...acceptSteps(facts),
      runUp(facts),
      ...routeSteps(facts),
      ...lockDownSteps(facts, safeFrom),
    ],
    offboarding: [
      ...liftSteps(facts),
      ...stopSteps(facts),
      runDestroy(facts),
      ...removeSteps(facts),
    ],
  };
}

function acceptSteps(facts: StepFacts): Step[] {
  const gateway: Step = {
    when: BEFORE_UP,
    title: "name the gateway as an inbound gateway",
    words: [
      `${INBOUND_GATEWAY} > Enable.`,
      `Gateway IPs > Add, each of them: ${addressWords(facts)}.`,
      "Tick Automatically detect external IP, so that SPF and the filters look at the sender's address. Leave Reject all mail not from gateway IPs clear for now.",
      "Tick Require TLS for connections from the email gateways listed above. Leave Message tagging clear. Save.",
    ],
    blocks: [],
    check: [
      "The setting says ON and lists the addresses. After pulumi up, Show original of a message from outside says SPF: PASS with the sender's address, not the gateway's.",
    ],
  };
  const relay: Step = {
    when: BEFORE_UP,
    title: "let the gateway hand outgoing mail back by the SMTP relay service",
    words: [
      `${GMAIL} > Routing, the top organization, SMTP relay service > Add another rule.`,
      `Description: Back from gateway. Allowed senders: Only addresses in my domains. Authentication: Only accept mail from the specified IP addresses: ${addressWords({ ...facts, inbound: "none" })}. Tick Require TLS encryption. Save.`,
      "The gateway then hands it to smtp-relay.gmail.com.",
    ],
    blocks: [],
    check: ["The rule is in the list, with the status Enabled."],
  };
  return [
    ...(facts.inbound === "none" ? [] : [gateway]),
    ...(facts.outbound === "loopback" ? [relay] : []),
  ];
}

function lockDownSteps(facts: StepFacts, safeFrom?: string): Step[] {
  if (facts.inbound !== "border") return [];
  return [
    {
      ...lockDownTime(safeFrom),
      title:
        "lock Google Workspace down to the gateway's addresses, if nobody is to come around the gateway",
      words: [
        ...lockDownWords(facts),
        `${INBOUND_GATEWAY}: tick Reject all mail not from gateway IPs. Save. To undo it, clear it again.`,
      ],
      blocks: [],
      check: [
        `After an hour, a message from outside arrives; one that is handed to ${facts.server} from another host is refused with 550.`,
      ],
    },
  ];
}

function liftSteps(facts: StepFacts): Step[] {
  if (facts.inbound !== "border") return [];
  return [
    {
      when: BEFORE_DESTROY,
      title: "lift the lock-down, so that Google accepts mail from everyone again",
      words: [
        `${INBOUND_GATEWAY}: clear Reject all mail not from gateway IPs. Save. ${SLOW}`,
        BYPASS_TOO,
      ],
      blocks: [],
      check: [
        `From a host elsewhere, ${facts.server} port 25 answers 250 to RCPT TO for an address of ${facts.domain}.`,
      ],
    },
  ];
}

function removeSteps(facts: StepFacts): Step[] {
  const lists = [
    ...(facts.outbound === "none" && facts.inbound !== "loopback"
      ? []
      : [
          `${GMAIL} > Routing > Routing, and Compliance > Content compliance: delete the rules ${facts.domain} … through the gateway; then ${GMAIL} > Hosts: delete the routes Gateway.`,
        ]),
    ...(facts.outbound === "loopback"
      ? [`${GMAIL} > Routing > SMTP relay service: delete the rule Back from gateway.`]
      : []),
    ...(facts.inbound === "none"
      ? []
      : [
          `${INBOUND_GATEWAY}: delete the gateway's addresses, and clear Enable where no others are left.`,
        ]),
  ];
  if (lists.length === 0) return [];
  const late = takesFromGateway(facts)
    ? ["Until then the gateway still delivers what late senders bring there."]
    : [];
  return [
    {
      when: AFTER_LEAVING,
      title: "remove what pointed at the gateway",
      words: [...keepForNeighbours(facts), ...late, ...lists],
      blocks: [],
      check: ["The pages named no longer list the gateway."],
    },
  ];
}
