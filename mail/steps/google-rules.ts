/**
 * How Google Workspace hands mail to the gateway: a mail route (Hosts), and a rule for each direction.
 *
 * Sources: support.google.com/a, answers 2614757 (Hosts), 2368131 and 6297084 (Routing), 1346934 (content compliance),
 * 178333 (outbound gateway); mxHERO, "Fix gateway configuration for inactive domains" (former host names; 60 minutes).
 */
import { type StepFacts, sendsThroughOwnHost } from "./facts.ts";
import { addressPattern } from "./quoting.ts";
import { smarthostBlocks } from "./smarthost.ts";
import type { Step } from "./step.ts";
import {
  AFTER_UP,
  BEFORE_DESTROY,
  drainWords,
  outboundCheck,
  quietCheck,
  senderWords,
} from "./words.ts";

export const GMAIL = "Apps > Google Workspace > Gmail";
const ROUTING = `${GMAIL} > Routing, the top organization, Routing`;
const COMPLIANCE = `${GMAIL} > Compliance, the top organization, Content compliance`;
export const SLOW =
  "Google applies the change within 60 minutes, as a rule; its own pages say up to 24 hours.";

export function routeSteps(facts: StepFacts): Step[] {
  return [
    ...(facts.outbound === "none" ? [] : outgoing(facts)),
    ...(facts.inbound === "loopback" ? [hostStep(facts, "in"), ruleStep(facts, "in")] : []),
  ];
}

function outgoing(facts: StepFacts): Step[] {
  const ownHost: Step = {
    when: AFTER_UP,
    title: "let a host of your own pass the mail of Google Workspace on to the gateway",
    words: [
      ...senderWords(facts),
      "The organisations at Google all send from the same addresses, so the gateway cannot tell yours from others. The host must take mail from Google's addresses for your organisation only.",
    ],
    blocks: smarthostBlocks(facts),
    check: [`The host's log shows a test message as sent to ${facts.gateway.smtpRelay}.`],
  };
  return [
    ...(sendsThroughOwnHost(facts) ? [ownHost] : []),
    hostStep(facts, "out"),
    formerStep(facts, AFTER_UP),
    ruleStep(facts, "out"),
  ];
}

function hostName(facts: StepFacts, direction: "in" | "out"): string {
  if (direction === "in") return facts.gateway.smtpIn;
  return sendsThroughOwnHost(facts)
    ? `the host of your own that sends from ${facts.sendingFrom.join(" or ")}`
    : facts.gateway.smtpRelay;
}

function routeName(direction: "in" | "out"): string {
  return direction === "in" ? "Gateway, incoming" : "Gateway, outgoing";
}

function hostStep(facts: StepFacts, direction: "in" | "out"): Step {
  return {
    when: AFTER_UP,
    title: `add the gateway as a mail route for ${direction === "in" ? "incoming" : "outgoing"} mail`,
    words: [
      `${GMAIL} > Hosts > Add Route. Leave this step out if another domain has made it already.`,
      `Name: ${routeName(direction)}. Single host: ${hostName(facts, direction)}, port 25.`,
      "Leave Perform MX lookup on host clear. Tick Require mail to be transmitted via a secure (TLS) connection. Save.",
    ],
    blocks: [],
    check: ["Test TLS connection in the same window says that it succeeded."],
  };
}

function ruleName(facts: StepFacts, direction: "in" | "out"): string {
  return `${facts.domain} ${direction} through the gateway`;
}

/** Where the rule is. */
function rulePlace({ outbound }: StepFacts, direction: "in" | "out"): string {
  return direction === "in" || outbound === "loopback" ? COMPLIANCE : ROUTING;
}

function ruleStep(facts: StepFacts, direction: "in" | "out"): Step {
  const back = direction === "in" || facts.outbound === "loopback";
  return {
    when: AFTER_UP,
    title: `make the rule that hands ${direction === "in" ? "incoming" : "outgoing"} mail to the gateway`,
    words: [
      ...(back ? complianceWords(facts, direction) : routingWords(facts, direction)),
      `Save. ${SLOW}`,
    ],
    blocks: [],
    check: [
      direction === "in"
        ? "A message from outside arrives once, and its Received lines name the gateway once."
        : outboundCheck(facts),
    ],
  };
}

function routingWords(facts: StepFacts, direction: "in" | "out"): string[] {
  return [
    `${ROUTING} > Configure or Add another rule. Name: ${ruleName(facts, direction)}.`,
    `Email messages to affect: ${affected(direction)}.`,
    `Envelope filter: ${envelopeFilter(facts, direction)}.`,
    `For the above types of messages: Modify message; Route: Change route > ${routeName(direction)}.`,
  ];
}

/** Only a rule of this kind can leave out what comes back from the gateway. */
function complianceWords(facts: StepFacts, direction: "in" | "out"): string[] {
  const host = direction === "in" ? facts.gateway.smtpIn : facts.gateway.smtpRelay;
  return [
    `${COMPLIANCE} > Configure or Add another rule. Name: ${ruleName(facts, direction)}.`,
    `Email messages to affect: ${affected(direction)}.`,
    "Expressions: If ALL of the following match the message > Add > Advanced content match; Location: Full headers; Match " +
      `type: Not contains text; Content: ${host}. Without it, what comes back from the gateway goes round in a loop. Where the ` +
      "Received lines of a message from the gateway name another host, or its operator names a header, write that.",
    `If the above expressions match: Modify message; Route: Change route > ${routeName(direction)}.`,
    `Show options > Envelope filter: ${envelopeFilter(facts, direction)}.`,
  ];
}

function affected(direction: "in" | "out"): string {
  return direction === "in" ? "Inbound" : "Outbound";
}

function envelopeFilter({ domain }: StepFacts, direction: "in" | "out"): string {
  const side = direction === "in" ? "recipients" : "senders";
  return `Only affect specific envelope ${side} > Pattern match: ${addressPattern(domain)}`;
}

/** What stands there from before would be stronger, or be forgotten. */
function formerStep({ gateway }: StepFacts, when: string): Step {
  const names = [...new Set([gateway.smtpRelay, ...gateway.formerNames])];
  return {
    when,
    title: "look for an outbound gateway from former days",
    words: [
      `${GMAIL} > Routing, the top organization and each below it, Outbound gateway: it must be empty.`,
      `An entry ${names.join(", ")} sends all mail of the organisation to a gateway, whatever the rules say: delete it, and Save.`,
      "The same names may stand in Hosts, and in rules under Routing, Default routing, and Compliance > Content compliance.",
    ],
    blocks: [],
    check: [
      "Reporting > Audit and investigation > Admin log events lists the change, if there was one.",
    ],
  };
}

export function stopSteps(facts: StepFacts): Step[] {
  const rules = (["out", "in"] as const).filter((direction) =>
    direction === "out" ? facts.outbound !== "none" : facts.inbound === "loopback",
  );
  const steps = rules.map((direction) => ({
    when: BEFORE_DESTROY,
    title: `switch the rule off that hands ${direction === "in" ? "incoming" : "outgoing"} mail to the gateway`,
    words: [
      `${rulePlace(facts, direction)} > ${ruleName(facts, direction)} > Disable. To undo it, Enable. Leave the entry in Hosts until later.`,
      SLOW,
      drainWords(facts, direction),
    ],
    blocks: [],
    check: [
      direction === "out"
        ? `After 60 minutes: ${quietCheck(facts)}`
        : "After 60 minutes, a message from outside arrives without the gateway in its Received lines.",
    ],
  }));
  return facts.outbound === "none" ? steps : [...steps, formerStep(facts, BEFORE_DESTROY)];
}
