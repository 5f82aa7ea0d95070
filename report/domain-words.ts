/** In plain words: what happens to a domain, what senders and recipients notice, and how long it takes. */
import { MX_TTL_SECONDS } from "../mail/departure.ts";
import { INACTIVE_DEFERS } from "../mail/route-life.ts";
import { mxWords } from "./domain-diff.ts";
import {
  directionDuration,
  moveDuration,
  offboardDuration,
  onboardDuration,
  runDuration,
} from "./domain-durations.ts";
import { type Facts, factsOf } from "./domain-facts.ts";
import { isKnown, type KeptValues } from "./kept-values.ts";
import type { MailDomain } from "./mail-domain.ts";
import { flowOf, isHandedOver } from "./mail-flow.ts";
import { span } from "./span.ts";
import type { ChangeKind, DomainReport } from "./stack-report.ts";

type DomainWords = Pick<DomainReport, "summary" | "notices" | "duration">;

/** The sentences of all that happens to it, the weightiest first. */
export function wordsOf(domain: MailDomain, kinds: readonly ChangeKind[]): DomainWords {
  const all = kinds.map((kind) => WORDS[kind](factsOf(domain)));
  const sentences = (key: "notices" | "duration") => [...new Set(all.flatMap((each) => each[key]))];
  return {
    summary: all.map(({ summary }) => summary).join(" "),
    notices: sentences("notices"),
    duration: sentences("duration"),
  };
}

const WORDS: Readonly<Record<ChangeKind, (facts: Facts) => DomainWords>> = {
  unknown: ({ name }) => ({
    summary: `The preview failed, so nobody knows what would happen to the mail of ${name}.`,
    notices: [],
    duration: [],
  }),
  onboard: (facts) => ({
    summary: onboardSummary(facts),
    notices: onboardNotices(facts),
    duration: onboardDuration(facts),
  }),
  offboard: (facts) => ({
    summary: `${facts.name} leaves the gateway. ${leavingWords(facts)}`,
    notices: [
      "Senders notice nothing, if the steps below are done first: both ways work while the MX change.",
      "Recipients see that new messages no longer have the gateway in their headers.",
    ],
    duration: offboardDuration(facts),
  }),
  "other-gateway": (facts) => ({
    summary: `${facts.name} moves to another gateway${fromTo(facts)}. Its MX and its SPF record change; its mail system stays the same unless something below says otherwise.`,
    notices: [
      "Senders notice nothing: the former gateway goes on serving the domain until nobody is led there any more.",
      "Recipients see the new gateway in the headers of new messages.",
    ],
    duration: moveDuration(facts),
  }),
  inactivate: ({ name, next }) => ({
    summary: `The gateway stops serving ${name}. Mail to and from it is put off as soon as the run is through, and refused for good ${span(INACTIVE_DEFERS)} later.`,
    notices: [
      `Senders notice nothing for the first ${span(INACTIVE_DEFERS)}, while their mail systems try again; after that their mail comes back as undeliverable.${fixItWords(next)}`,
      "Recipients get no mail through the gateway from the start.",
    ],
    duration: [
      `It works within seconds. There are ${span(INACTIVE_DEFERS)} to take it back without a lost message.`,
    ],
  }),
  activate: ({ name }) => ({
    summary: `The gateway serves ${name} again.`,
    notices: [
      "Mail that senders have kept meanwhile arrives with their next attempt, within hours. What was refused is not sent again.",
    ],
    duration: [
      "Seconds to minutes: every host of the gateway proves first that the Server takes the mail.",
    ],
  }),
  bypass: (facts) => ({
    summary: `Mail to ${facts.name} goes around the gateway for now, straight to ${hosts(facts.next.mx?.after)}. The domain stays set up at the gateway.`,
    notices: [
      "Senders notice nothing.",
      "Recipients get mail that the gateway has not seen: whatever it does with messages is not done.",
    ],
    duration: [
      ...runDuration(facts),
      `Some senders use the gateway for up to ${span(MX_TTL_SECONDS)} longer; it still takes their mail.`,
    ],
  }),
  "end-bypass": (facts) => ({
    summary: `Mail to ${facts.name} comes through the gateway again; the bypass ends.`,
    notices: [
      "Senders notice nothing.",
      "Recipients see the gateway in the headers of new messages again.",
    ],
    duration: runDuration(facts),
  }),
  direction: (facts) => ({
    summary: directionWords(facts).join(" "),
    notices: ["Senders and recipients notice nothing, if the steps below are done."],
    duration: directionDuration(facts),
  }),
  server: ({ name, old, next }) => ({
    summary: `The gateway hands mail to ${name} to another mail server: ${serverOf(next)} instead of ${serverOf(old)}.`,
    notices: [
      "Senders notice nothing.",
      "Recipients find new mail in the mail system behind the new server; what has arrived before stays where it is.",
    ],
    duration: [
      next.route === undefined
        ? "The run takes seconds; whoever runs the gateway changes its Server, and when that is done decides."
        : "Seconds to minutes: every host of the gateway proves the new server first, and the former one serves until then.",
    ],
  }),
  other: (facts) => ({
    summary: otherSummary(facts),
    notices: hasSameWay(facts)
      ? ["Senders and recipients should notice nothing."]
      : ["Senders and recipients notice nothing but other hosts in the headers of messages."],
    duration: ["Seconds to minutes."],
  }),
  unchanged: ({ name }) => ({
    summary: `Nothing changes for the mail of ${name}.`,
    notices: [],
    duration: [],
  }),
};

function onboardSummary({ name, next }: Facts): string {
  const { inbound, outbound, directives } = next.component?.report ?? {};
  const server = isKnown(directives?.server) ? directives.server : "its mail system";
  const isBypassed = next.mx?.bypass === true;
  const to = isBypassed
    ? `Mail to it still goes around the gateway, as a bypass is set`
    : inbound === "border"
      ? `Mail to it will arrive at the gateway first, which hands it on to ${server}`
      : inbound === "loopback"
        ? "Mail to it still arrives at its mail system, which then passes it through the gateway"
        : "Mail to it does not pass the gateway";
  const from =
    outbound === "standard"
      ? "mail from it will leave through the gateway"
      : outbound === "loopback"
        ? "mail from it will pass through the gateway and leave from the mail system"
        : "mail from it does not pass the gateway";
  return `${name} comes onto the gateway. ${to}; ${from}.`;
}

function onboardNotices({ next }: Facts): string[] {
  const { outbound } = next.component?.report ?? {};
  return [
    "Senders notice nothing: old and new mail hosts both take mail while the records change.",
    "Recipients find the gateway in the headers of new messages.",
    ...(outbound === "standard"
      ? [
          "Whoever gets mail from it sees it come from the gateway's addresses (or the Relay Server's), once the mail system sends there.",
        ]
      : []),
  ];
}

function leavingWords({ old }: Facts): string {
  const to =
    old.mx === undefined ? "" : `Mail to it goes straight to ${hosts(old.mx.before)} again.`;
  const from =
    old.drain === undefined
      ? ""
      : "Mail from it must leave without the gateway before the run can end.";
  return [to, from].filter(Boolean).join(" ");
}

function directionWords(facts: Facts): string[] {
  return [...inboundWords(facts), ...outboundWords(facts)];
}

function inboundWords(facts: Facts): string[] {
  const { name, mxOp, old, next } = facts;
  const { begins, ends } = flowOf(facts, "inbound");
  if (mxOp === "create") return [`Mail to ${name} will arrive at the gateway first.`];
  if (mxOp === "delete") {
    const then = isHandedOver(next) ? "; its mail system then passes it through the gateway" : "";
    const where = `straight at ${hosts(old.mx?.before)}${then}`;
    return [`Mail to ${name} no longer arrives at the gateway, but ${where}.`];
  }
  if (begins) {
    return [
      `Mail to ${name} still arrives at its mail system, which then passes it through the gateway.`,
    ];
  }
  return ends
    ? [`Mail to ${name} is no longer handed to the gateway, which refuses it after the run.`]
    : [];
}

/** Where nobody knows the directions, the `Drain` stands for mail from the domain. */
function outboundWords(facts: Facts): string[] {
  const { name, drainOp, next, old } = facts;
  const { begins, ends } = flowOf(facts, "outbound");
  const isOfInbound = isHandedOver(old) || isHandedOver(next);
  if (begins || (drainOp === "create" && !isOfInbound)) {
    return [`Mail from ${name} will pass through the gateway.`];
  }
  return ends || (drainOp === "delete" && !isOfInbound)
    ? [`Mail from ${name} no longer passes through the gateway, which refuses it after the run.`]
    : [];
}

function fromTo({ old, next }: Facts): string {
  const [from, to] = [old.component?.report?.gateway, next.component?.report?.gateway];
  return isKnown(from) && isKnown(to) && from !== to ? `, from ${from} to ${to}` : "";
}

function serverOf({ component }: KeptValues): string {
  const server = component?.report?.directives?.server;
  return isKnown(server) ? server : "the former one";
}

function hosts(records: NonNullable<KeptValues["mx"]>["after"]): string {
  const names = mxWords(records).map((mx) => mx.replace(/^\d+ /, ""));
  return names.join(", ") || "the domain's own address";
}

function fixItWords({ route }: KeptValues): string {
  return isKnown(route?.fixIt) ? ` The answer names ${route.fixIt}.` : "";
}

function otherSummary(facts: Facts): string {
  const { name, old, next, changed } = facts;
  const [was, will] = [relayOf(old), relayOf(next)];
  if (will !== undefined && was !== will) {
    return will === "none"
      ? `Mail from ${name} leaves from the gateway itself again, and not through a Relay Server.`
      : `Mail from ${name} will leave the gateway through the Relay Server ${will}.`;
  }
  const what = changed.length === 0 ? "" : ` (${changed.join(", ")})`;
  return `Settings of ${name} change${what}${hasSameWay(facts) ? "; the way of its mail stays the same" : ", and the way of its mail with them"}.`;
}

function relayOf({ component }: KeptValues): string | undefined {
  const relay = component?.report?.directives?.relayServer;
  return isKnown(relay) ? relay.replace(/, port .*$/, "") : undefined;
}

function hasSameWay({ old, next }: Facts): boolean {
  const [was, will] = [old.component?.report, next.component?.report];
  return (["inboundPath", "outboundPath"] as const).every(
    (path) => was?.[path]?.after === will?.[path]?.after,
  );
}
