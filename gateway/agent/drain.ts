/** Empties the queues, before a host is taken away. */
import { setTimeout as delay } from "node:timers/promises";
import { HOST_PATHS } from "../host-config.ts";
import { readQueue, run } from "./postfix-commands.ts";

const INSTANCES = [HOST_PATHS.inboundInstance, HOST_PATHS.relayInstance];
const POLL_MILLISECONDS = 2_000;

/** @returns how many messages are left */
export async function drain(seconds: number): Promise<number> {
  const until = Date.now() + seconds * 1000;
  for (const instance of INSTANCES) await run("postqueue", ["-c", instance, "-f"]);
  for (;;) {
    const queues = await Promise.all(INSTANCES.map((instance) => readQueue(instance)));
    const left = queues.reduce((sum, { messages }) => sum + messages, 0);
    if (left === 0 || Date.now() >= until) return left;
    await delay(POLL_MILLISECONDS);
  }
}
