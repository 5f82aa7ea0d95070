/**
 * Mail that flows through a fleet without a pause, and an account of every message: for tests of faults.
 *
 * Senders do what mail servers do: they try one slot after the other, keep what none of them takes, and try it
 * again until it is taken or refused. Each message has an envelope sender of its own, by which it is found
 * again wherever it is.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { MailSystem } from "../mail-system.ts";
import { composeMessage } from "../message.ts";
import { transact } from "../smtp-client.ts";
import { type FleetWorld, queuesOf } from "./fleet-world.ts";

/** One direction of the mail. */
export interface Stream {
  readonly name: "in" | "out";
  /** Where the sender connects from. */
  readonly from: string;
  /** The slots' addresses that take it. */
  readonly to: readonly string[];
  /** Domain of the envelope senders. */
  readonly senderDomain: string;
  readonly recipient: string;
  /** Where it must arrive. */
  readonly destination: MailSystem;
}

export interface Account {
  readonly sent: number;
  readonly delivered: number;
  /** By 5xx, or by a bounce. */
  readonly refused: number;
  /** At a slot. */
  readonly queued: number;
  /** No slot has taken them yet: the sender still has them. */
  readonly kept: number;
  /** Copies beyond the first. */
  readonly duplicates: number;
  /** Taken by a slot, and nowhere to be found. */
  readonly lost: readonly string[];
}

export interface Soak {
  /** How many messages were begun so far. */
  readonly sent: number;
  /** Begins no more, and waits until the senders have handed over what they have, as far as slots take it. */
  stop(): Promise<void>;
  /** Where every message is. @param bounces the mail systems that take the senders' bounces */
  account(bounces: readonly MailSystem[]): Promise<Account>;
}

type State = "kept" | "taken" | "refused";

/** How often each stream begins a message. */
const intervalMilliseconds = 150;
const retryMilliseconds = 1000;
/** How long senders go on after the last message was begun. */
const patienceMilliseconds = 90_000;

export function startSoak(world: FleetWorld, streams: readonly Stream[]): Soak {
  const messages = new Map<string, State>();
  const stopped = new AbortController();
  let deadline = Number.POSITIVE_INFINITY;
  const deliver = async (stream: Stream, id: string, number: number) => {
    for (let attempt = 0; Date.now() < deadline; attempt += 1) {
      const state = await tryOnce(stream, id, stream.to[(number + attempt) % stream.to.length]);
      messages.set(id, state);
      if (state !== "kept") return;
      await sleep(retryMilliseconds);
    }
  };
  const work = streams.map(async (stream) => {
    const deliveries: Promise<void>[] = [];
    for (let number = 0; !stopped.signal.aborted; number += 1) {
      const id = `${stream.name}-${number}`;
      messages.set(id, "kept");
      deliveries.push(deliver(stream, id, number));
      await sleep(intervalMilliseconds);
    }
    await Promise.all(deliveries);
  });
  return {
    get sent() {
      return messages.size;
    },
    stop: async () => {
      deadline = Date.now() + patienceMilliseconds;
      stopped.abort();
      await Promise.all(work);
    },
    account: (bounces) => account(world, streams, messages, bounces),
  };
}

async function tryOnce(stream: Stream, id: string, address = ""): Promise<State> {
  const sender = `${id}@${stream.senderDomain}`;
  const { outcome } = await transact({
    address,
    localAddress: stream.from,
    name: `mx.${stream.senderDomain}`,
    sender,
    recipient: stream.recipient,
    content: composeMessage({ id, from: sender, to: stream.recipient, subject: "Soak" }),
  });
  return ({ delivered: "taken", permanent: "refused", temporary: "kept" } as const)[outcome];
}

async function account(
  world: FleetWorld,
  streams: readonly Stream[],
  messages: ReadonlyMap<string, State>,
  bounces: readonly MailSystem[],
): Promise<Account> {
  // Before what has arrived: what is neither there nor here is lost.
  const inQueues = new Set(await queuedSenders(world));
  const copies = new Map<string, number>();
  for (const { destination } of streams) {
    for (const { id } of destination.messages) copies.set(id, (copies.get(id) ?? 0) + 1);
  }
  const returned = new Set(
    bounces.flatMap((system) =>
      system.messages
        .filter(({ sender }) => sender === "")
        .flatMap(({ recipients }) => recipients.map(localPart)),
    ),
  );
  const places = [...messages].map(([id, state]): readonly [string, keyof Account] => {
    if (copies.has(id)) return [id, "delivered"];
    if (state === "refused" || returned.has(id)) return [id, "refused"];
    if (inQueues.has(id)) return [id, "queued"];
    return [id, state === "kept" ? "kept" : "lost"];
  });
  const at = (place: keyof Account) => places.filter(([, found]) => found === place);
  return {
    sent: messages.size,
    delivered: at("delivered").length,
    refused: at("refused").length,
    queued: at("queued").length,
    kept: at("kept").length,
    duplicates: [...copies.values()].reduce((sum, count) => sum + count - 1, 0),
    lost: at("lost").map(([id]) => id),
  };
}

async function queuedSenders({ fleet }: FleetWorld): Promise<string[]> {
  return (await queuesOf(fleet.slots)).map(({ sender }) => localPart(sender));
}

function localPart(address: string): string {
  return address.slice(0, address.lastIndexOf("@"));
}
