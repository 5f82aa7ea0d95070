/**
 * Proves what is proposed: each version by itself, again while its answers are transient, many at once.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { NumberedRoute, Route, RouteProof, RouteRecord } from "../../mail/route.ts";
import { PROOF_ATTEMPTS, secondsToNextAttempt } from "../../mail/route-proof.ts";
import type { ProofOutcome } from "./prove-route.ts";

/** Dialogues under way at once. A hung Server holds one for a minute or two. */
const CONCURRENCY = 64;

interface Running {
  readonly version: number;
  readonly revision: number;
  readonly abort: AbortController;
}

export interface ProofsOptions {
  prove(route: Route): Promise<ProofOutcome>;
  /** Told after each attempt. */
  onProof(domain: string, proof: RouteProof): void;
  /** The proof of a version that this slot has told before. */
  knownProof(domain: string): Promise<RouteProof | undefined>;
  /** @default true waits: tests shorten them */
  readonly secondsToNextAttempt?: (attempt: number) => number;
}

export class Proofs {
  readonly #options: ProofsOptions;
  readonly #running = new Map<string, Running>();
  readonly #slots = new Semaphore(CONCURRENCY);

  constructor(options: ProofsOptions) {
    this.#options = options;
  }

  /** How many versions are not decided. */
  get size(): number {
    return this.#running.size;
  }

  /** Looks at a record that is new or has changed: begins, goes on or gives up. */
  see({ domain, revision, proposed }: RouteRecord): void {
    const running = this.#running.get(domain);
    if (running !== undefined && running.version === proposed?.version) return;
    running?.abort.abort();
    this.#running.delete(domain);
    if (proposed === undefined) return;
    const started = { version: proposed.version, revision, abort: new AbortController() };
    this.#running.set(domain, started);
    void this.#prove(domain, proposed, started.abort.signal).finally(() => {
      if (this.#running.get(domain) === started) this.#running.delete(domain);
    });
  }

  [Symbol.dispose](): void {
    for (const { abort } of this.#running.values()) abort.abort();
  }

  async #prove(domain: string, proposed: NumberedRoute, signal: AbortSignal): Promise<void> {
    const { version, route } = proposed;
    if (await this.#isProven(domain, version)) return;
    const wait = this.#options.secondsToNextAttempt ?? secondsToNextAttempt;
    for (let attempt = 1; !signal.aborted; attempt += 1) {
      const outcome = await this.#slots.use(() => this.#options.prove(route));
      if (signal.aborted) return;
      const isLast = attempt >= PROOF_ATTEMPTS;
      const verdict = isLast && outcome.verdict === "trying" ? "failed" : outcome.verdict;
      const at = new Date().toISOString();
      this.#options.onProof(domain, { ...outcome, verdict, version, at });
      if (verdict !== "trying") return;
      await delay(wait(attempt) * 1000, undefined, { signal }).catch(() => undefined);
    }
  }

  /** After a restart, so that what was proven stays so. A failure is tried again. */
  async #isProven(domain: string, version: number): Promise<boolean> {
    const known = await this.#options.knownProof(domain).catch(() => undefined);
    return known?.version === version && known.verdict === "proven";
  }
}

class Semaphore {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(count: number) {
    this.#free = count;
  }

  async use<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free += 1;
      else next();
    }
  }
}
