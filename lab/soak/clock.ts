/**
 * The clock of the soak: one second of the lab stands for five minutes of the world.
 *
 * By it go the time for which senders and receivers keep records, senders' retries and their patience, and how
 * long a connection is used again. Not by it go the engine, the gateway and its agents, which run as they are.
 */

const secondStandsForSeconds = 300;

/** How long that takes in the lab, in milliseconds. */
export function labMilliseconds(seconds: number): number {
  return (seconds / secondStandsForSeconds) * 1000;
}

/** TTL of the lab's records, in seconds: Cloudflare's automatic one. */
export const recordSeconds = 300;

/** How often its TTL the most careless of the senders keeps a record. */
export const longestKept = 3;

/** How long a sender goes on with a message before it gives up, in seconds: 24 h as Exchange Online, 5 days as Postfix. */
export const patienceSeconds = { short: 86_400, usual: 432_000 } as const;

/** After the attempt with this number, from 0: five minutes, then twice as long each time, up to 66 minutes, as Postfix does. */
export function retrySeconds(attempt: number): number {
  return Math.min(300 * 2 ** attempt, 4000);
}

/** How long a connection is used for one message after the other, in seconds: Postfix's `smtp_connection_reuse_time_limit`. */
export const reuseSeconds = 300;
