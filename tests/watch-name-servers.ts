/** Asks every name server of a zone for a domain's MX, all the time, and keeps what they answered. */
import { Resolver } from "node:dns/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import type { World } from "../lab/world.ts";

const EVERY_MS = 20;

/** The same answer of one server, as often as it came in a row. */
export interface Answer {
  readonly server: string;
  /** Sorted, e.g. `10 mail.contoso.test`; the null MX is `0 `. Empty: no MX, or no such name. */
  readonly mx: readonly string[];
  readonly since: Date;
  samples: number;
}

export interface Watch extends AsyncDisposable {
  /** What each server has answered until now, in the order in which it came. */
  readonly log: readonly Answer[];
  /** Asks every server once more, and ends. */
  stop(): Promise<readonly Answer[]>;
}

/** Watches from now on until it is stopped or disposed. */
export function watchNameServers({ dns }: World, domain: string): Watch {
  const log: Answer[] = [];
  const last = new Map<string, Answer>();
  const end = new AbortController();
  const ask = async (server: string, resolver: Resolver) => {
    const mx = await askMx(resolver, domain);
    if (mx === undefined) return;
    const former = last.get(server);
    if (former !== undefined && former.mx.join() === mx.join()) {
      former.samples += 1;
      return;
    }
    const next = { server, mx, since: new Date(), samples: 1 };
    last.set(server, next);
    log.push(next);
  };
  const watches = dns.nameServers.map(async ({ name, address }) => {
    const resolver = new Resolver({ timeout: 2_000, tries: 1 });
    resolver.setServers([address]);
    while (!end.signal.aborted) {
      await ask(name, resolver);
      await sleep(EVERY_MS);
    }
    await ask(name, resolver);
  });
  const stop = async () => {
    end.abort();
    await Promise.all(watches);
    return log;
  };
  return { log, stop, [Symbol.asyncDispose]: async () => void (await stop()) };
}

/** `undefined` where there was no answer; an answer that says it failed counts as a foreign one. */
async function askMx(resolver: Resolver, domain: string): Promise<string[] | undefined> {
  try {
    const records = await resolver.resolveMx(domain);
    return records.map(({ priority, exchange }) => `${priority} ${exchange}`).toSorted();
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "ENODATA" || code === "ENOTFOUND") return [];
    if (code === "ETIMEOUT") return undefined;
    return [String(code)];
  }
}

/**
 * Asserts that every answer consists of records of these sets only, and is never empty unless one of the
 * sets is; that a null MX always stood alone (RFC 7505, section 3); and that every server was seen with
 * each of the sets, so that the watch covered the change.
 */
export function assertNeverEmptyOrForeign(
  log: readonly Answer[],
  ...sets: readonly (readonly string[])[]
): void {
  const allowed = new Set(sets.flat());
  const mayBeEmpty = sets.some((set) => set.length === 0);
  const wrong = log.filter(({ mx }) => {
    const mixed = mx.includes("0 ") && mx.length > 1;
    return mixed || mx.some((record) => !allowed.has(record)) || (mx.length === 0 && !mayBeEmpty);
  });
  expect(wrong).toEqual([]);

  const servers = [...new Set(log.map(({ server }) => server))];
  expect(servers.length).toBeGreaterThanOrEqual(2);
  for (const name of servers) {
    const answers = log.filter(({ server }) => server === name);
    const seen = answers.map(({ mx }) => mx.join());
    expect(seen).toEqual(expect.arrayContaining(sets.map((set) => set.toSorted().join())));
    const samples = answers.reduce((sum, answer) => sum + answer.samples, 0);
    expect(samples).toBeGreaterThan(30);
  }
}

/** The last answer of each server. */
export function lastAnswers(log: readonly Answer[]): readonly (readonly string[])[] {
  const last = new Map(log.map(({ server, mx }) => [server, mx]));
  return [...last.values()];
}
