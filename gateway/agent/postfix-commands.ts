/** Postfix's own commands, as the agent runs them. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";

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

/** What waits in an instance's queues. */
export interface QueueState {
  readonly messages: number;
  /** How old the oldest one is; 0 without any. */
  readonly oldestSeconds: number;
}

/** @param instance the folder of the instance's configuration */
export async function readQueue(instance: string, now = new Date()): Promise<QueueState> {
  const child = spawn("postqueue", ["-c", instance, "-j"], {
    stdio: ["ignore", "pipe", "pipe"],
    env,
  });
  const complaint = text(child.stderr);
  const closed = once(child, "close");
  let messages = 0;
  let oldest = Number.POSITIVE_INFINITY;
  for await (const line of createInterface({ input: child.stdout })) {
    messages += 1;
    // The whole object of a message with many recipients is large, and this is all of it that counts.
    const arrival = /"arrival_time": (\d+)/.exec(line)?.[1];
    if (arrival !== undefined) oldest = Math.min(oldest, Number(arrival));
  }
  await closed;
  if (child.exitCode !== 0) throw new CommandError(`postqueue: ${(await complaint).trim()}`);
  const oldestSeconds = messages === 0 ? 0 : Math.max(0, Math.round(now.getTime() / 1000 - oldest));
  return { messages, oldestSeconds };
}
