/**
 * Whether a domain's mail has stopped to go out through a gateway, and all that came has been delivered; and the
 * same of mail for it that its mail system hands over.
 *
 * Each slot tells when mail last passed, and until when it has told all. Times are compared with those of the
 * same slot, for clocks differ; only whether a slot has told lately goes by the clock of whoever asks.
 */
import { MOST_CLIENTS } from "./mail-spell.ts";
import type { LastMail, SlotAnswer, SlotReport } from "./route.ts";
import type { MailDirection } from "./route-life.ts";

/** How long a domain must have sent nothing. Mail that is sent once a day shows within it. In seconds. */
export const QUIET_SECONDS = 86_400;

/** What an agent of an earlier release has not told yet: it tells once a minute. */
const UNTOLD_SECONDS = 60;

/**
 * A message that comes within a minute of the one before may be told a minute late, and so may the next: a
 * shorter silence may be one between two messages of which the second is not told yet. In seconds.
 */
const SURE_SECONDS = 2 * UNTOLD_SECONDS;

/** Between the end of a slot's log, as it was read, and its report. With more, some message waits to be told. */
const READING_SECONDS = 3;

/** Slots report every 5 s, and tell within a minute. One that has told nothing for so long may have failed. */
const FRESH_SECONDS = 180;

export interface OutboundWorld {
  /** Of slots that left the fleet, too: their last mail counts. */
  readonly answers: readonly SlotAnswer[];
  /** The fleet's slots. Each must vouch that it relayed nothing. */
  readonly slots: readonly string[];
  readonly reports: readonly SlotReport[];
}

export interface QuietGoal {
  /** For how long nothing may have been sent. */
  readonly quietSeconds: number;
  /** Whose mail counts, by the client's address. @default everyone's */
  readonly isMeant?: (client: string) => boolean;
  /** `inbound`: mail for the domain, where its MX do not lead to the gateway. @default "outbound" */
  readonly direction?: MailDirection;
}

/** The traffic that keeps a domain from being quiet. */
export interface Traffic {
  /** When the last message passed. ISO 8601, UTC, as every instant here. */
  readonly last: string;
  /** When it began, as far as that is known. */
  readonly since: string;
  /** How many messages; missing: not known. */
  readonly messages?: number;
  /** The clients' addresses, the latest first; at most 5. */
  readonly clients: readonly string[];
}

/** A slot that may have relayed without having told. */
export interface SilentSlot {
  readonly slot: string;
  /** Until when it has told all. Missing: it never reported. */
  readonly toldUntil?: string;
}

export type OutboundState =
  /** `last`: missing where nothing ever passed. */
  | { readonly kind: "quiet"; readonly last?: string }
  /** It is quiet after so many seconds without another message, at this time. */
  | {
      readonly kind: "sending";
      readonly traffic: Traffic;
      readonly seconds: number;
      readonly until: string;
    }
  /** No traffic is known, and these slots cannot vouch for that. */
  | { readonly kind: "unknown"; readonly silent: readonly SilentSlot[] }
  /** Nothing more comes, but some of what came waits to be delivered. */
  | { readonly kind: "queued"; readonly queue: OutboundQueue };

/** What a domain has in the queues of the fleet's slots. */
export interface OutboundQueue {
  readonly messages: number;
  /** When the oldest came in. ISO 8601, UTC. */
  readonly since: string;
  readonly slots: readonly string[];
}

/** How long ago a slot's last message was that counts. */
interface SlotQuiet {
  readonly mail: LastMail;
  readonly last: string;
  readonly quietSeconds: number;
  /** What is asked for, or more where a shorter silence proves nothing. */
  readonly neededSeconds: number;
}

export function outboundState(seen: OutboundWorld, goal: QuietGoal, now: Date): OutboundState {
  const world = goal.direction === "inbound" ? inboundOf(seen) : seen;
  const told = world.answers.flatMap((answer) => quietOf(answer, world, goal, now));
  const loud = told.filter(({ quietSeconds, neededSeconds }) => quietSeconds < neededSeconds);
  if (loud.length > 0) return sending(loud, goal, now);
  const silent = silentSlots(world, now);
  if (silent.length > 0) return { kind: "unknown", silent };
  const queue = goal.isMeant === undefined ? queueOf(world) : undefined;
  if (queue !== undefined) return { kind: "queued", queue };
  const last = latest(told.map((each) => each.last));
  return last === undefined ? { kind: "quiet" } : { kind: "quiet", last };
}

/** Inbound mail as if it were outbound. Slots do not say until when they have told of it: within a minute. */
function inboundOf({ answers, slots, reports }: OutboundWorld): OutboundWorld {
  return {
    answers: answers.map(({ domain, slot, lastInbound }) => ({
      domain,
      slot,
      ...(lastInbound && { lastOutbound: lastInbound }),
    })),
    slots,
    reports: reports.map((report) => {
      const { toldUntil: _, ...kept } = report;
      return kept;
    }),
  };
}

function quietOf(
  { slot, lastOutbound: mail }: SlotAnswer,
  { reports }: OutboundWorld,
  { isMeant, quietSeconds: asked }: QuietGoal,
  now: Date,
): SlotQuiet[] {
  const last = mail && (isMeant === undefined ? mail.at : lastMeant(mail, isMeant));
  if (mail === undefined || last === undefined) return [];
  const report = reports.find((each) => each.slot === slot);
  const told = toldUntil(report);
  // A slot that does not report any more, or not for long, cannot have been quiet for longer than it says.
  const until = told !== undefined && isFresh(told, now) ? told : now;
  const quietSeconds = (until.getTime() - Date.parse(last)) / 1000;
  const neededSeconds = hasToldAll(report, told) ? asked : Math.max(asked, SURE_SECONDS);
  return [{ mail, last, quietSeconds, neededSeconds }];
}

/** Whether no message waits to be told. By the slot's own clock. */
function hasToldAll(report: SlotReport | undefined, told: Date | undefined): boolean {
  if (report === undefined || told === undefined) return false;
  return told.getTime() >= Date.parse(report.heartbeat) - READING_SECONDS * 1000;
}

/** The last message that may have come from a client that is meant; `undefined`: there was none. */
function lastMeant(
  { at, clients }: LastMail,
  isMeant: (client: string) => boolean,
): string | undefined {
  // An agent of an earlier release does not tell who sent before the last one.
  if (clients === undefined) return at;
  const meant = clients.latest.filter((client) => isMeant(client.from));
  return meant[0]?.at ?? clients.knownSince;
}

function sending(loud: readonly SlotQuiet[], { isMeant }: QuietGoal, now: Date): OutboundState {
  const rest = loud.map(({ neededSeconds, quietSeconds }) => neededSeconds - quietSeconds);
  const seconds = rest.reduce((one, other) => Math.max(one, other), 0);
  // A spell counts everyone's mail.
  const spells = loud.map(
    ({ mail, last }) => (isMeant === undefined ? mail.spell : undefined) ?? { since: last },
  );
  const counts = spells.map((spell) => ("messages" in spell ? spell.messages : undefined));
  const messages = counts.reduce(addKnown, 0);
  const clients = loud
    .flatMap(({ mail }) => mail.clients?.latest ?? [mail])
    .filter(({ from }) => isMeant === undefined || isMeant(from))
    .toSorted((one, other) => other.at.localeCompare(one.at));
  const traffic = {
    last: latest(loud.map(({ last }) => last)) ?? "",
    since: spells.map(({ since }) => since).toSorted()[0] ?? "",
    ...(messages !== undefined && { messages }),
    clients: [...new Set(clients.map(({ from }) => from))].slice(0, MOST_CLIENTS),
  };
  const until = new Date(now.getTime() + seconds * 1000).toISOString();
  return { kind: "sending", traffic, seconds, until };
}

function addKnown(sum: number | undefined, count: number | undefined): number | undefined {
  return sum === undefined || count === undefined ? undefined : sum + count;
}

/** What waits, as the slots have lately told; who sent it, a queue does not tell. By the slots' own clocks. */
export function queueOf({ answers, slots, reports }: OutboundWorld): OutboundQueue | undefined {
  const queued = answers.flatMap(({ slot, queuedOutbound }) => {
    const told = toldUntil(reports.find((report) => report.slot === slot));
    if (queuedOutbound === undefined || queuedOutbound.messages === 0) return [];
    if (told === undefined || !slots.includes(slot)) return [];
    // Told once a minute: what was not for so long is not there any more.
    return isFresh(new Date(queuedOutbound.at), told) ? [{ slot, ...queuedOutbound }] : [];
  });
  const since = queued.map((each) => each.since).toSorted()[0];
  if (since === undefined) return undefined;
  const messages = queued.reduce((sum, each) => sum + each.messages, 0);
  return { messages, since, slots: queued.map(({ slot }) => slot) };
}

function silentSlots({ slots, reports }: OutboundWorld, now: Date): SilentSlot[] {
  return slots.flatMap((slot) => {
    const told = toldUntil(reports.find((report) => report.slot === slot));
    if (told === undefined) return [{ slot }];
    return isFresh(told, now) ? [] : [{ slot, toldUntil: told.toISOString() }];
  });
}

function toldUntil(report: SlotReport | undefined): Date | undefined {
  if (report === undefined) return undefined;
  if (report.toldUntil !== undefined) return new Date(report.toldUntil);
  return new Date(Date.parse(report.heartbeat) - UNTOLD_SECONDS * 1000);
}

function isFresh(told: Date, now: Date): boolean {
  return Math.abs(now.getTime() - told.getTime()) <= FRESH_SECONDS * 1000;
}

function latest(instants: readonly string[]): string | undefined {
  return instants.toSorted().at(-1);
}
