/** Postfix's own commands, as the agent runs them. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { domainOfAddress } from "../../mail/mail-address.ts";
import { HOST_PATHS } from "../host-config.ts";

/** A command of Postfix failed. */
export class CommandError extends Error {
  override readonly name = "CommandError";
}

/** Where Debian keeps them, whatever the service's PATH is. */
const env = { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL: "C" };

/**
 * @param input goes to its standard input: what must not be seen in a process list
 * @throws CommandError with what it wrote to standard error
 */
export async function run(program: string, args: readonly string[], input = ""): Promise<string> {
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"], env });
  // A program that ends early has said why.
  child.stdin.on("error", () => undefined).end(input);
  const [output, complaint] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "close"),
  ]);
  if (child.exitCode === 0) return output;
  const ended = child.exitCode ?? child.signalCode;
  throw new CommandError(`${program} ended with ${ended}: ${complaint.trim() || output.trim()}`);
}

/** Mail goes from the relay side to the inbound one, never back. So read, a message that moves on is not missed. */
export const INSTANCES_IN_ORDER = [HOST_PATHS.relayInstance, HOST_PATHS.inboundInstance];

/** Most mail is delivered within this time. */
const DELIVERED_WITHIN_SECONDS = 60;

/** What waits in an instance's queues. */
export interface QueueState {
  readonly instance: string;
  readonly messages: number;
  /** How old the oldest one is; 0 without any. */
  readonly oldestSeconds: number;
  /** Those that could not be delivered at once, by the domain of the envelope sender, in A-labels. */
  readonly senders: ReadonlyMap<string, SenderQueue>;
}

export interface SenderQueue {
  readonly messages: number;
  /** When the oldest one came in, in seconds since the epoch. */
  readonly oldest: number;
}

/** @param instance the folder of the instance's configuration */
export async function readQueue(instance: string, now = new Date()): Promise<QueueState> {
  const child = spawn("postqueue", ["-c", instance, "-j"], {
    stdio: ["ignore", "pipe", "pipe"],
    env,
  });
  const complaint = text(child.stderr);
  const closed = once(child, "close");
  const queue = await countQueue(createInterface({ input: child.stdout }), now);
  await closed;
  if (child.exitCode !== 0) throw new CommandError(`postqueue: ${(await complaint).trim()}`);
  return { instance, ...queue };
}

/** @param lines of `postqueue -j`. A message that Postfix puts off meanwhile is listed twice */
export async function countQueue(
  lines: AsyncIterable<string> | Iterable<string>,
  now: Date,
): Promise<Omit<QueueState, "instance">> {
  const seconds = now.getTime() / 1000;
  const ids = new Set<string>();
  const waiting = new Set<string>();
  let oldest = seconds;
  const senders = new Map<string, SenderQueue>();
  for await (const line of lines) {
    const { id, arrival = seconds, queue, domain } = readQueueLine(line);
    ids.add(id);
    oldest = Math.min(oldest, arrival);
    // A message that is tried again is in the queue "active", as one that has only just come.
    const waits = queue === "deferred" || seconds - arrival >= DELIVERED_WITHIN_SECONDS;
    if (domain === undefined || !waits || waiting.has(id)) continue;
    waiting.add(id);
    const former = senders.get(domain) ?? { messages: 0, oldest: seconds };
    const since = Math.min(former.oldest, arrival);
    senders.set(domain, { messages: former.messages + 1, oldest: since });
  }
  return { messages: ids.size, oldestSeconds: Math.round(seconds - oldest), senders };
}

/** The whole object of a message with many recipients is large; what counts stands before them (postqueue(1)). */
function readQueueLine(line: string) {
  const arrival = /"arrival_time": (\d+)/.exec(line)?.[1];
  const sender = /"sender": "((?:[^"\\]|\\.)*)"/.exec(line)?.[1] ?? "";
  const domain = domainOfAddress(sender);
  return {
    id: /"queue_id": "(\w+)"/.exec(line)?.[1] ?? line,
    arrival: arrival === undefined ? undefined : Number(arrival),
    queue: /"queue_name": "(\w+)"/.exec(line)?.[1],
    domain: domain === "" ? undefined : domain,
  };
}
