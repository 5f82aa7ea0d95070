/** Whether this host does its work: looked at from outside, as far as the host itself can. */
import { statfs } from "node:fs/promises";
import { connect } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { type LinesReply, SmtpDialogue } from "../../smtp/dialogue.ts";
import { errorText } from "./faults.ts";
import { type QueueState, readQueue } from "./postfix-commands.ts";

/** One thing that was looked at. */
export interface Check {
  readonly name: string;
  readonly well: boolean;
  /** What was seen, in words. */
  readonly seen: string;
}

/** How long one look may take. */
const MILLISECONDS = 10_000;

/** Runs a look; what it throws is what is wrong, and so is an answer that does not come. */
export async function check(name: string, look: () => Promise<string>): Promise<Check> {
  const bound = new AbortController();
  const late = delay(2 * MILLISECONDS, undefined, { signal: bound.signal }).then(() => {
    throw new Error("no answer");
  });
  try {
    return { name, well: true, seen: await Promise.race([look(), late]) };
  } catch (error) {
    return { name, well: false, seen: errorText(error) };
  } finally {
    late.catch(() => undefined);
    bound.abort();
  }
}

/**
 * The greeting of an instance, read over SMTP: an open port proves nothing, since a fault of the
 * configuration ends every smtpd as it starts. Then its certificate, as it is served.
 */
export async function readBanner(address: string, name: string, now = new Date()): Promise<string> {
  using dialogue = await SmtpDialogue.connect({
    address,
    port: 25,
    connectMilliseconds: MILLISECONDS,
    replyMilliseconds: MILLISECONDS,
  });
  const greeting = demand(220, await dialogue.reply());
  demand(250, await dialogue.command("EHLO localhost"));
  demand(220, await dialogue.command("STARTTLS"));
  await dialogue.secure({ host: name });
  const days = daysUntil(dialogue.certificateEnd, now);
  await dialogue.command("QUIT");
  if (days < LEAST_DAYS) throw new Error(`the certificate ends in ${days} days`);
  return `220 ${greeting.text}; the certificate is valid for ${days} days`;
}

function demand(code: number, reply: LinesReply): LinesReply {
  if (reply.code !== code) throw new Error(`answers ${reply.code} ${reply.text}`);
  return reply;
}

function daysUntil(end: Date | undefined, now: Date): number {
  return end === undefined ? 0 : Math.floor((end.getTime() - now.getTime()) / 86_400_000);
}

/** Authorities renew 30 days ahead. */
const LEAST_DAYS = 14;

/** Asks the policy service over its socket, as Postfix does. */
export async function askPolicy(socket: string): Promise<string> {
  const client = connect(socket);
  client.setTimeout(MILLISECONDS, () => client.destroy(new Error("no answer")));
  client.setEncoding("utf8");
  client.write(
    "request=smtpd_access_policy\nprotocol_state=RCPT\ninstance=health-check\nsender=health-check@invalid\n" +
      "recipient=health-check@invalid\nclient_address=127.0.0.1\n\n",
  );
  let answer = "";
  for await (const chunk of client) {
    answer += String(chunk);
    if (answer.endsWith("\n\n")) break;
  }
  const action = answer.trim();
  // A domain that cannot exist is refused; 451 is the answer of a service that cannot decide.
  if (!action.startsWith("action=5")) throw new Error(`answers "${action}"`);
  return action;
}

/** How much of the file system that holds a folder is free, from 0 to 1. */
export async function freeShare(folder: string): Promise<number> {
  const { bavail, blocks } = await statfs(folder);
  return bavail / Math.max(1, blocks);
}

/** Free space of the file systems that hold these folders. */
export async function readDisk(folders: readonly string[]): Promise<string> {
  const shares = await Promise.all(
    folders.map(async (folder) => ({ folder, free: await freeShare(folder) })),
  );
  const words = shares.map(({ folder, free }) => `${folder} ${Math.floor(free * 100)} % free`);
  if (shares.some(({ free }) => free < LEAST_FREE)) throw new Error(words.join(", "));
  return words.join(", ");
}

/** Below it Postfix soon refuses mail for want of space (`queue_minfree`). */
const LEAST_FREE = 0.1;

/** The queues of these instances one after the other, and one check for each. */
export async function readQueues(
  instances: readonly string[],
): Promise<{ queues: QueueState[]; checks: Check[] }> {
  const queues: QueueState[] = [];
  const checks: Check[] = [];
  for (const instance of instances) {
    const seen = await check(`queue of ${instance}`, async () => {
      const queue = await readQueue(instance);
      queues.push(queue);
      return `${queue.messages} messages, the oldest ${queue.oldestSeconds} s old`;
    });
    checks.push(seen);
  }
  return { queues, checks };
}
