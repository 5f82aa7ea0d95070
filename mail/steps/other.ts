/** The steps at a mail server of one's own that is not Exchange. */
import { acceptedAddresses, type StepFacts, takesFromGateway } from "./facts.ts";
import { smarthostBlocks } from "./smarthost.ts";
import type { CommandBlock, DomainSteps, Step } from "./step.ts";
import {
  AFTER_UP,
  addressWords,
  BEFORE_DESTROY,
  BEFORE_UP,
  BYPASS_TOO,
  drainWords,
  lockDownTime,
  lockDownWords,
  outboundCheck,
  quietCheck,
  relaySpfStep,
  runDestroy,
  runUp,
  senderWords,
} from "./words.ts";

/** @param safeFrom when a lock-down loses no mail, ISO 8601 */
export function otherSteps(facts: StepFacts, safeFrom?: string): DomainSteps {
  return {
    onboarding: [
      ...relaySpfStep(facts),
      ...acceptSteps(facts),
      runUp(facts),
      ...routeSteps(facts),
      ...lockDownSteps(facts, safeFrom),
    ],
    offboarding: [...liftSteps(facts), ...stopSteps(facts), runDestroy(facts)],
  };
}

/** A filter of the mail system must not hold the gateway responsible for what it only passes on. */
function acceptSteps(facts: StepFacts): Step[] {
  if (!takesFromGateway(facts)) return [];
  const relays =
    facts.outbound === "loopback"
      ? [
          `It must also send on what comes from ${facts.domain} by ${addressWords({ ...facts, inbound: "none" })} to recipients ` +
            "elsewhere (Postfix: mynetworks, Exim: relay_from_hosts), and that must not go to the gateway again.",
        ]
      : [];
  return [
    {
      when: BEFORE_UP,
      title: `let ${facts.server} accept mail of everyone from the gateway`,
      words: [
        `Exempt ${addressWords(facts)} from what judges the client: block lists, greylisting, SPF and limits of connections. All ` +
          "mail comes from there, whoever sent it.",
        ...relays,
      ],
      blocks: acceptedAddresses(facts).length === 0 ? [] : [acceptBlock(facts)],
      check: [
        "After pulumi up, a message from outside arrives within a minute, and the server's log shows the gateway as its client.",
      ],
    },
  ];
}

function acceptBlock(facts: StepFacts): CommandBlock {
  const rows = acceptedAddresses(facts).map((address) => `${address} OK`);
  return {
    where:
      "/etc/postfix/gateway_clients, for Postfix; in smtpd_client_restrictions and smtpd_recipient_restrictions " +
      "check_client_access cidr:/etc/postfix/gateway_clients has to stand behind reject_unauth_destination and before what judges the client",
    lines: rows,
    undo: ["Delete these lines, then postfix reload"],
  };
}

function routeSteps(facts: StepFacts): Step[] {
  const outgoing: Step = {
    when: AFTER_UP,
    title: `send the mail of ${facts.domain} through the gateway`,
    words: [
      `The smart host is ${facts.gateway.smtpRelay}, port 25, never ${facts.gateway.smtpIn}.`,
      ...senderWords(facts),
    ],
    blocks: smarthostBlocks(facts),
    check: [outboundCheck(facts)],
  };
  const incoming: Step = {
    when: AFTER_UP,
    title: `hand mail to ${facts.domain} to the gateway first`,
    words: [
      `Mail to ${facts.domain} that does not come from ${addressWords(facts)} goes to ${facts.gateway.smtpIn}, port 25; what comes ` +
        "from there is delivered. Without the exception it goes round in a loop.",
    ],
    blocks: [],
    check: ["A message from outside arrives once, and its Received lines name the gateway once."],
  };
  return [
    ...(facts.outbound === "none" ? [] : [outgoing]),
    ...(facts.inbound === "loopback" ? [incoming] : []),
  ];
}

function lockDownSteps(facts: StepFacts, safeFrom?: string): Step[] {
  if (facts.inbound !== "border") return [];
  return [
    {
      ...lockDownTime(safeFrom),
      title: `lock ${facts.server} down to the gateway's addresses, if nobody is to come around the gateway`,
      words: [
        ...lockDownWords(facts),
        `In the firewall in front of ${facts.server}: accept TCP port 25 from ${addressWords(facts)}, refuse it from elsewhere. Ports 465 and 587, where people hand mail in, stay open.`,
        "Write down what the rule was before.",
      ],
      blocks: [],
      check: [
        `A message from outside arrives; from another host, a connection to ${facts.server} port 25 fails.`,
      ],
    },
  ];
}

function liftSteps(facts: StepFacts): Step[] {
  if (facts.inbound !== "border") return [];
  return [
    {
      when: BEFORE_DESTROY,
      title: "lift the lock-down, so that the mail system accepts mail from everyone again",
      words: [
        `In the firewall in front of ${facts.server}: accept TCP port 25 from everywhere, as it was before.`,
        BYPASS_TOO,
      ],
      blocks: [],
      check: [
        `From a host elsewhere, ${facts.server} port 25 greets with 220, and answers 250 to RCPT TO for an address of ${facts.domain}.`,
      ],
    },
  ];
}

function stopSteps(facts: StepFacts): Step[] {
  const blocks = smarthostBlocks(facts).map((block) => ({
    where: block.where,
    lines: block.undo,
    undo: block.lines,
  }));
  const outgoing: Step = {
    when: BEFORE_DESTROY,
    title: `let the mail of ${facts.domain} leave without the gateway`,
    words: [
      `Take ${facts.gateway.smtpRelay} out as the smart host.`,
      drainWords(facts, "out"),
      "Mail that is in the queue already is routed again by postqueue -f (Postfix), exim4 -qff (Exim), sendmail -q (Sendmail).",
    ],
    blocks,
    check: [quietCheck(facts)],
  };
  const incoming: Step = {
    when: BEFORE_DESTROY,
    title: `deliver mail to ${facts.domain} at once, without the gateway`,
    words: [`Take the rule out that hands it to ${facts.gateway.smtpIn}.`, drainWords(facts, "in")],
    blocks: [],
    check: ["A message from outside arrives, and its Received lines do not name the gateway."],
  };
  return [
    ...(facts.outbound === "none" ? [] : [outgoing]),
    ...(facts.inbound === "loopback" ? [incoming] : []),
  ];
}
