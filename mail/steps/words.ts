/** Words and steps that are the same for every mail system. */
import { changesOfDestroy, changesOfUp } from "./dns.ts";
import { acceptedAddresses, type StepFacts } from "./facts.ts";
import type { Step } from "./step.ts";

export const BEFORE_UP = "Before pulumi up";
export const AFTER_UP = "After pulumi up";
export const BEFORE_DESTROY = "Before pulumi destroy";
/** The route still delivers for 7 days after it was given up (`LEAVING` in mail/route-life.ts). */
export const AFTER_LEAVING = "7 days after pulumi destroy";

export const BYPASS_TOO = "The same before a pulumi up with bypass: true.";

const NO_EFFECT = { blocks: [], check: [] } as const;

export function runUp(facts: StepFacts): Step {
  const { domain, inbound } = facts;
  const check =
    inbound === "border"
      ? [
          `dig +short MX ${domain} answers the gateway's hosts; a message from outside arrives, and its ` +
            "Received lines name the gateway.",
        ]
      : [];
  return { when: "Then", title: "run pulumi up", words: changesOfUp(facts), blocks: [], check };
}

export function runDestroy(facts: StepFacts): Step {
  const { domain } = facts;
  return {
    ...NO_EFFECT,
    when: "Then",
    title: "run pulumi destroy",
    words: [
      `Or, if only ${domain} leaves: delete its entry from the stack's file and run pulumi up.`,
      ...changesOfDestroy(facts),
    ],
    check: [
      `A message from outside arrives, and its Received lines no longer name the gateway (senders may ` +
        "remember the gateway's MX for as long as its TTL, 5 minutes).",
    ],
  };
}

/** In place of a time that is not known yet. */
export const UNTIMED = "the time lockDownSafeFrom that pulumi stack output domains --json shows";

/** When a lock-down loses no mail. @param safeFrom ISO 8601; `undefined`: not known yet */
export function lockDownTime(safeFrom: string | undefined): Pick<Step, "when" | "isTimed"> {
  const time = safeFrom ?? UNTIMED;
  return { when: `${AFTER_UP}, and not before ${time}`, isTimed: true };
}

/** Why a lock-down waits, and for whom it counts. */
export function lockDownWords(facts: StepFacts): string[] {
  const outside = facts.neighbours.filter(({ inbound }) => inbound !== "border");
  return [
    "Until then resolvers may remember the former MX, and mail that comes straight would be refused. Some keep " +
      "records for longer than they may: whoever can wait for a day more waits.",
    "It counts for every domain of the mail system, not for " +
      `${facts.domain} alone: do it only once the MX of each of them points at the gateway.` +
      (outside.length === 0
        ? ""
        : ` In this stack, that of ${outside.map(({ domain }) => domain).join(", ")} does not.`),
  ];
}

/** What must not be taken away as long as others need it; nothing where there are no others. */
export function keepForNeighbours({ neighbours }: StepFacts): string[] {
  const users = neighbours.filter((n) => n.inbound !== "none" || n.outbound !== "none");
  if (users.length === 0) return [];
  const names = users.map(({ domain }) => domain).join(", ");
  return [
    `Leave this step out as long as another domain of the mail system uses it; in this stack: ${names}.`,
  ];
}

/** `203.0.113.7, 203.0.113.9`, or where to learn them. */
export function addressWords(facts: StepFacts): string {
  const known = acceptedAddresses(facts);
  if (known.length > 0) return known.join(", ");
  return "the addresses from which the gateway delivers (its operator tells them)";
}

/** How the gateway knows who sends; nothing where whoever runs it keeps that. */
export function senderWords({ sendingFrom, domain }: StepFacts): string[] {
  if (sendingFrom.length === 0) return [];
  return [
    `The gateway accepts mail from ${domain} only from ${sendingFrom.join(", ")}: the mail must leave from there.`,
  ];
}

/** How to see that mail goes out through the gateway. */
export function outboundCheck({ domain, gateway, outbound }: StepFacts): string {
  const back =
    outbound === "loopback" ? ", then the mail system again, before the recipient's" : "";
  return (
    `Send a message from ${domain} to an address outside, and look at its header there: the Received lines name ` +
    `${gateway.smtpRelay} or another host of the gateway${back}; Authentication-Results says spf=pass.`
  );
}

/** How to see that none does any more. */
export function quietCheck({ domain, gateway }: StepFacts): string {
  return (
    `Send a message from ${domain} to an address outside: its Received lines name neither ${gateway.smtpRelay} ` +
    "nor another host of the gateway."
  );
}

/** What `pulumi destroy` does as long as the mail system still hands mail to the gateway. */
export function drainWords({ domain, gateway }: StepFacts, direction: "in" | "out"): string {
  if (gateway.isHosted) {
    const [passed, does] =
      direction === "out" ? ["gone out through", "sends"] : ["been handed to", "is handed"];
    return (
      `Wait until nothing has ${passed} the gateway for a day. pulumi destroy cannot see what this gateway ${does}, and ` +
      `takes your word for it: MXHERO_OUTBOUND_STOPPED=${domain} in the environment.`
    );
  }
  const mail =
    direction === "out"
      ? "the domain's outgoing mail"
      : "mail for the domain that the gateway is handed";
  return (
    `pulumi destroy waits until ${mail} has been quiet for long enough (a day if nothing else is said); a ` +
    "rule or a connector that is forgotten here holds it up, and it says who still sends."
  );
}

/** With a Relay Server it is the relay that sends, and this project does not edit SPF for it. */
export function relaySpfStep(facts: StepFacts): Step[] {
  const { relayServer, outbound, domain } = facts;
  if (relayServer === undefined || outbound !== "standard") return [];
  return [
    {
      when: BEFORE_UP,
      title: `see that the SPF record of ${domain} authorises the Relay Server`,
      words: [
        `Mail of ${domain} leaves to the world from ${relayServer.host}, or from where that hands it on, not from ` +
          "the gateway. The term that its operator names must be in the record; pulumi does not add it.",
      ],
      blocks: [],
      check: [`dig +short TXT ${domain} shows the term.`],
    },
  ];
}
