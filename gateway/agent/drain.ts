/** Empties the queues, before a host is taken away. */
import { setTimeout as delay } from "node:timers/promises";
import { INSTANCES_IN_ORDER, readQueue, run } from "./postfix-commands.ts";

const POLL_MILLISECONDS = 2_000;

/** @returns how many messages are left */
export async function drain(seconds: number): Promise<number> {
  for (const instance of INSTANCES_IN_ORDER) await run("postqueue", ["-c", instance, "-f"]);
  return untilEmpty(countQueued, seconds);
}

/**
 * Counts until two counts in a row find nothing, since one may miss a message that is moved within a queue.
 *
 * @param seconds after which it ends with what is left; that nothing is left is looked at again even then
 * @returns how many messages are left
 */
export async function untilEmpty(
  count: () => Promise<number>,
  seconds: number,
  pollMilliseconds = POLL_MILLISECONDS,
): Promise<number> {
  const until = Date.now() + seconds * 1000;
  for (let wasEmpty = false; ; ) {
    const left = await count();
    const isEmpty = left === 0;
    if (isEmpty ? wasEmpty : Date.now() >= until) return left;
    wasEmpty = isEmpty;
    await delay(pollMilliseconds);
  }
}

async function countQueued(): Promise<number> {
  let count = 0;
  for (const instance of INSTANCES_IN_ORDER) count += (await readQueue(instance)).messages;
  return count;
}
