/**
 * What the slot has to tell of single domains, on its way to the store.
 *
 * Kept until the store has taken it, and merged by domain, so that a store that is away costs no memory.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { SlotAnswer } from "../../mail/route.ts";

/** A slot's answer without the slot. */
export type DomainAnswer = Omit<SlotAnswer, "slot">;

export interface AnswerStore {
  /** Merges the given fields into what is stored. */
  putAnswer(answer: SlotAnswer): Promise<void>;
}

/** Writes under way at once. */
const CONCURRENCY = 8;
const RETRY_MILLISECONDS = 1_000;
/** A hundred a second: 100,000 within 20 minutes. */
const BACKLOG_MILLISECONDS = 10;

export class Answers {
  readonly #store: AnswerStore;
  readonly #slot: string;
  readonly #onFault: (error: unknown) => void;
  readonly #waiting = new Map<string, DomainAnswer>();
  /** Domains of which an answer is being written. */
  readonly #writing = new Set<string>();
  #backlog: Iterator<DomainAnswer> | undefined;
  #wake: () => void = () => undefined;

  /** @param onFault is told why an answer was not taken, and `undefined` when one was */
  constructor(store: AnswerStore, slot: string, onFault: (error: unknown) => void) {
    this.#store = store;
    this.#slot = slot;
    this.#onFault = onFault;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /** Newer fields win. */
  put(answer: DomainAnswer): void {
    this.#waiting.set(answer.domain, merge(this.#waiting.get(answer.domain), answer));
    this.#wake();
  }

  /** What is told bit by bit while nothing else is: nobody waits for most of it. */
  putLater(answers: Iterable<DomainAnswer>): void {
    this.#backlog = answers[Symbol.iterator]();
    this.#wake();
  }

  /** Writes until the signal is given. */
  async run(signal: AbortSignal): Promise<void> {
    signal.addEventListener("abort", () => this.#wake());
    const writers = Array.from({ length: CONCURRENCY }, () => this.#work(signal));
    await Promise.all([...writers, this.#workOff(signal)]);
  }

  async #work(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const answer = this.#next();
      if (answer === undefined) {
        await this.#nextPut();
        continue;
      }
      this.#waiting.delete(answer.domain);
      if (await this.#write(answer)) continue;
      await delay(RETRY_MILLISECONDS, undefined, { signal }).catch(() => undefined);
    }
  }

  /** The oldest that may be written now. */
  #next(): DomainAnswer | undefined {
    for (const answer of this.#waiting.values()) {
      if (!this.#writing.has(answer.domain)) return answer;
    }
    return undefined;
  }

  /** Answers of one domain are written one after the other, so that the newest is the last. */
  async #write(answer: DomainAnswer): Promise<boolean> {
    const { domain } = answer;
    this.#writing.add(domain);
    try {
      await this.#store.putAnswer({ ...answer, slot: this.#slot });
      this.#onFault(undefined);
      return true;
    } catch (error) {
      this.#onFault(error);
      this.#waiting.set(domain, merge(answer, this.#waiting.get(domain) ?? answer));
      return false;
    } finally {
      this.#writing.delete(domain);
      this.#wake();
    }
  }

  async #workOff(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const next = this.#backlog?.next();
      if (next === undefined || next.done === true) {
        this.#backlog = undefined;
        await this.#nextPut();
        continue;
      }
      this.put(next.value);
      await delay(BACKLOG_MILLISECONDS, undefined, { signal }).catch(() => undefined);
      while (this.#waiting.size > CONCURRENCY && !signal.aborted) {
        await delay(RETRY_MILLISECONDS, undefined, { signal }).catch(() => undefined);
      }
    }
  }

  /** All idle writers share one wait. */
  #idle: PromiseWithResolvers<void> | undefined;

  #nextPut(): Promise<void> {
    this.#idle ??= Promise.withResolvers<void>();
    const idle = this.#idle;
    this.#wake = () => {
      this.#idle = undefined;
      idle.resolve();
    };
    return idle.promise;
  }
}

/** An acknowledgement says anew when all ends. */
function merge(older: DomainAnswer | undefined, newer: DomainAnswer): DomainAnswer {
  const { expires, ...kept } = older ?? newer;
  const ends = newer.acknowledged === undefined && expires !== undefined ? { expires } : {};
  return { ...kept, ...ends, ...newer };
}
