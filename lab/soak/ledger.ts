/** Where every message of a soak is, by its id: decided from what senders, mail systems and queues say. */
import type { SpfResult } from "../../mail/spf/index.ts";
import type { Fate } from "./mail-server.ts";

/** A message that a mail server began to send. */
export interface Sending {
  readonly id: string;
  readonly direction: "in" | "out";
  /** The tenant that it is for, or from. */
  readonly tenant: string;
  /** The mail server's kind, for the table. */
  readonly sender: string;
  /** Whose mail systems are to get it: a tenant, or `outside`. */
  readonly owner: string;
  /** Nobody has this address there: the direct path refuses it. */
  readonly unknownUser: boolean;
  /** Milliseconds since the epoch. */
  readonly begun: number;
  /** `undefined`: on its way to the first server. */
  readonly fate?: Fate;
}

/** A copy of a message at a mail system. */
export interface Arrival {
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Whose mail system it is. */
  readonly owner: string;
  readonly path: "direct" | "gateway";
  /** Of the host that brought it to this border, and of the mail server that wrote it. */
  readonly spf: { readonly seen: SpfResult; readonly direct: SpfResult };
}

/** What else knows of messages. */
export interface Elsewhere {
  /** Ids of messages whose senders got a report of failure. */
  readonly bounced: ReadonlySet<string>;
  /** Ids of messages in the gateway's queues. */
  readonly queued: ReadonlySet<string>;
}

export type Place =
  | "delivered"
  /** Refused as the direct path would have, for its recipient does not exist. */
  | "unknown-user"
  /** At a mail system of somebody else, be it that it arrived where it should as well. */
  | "wrong-tenant"
  /** By a 5xx, or by a report of failure though it was taken; the direct path would have delivered it. */
  | "refused"
  | "given-up"
  | "queued"
  | "kept"
  /** Taken, and nowhere to be found. */
  | "lost";

export interface Found extends Sending {
  readonly place: Place;
  readonly copies: readonly Arrival[];
}

export interface Account {
  readonly messages: readonly Found[];
  readonly sent: number;
  readonly places: Readonly<Record<Place, number>>;
  /** Copies beyond the first. */
  readonly duplicates: number;
  /** Delivered, and the sender was told that it failed. */
  readonly falselyBounced: number;
  /** Copies of which a receiver would think worse than of one that had come the direct way. */
  readonly spfWorse: number;
  readonly spf: Readonly<Record<string, number>>;
}

const noPlaces: Readonly<Record<Place, number>> = {
  delivered: 0,
  "unknown-user": 0,
  "wrong-tenant": 0,
  refused: 0,
  "given-up": 0,
  queued: 0,
  kept: 0,
  lost: 0,
};

export function account(
  sendings: readonly Sending[],
  arrivals: readonly Arrival[],
  elsewhere: Elsewhere,
): Account {
  const copies = Map.groupBy(arrivals, ({ id }) => id);
  const messages = sendings.map((sending) => {
    const found = copies.get(sending.id) ?? [];
    return { ...sending, copies: found, place: placeOf(sending, found, elsewhere) };
  });
  const known = messages.flatMap((message) => message.copies);
  const at = Map.groupBy(messages, ({ place }) => place);
  const places = { ...noPlaces };
  for (const [place, { length }] of at) places[place] = length;
  const verdicts = Map.groupBy(known, ({ spf, path }) => `${path}: ${spf.seen}`);
  return {
    messages,
    sent: messages.length,
    places,
    duplicates: messages.reduce((sum, message) => sum + Math.max(0, message.copies.length - 1), 0),
    falselyBounced: messages.filter(
      ({ id, copies: found }) => found.length > 0 && elsewhere.bounced.has(id),
    ).length,
    spfWorse: known.filter(({ spf }) => spf.direct === "pass" && spf.seen !== "pass").length,
    spf: Object.fromEntries([...verdicts].map(([verdict, { length }]) => [verdict, length])),
  };
}

function placeOf(
  { id, owner, unknownUser, fate }: Sending,
  copies: readonly Arrival[],
  { bounced, queued }: Elsewhere,
): Place {
  if (copies.some((copy) => copy.owner !== owner)) return "wrong-tenant";
  if (copies.length > 0) return "delivered";
  if (fate?.state === "refused" || bounced.has(id)) {
    return unknownUser ? "unknown-user" : "refused";
  }
  if (fate?.state === "given-up") return "given-up";
  if (queued.has(id)) return "queued";
  return fate?.state === "taken" ? "lost" : "kept";
}

/** What is not as it has to be, in sentences; at most so many messages are named for each. */
export function faultsOf(total: Account, examples = 5): string[] {
  const faults = (["wrong-tenant", "refused", "given-up", "queued", "kept", "lost"] as const)
    .filter((place) => total.places[place] > 0)
    .map((place) => {
      const those = total.messages.filter((message) => message.place === place);
      const named = those.slice(0, examples).map(wordsOf).join("; ");
      return `${those.length} ${place}: ${named}`;
    });
  if (total.falselyBounced > 0) {
    faults.push(`${total.falselyBounced} arrived, and their senders were told that they had not`);
  }
  if (total.spfWorse > 0) {
    const those = total.messages.filter(({ copies }) => copies.some(isWorse));
    const named = those.slice(0, examples).map(wordsOf).join("; ");
    faults.push(`${total.spfWorse} did not pass SPF where the direct path does: ${named}`);
  }
  return faults;
}

function isWorse({ spf }: Arrival): boolean {
  return spf.direct === "pass" && spf.seen !== "pass";
}

function wordsOf({ id, begun, fate, copies }: Found): string {
  const at = copies.map(
    ({ owner, path, spf }) => `at ${owner} by the ${path} path, SPF ${spf.seen}`,
  );
  const said = fate === undefined ? [] : [`${fate.state} after ${fate.attempts}: ${fate.reply}`];
  return `${id} (${[new Date(begun).toISOString(), ...said, ...at].join(", ")})`;
}
