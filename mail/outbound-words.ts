/** What is said of mail that still goes out through a gateway, or may. */
import { MailRuleError } from "./errors.ts";
import type {
  OutboundQueue,
  OutboundState,
  QuietGoal,
  SilentSlot,
  Traffic,
} from "./outbound-quiet.ts";
import { type MailSystemKind, sendingSetting } from "./sending-setting.ts";

/** Whose mail it is, and through which gateway. */
export interface Sender {
  readonly domain: string;
  readonly mailSystem: MailSystemKind;
  /** The gateway's endpoint to which the mail system sends. */
  readonly relay: string;
}

/** `27 messages from 2026-… to 2026-…, from 192.0.2.7, 192.0.2.8` */
export function describeTraffic({ last, since, messages, clients }: Traffic): string {
  const count =
    messages === undefined ? "mail" : `${messages} ${messages === 1 ? "message" : "messages"}`;
  const when = messages === 1 || since === last ? `at ${last}` : `between ${since} and ${last}`;
  const who = clients.length > 0 ? `from ${clients.join(", ")}` : "from whom is not known any more";
  return `${count} ${when}, ${who}`;
}

type Sending = Extract<OutboundState, { kind: "sending" }>;

function stillSending(
  { domain, mailSystem, relay }: Sender,
  { traffic, until }: Sending,
  { quietSeconds, direction }: QuietGoal,
): MailRuleError {
  const isInbound = direction === "inbound";
  const what = isInbound
    ? `Mail for ${domain} is still handed over to the gateway`
    : `${domain} still sends through the gateway`;
  return new MailRuleError({
    code: isInbound ? "inbound-still-handed-over" : "outbound-still-sending",
    where: `${isInbound ? "Inbound" : "Outbound"} mail of ${domain}`,
    value: traffic.clients.join(", "),
    problem: `${what}: ${describeTraffic(traffic)}. It must have been quiet for ${describeSpan(quietSeconds)}. What is left on the gateway works as before.`,
    fix:
      `Switch off what sends there: ${sendingSetting(mailSystem, relay)}. If that is done, run the same command again at ${until} or later; every message until then moves that time. ` +
      override(domain),
  });
}

/** Why its mail may not be stopped yet. */
export function outboundRefusal(
  sender: Sender,
  state: Exclude<OutboundState, { kind: "quiet" }>,
  goal: QuietGoal,
): MailRuleError {
  if (state.kind === "unknown") return cannotVouch(sender, state.silent);
  if (state.kind === "queued") return stillQueued(sender, state.queue);
  return stillSending(sender, state, goal);
}

/** `3 messages in the queue of slot a, the oldest since 2026-…` */
export function describeQueue({ messages, since, slots }: OutboundQueue): string {
  const count = `${messages} ${messages === 1 ? "message" : "messages"}`;
  const where = `the queue of slot ${slots.join(", ")}`;
  return messages === 1
    ? `${count} in ${where}, since ${since}`
    : `${count} in ${where}, the oldest since ${since}`;
}

function stillQueued({ domain }: Sender, queue: OutboundQueue): MailRuleError {
  return new MailRuleError({
    code: "outbound-still-queued",
    where: `Outbound mail of ${domain}`,
    value: queue.slots.join(", "),
    problem: `${domain} sends nothing more through the gateway, but some of its mail waits there to be delivered: ${describeQueue(queue)}. Receivers would refuse it once the domain's SPF record does not name the gateway any more. What is left on the gateway works as before.`,
    fix: `Run the same command again later: the gateway tries at least once an hour, and gives a message back to its sender after 5 days. Where that mail does not matter, say so in the environment: MXHERO_OUTBOUND_STOPPED=${domain}.`,
  });
}

function describeSilence(toldUntil: string | undefined): string {
  if (toldUntil === undefined) return "has never reported";
  // Its agent has only just started.
  if (Date.parse(toldUntil) === 0) return "has told of no mail yet since it started";
  return `has told of mail until ${toldUntil} only`;
}

function cannotVouch({ domain }: Sender, silent: readonly SilentSlot[]): MailRuleError {
  const slots = silent.map(({ slot, toldUntil }) => `slot ${slot} ${describeSilence(toldUntil)}`);
  return new MailRuleError({
    code: "outbound-not-known",
    where: `Outbound mail of ${domain}`,
    value: silent.map(({ slot }) => slot).join(", "),
    problem: `Whether ${domain} still sends through the gateway is not known: ${slots.join("; ")}. What is left on the gateway works as before.`,
    fix: `Mend the slot, or take it out of the gateway's stack; then run the same command again. ${override(domain)}`,
  });
}

/** Of a gateway that nobody here can ask. */
export function needsWord({ domain, mailSystem, relay }: Sender): MailRuleError {
  return new MailRuleError({
    code: "outbound-stop-unconfirmed",
    where: `Outbound mail of ${domain}`,
    value: relay,
    problem: `Whether ${domain} still sends through ${relay} cannot be seen from here: only whoever runs that gateway can. What is left on the gateway works as before.`,
    fix: `Switch off what sends there: ${sendingSetting(mailSystem, relay)}. ${override(domain)}`,
  });
}

/** A gateway that nobody here can ask is to send the domain's mail through another host from now on. */
export function wayUnconfirmed(
  { domain, relay }: Pick<Sender, "domain" | "relay">,
  include: string,
): MailRuleError {
  return new MailRuleError({
    code: "outbound-way-unconfirmed",
    where: `Outbound mail of ${domain}`,
    value: relay,
    problem: `By its entry, mail of ${domain} does not leave from the gateway itself any more, so that include:${include} would go from its SPF record. Whether the gateway does as the entry says cannot be seen from here: if not, receivers fail its mail. The SPF record was not changed.`,
    fix: `Change the way out at the gateway first (mxHERO's dashboard: the Relay Server or the flow of the domain). ${override(domain)}`,
  });
}

function override(domain: string): string {
  return `Where you know that nothing goes out there any more, say so in the environment: MXHERO_OUTBOUND_STOPPED=${domain}.`;
}

/** `24 h`, `90 s`. */
export function describeSpan(seconds: number): string {
  if (seconds >= 3_600 && seconds % 3_600 === 0) return `${seconds / 3_600} h`;
  if (seconds >= 120 && seconds % 60 === 0) return `${seconds / 60} min`;
  return `${seconds} s`;
}
