/** Waiting, in the open: every wait says what it waits for and how long it may take, and can be cancelled. */
import { setTimeout as sleep } from "node:timers/promises";
import { MailRuleError } from "../mail/errors.ts";
import type { PublicDomain, ServerAnswer } from "./public-domain.ts";
import type { Call } from "./resource.ts";

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;
const REPORT_EVERY_MS = 10_000;

/** Waits for so many seconds. Rejects as soon as the call is cancelled. */
export async function pause(seconds: number, call: Call, why: string): Promise<void> {
  if (seconds <= 0) return;
  call.progress(`${why} (${formatSeconds(seconds)})`);
  await sleepFor(seconds * 1_000, call);
}

/** What one look at the world has shown. */
export interface Look {
  readonly reached: boolean;
  /** What was seen, for the display: `2 of 3 name servers, not yet ns1.example.com`. */
  readonly seen: string;
}

export interface Wait {
  readonly call: Call;
  /** What is waited for: `slot a is healthy`. */
  readonly what: string;
  readonly look: () => Promise<Look>;
  /** @default the setting `waitSeconds`, which is the most in any case */
  readonly atMostSeconds?: number;
  /** The error after that time, from what was seen last. */
  readonly failure: (seen: string, waitSeconds: number) => MailRuleError;
}

/** Looks again and again, until it is reached. @throws what `failure` makes, after the longest time */
export async function waitUntil(wait: Wait): Promise<void> {
  const { call, what, look, failure, atMostSeconds = Number.POSITIVE_INFINITY } = wait;
  const waitSeconds = Math.min(call.settings.waitSeconds, atMostSeconds);
  const start = Date.now();
  let reported = Number.NEGATIVE_INFINITY;
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
    call.signal.throwIfAborted();
    const { reached, seen } = await look();
    if (reached) return;
    const elapsed = Date.now() - start;
    if (elapsed >= waitSeconds * 1_000) throw failure(seen, waitSeconds);
    if (elapsed - reported >= REPORT_EVERY_MS) {
      const bound = `waited ${formatSeconds(elapsed / 1_000)} of at most ${formatSeconds(waitSeconds)}`;
      call.progress(`waiting until ${what}: ${seen}; ${bound}`);
      reported = elapsed;
    }
    await sleepFor(pauseMs, call);
  }
}

/**
 * Waits until every delegated name server answers as expected.
 *
 * @throws MailRuleError `not-served` after `waitSeconds`, naming the servers that lag
 */
export async function untilServed<T extends "MX" | "TXT">(
  live: PublicDomain,
  call: Call,
  type: T,
  what: string,
  expected: (answer: ServerAnswer<T>) => boolean,
): Promise<void> {
  let names = "";
  await waitUntil({
    call,
    what,
    look: async () => {
      const answers = await live.askNameServers(type);
      const lagging = answers.filter((answer) => !expected(answer)).map(({ server }) => server);
      names = lagging.map(({ name, address }) => `${name} (${address})`).join(", ");
      const count = `${answers.length - lagging.length} of ${answers.length} name servers`;
      const reached = answers.length > 0 && lagging.length === 0;
      return { reached, seen: `${count}, not yet ${names}` };
    },
    failure: (_seen, seconds) => notServed(live, what, names, seconds),
  });
}

/** Rejects as soon as the call is cancelled. */
export async function sleepFor(
  milliseconds: number,
  { signal }: Pick<Call, "signal">,
): Promise<void> {
  await sleep(milliseconds, undefined, { signal }).catch((error: unknown) => {
    signal.throwIfAborted();
    throw error;
  });
}

/** `90 s`, `10 min`. */
export function formatSeconds(seconds: number): string {
  const whole = Math.round(seconds);
  return whole < 120 ? `${whole} s` : `${Math.floor(whole / 60)} min`;
}

function notServed(
  live: PublicDomain,
  what: string,
  names: string,
  seconds: number,
): MailRuleError {
  return new MailRuleError({
    code: "not-served",
    where: `DNS of ${live.domain}`,
    problem: `After ${formatSeconds(seconds)} it is still not so that ${what}: ${names} lag or do not answer.`,
    fix: "Mail keeps flowing as before; look at those name servers, then run the same command again: it goes on from here.",
    value: names,
  });
}
