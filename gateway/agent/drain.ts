/** Empties the queues, before a host is taken away. */
import { setTimeout as delay } from "node:timers/promises";
import { HOST_PATHS } from "../host-config.ts";
import { readQueue, run } from "./postfix-commands.ts";

/** Mail goes from the relay side to the inbound one, never back: so read, none of it is missed. */
const INSTANCES = [HOST_PATHS.relayInstance, HOST_PATHS.inboundInstance];
const POLL_MILLISECONDS = 2_000;

/** @returns how many messages are left */
export async function drain(seconds: number): Promise<number> {
  const until = Date.now() + seconds * 1000;
  for (const instance of INSTANCES) await run("postqueue", ["-c", instance, "-f"]);
  for (;;) {
    // Twice: a message that is moved within the queue may be missed once.
    const left = (await countQueued()) || (await countQueued());
    if (left === 0 || Date.now() >= until) return left;
    await delay(POLL_MILLISECONDS);
  }
}

async function countQueued(): Promise<number> {
  let count = 0;
  for (const instance of INSTANCES) count += (await readQueue(instance)).messages;
  return count;
}
