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
    this.#waiting.set(answer.domain, { ...this.#waiting.get(answer.domain), ...answer });
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
      const [answer] = this.#waiting.values();
      if (answer === undefined) {
        await this.#nextPut();
        continue;
      }
      this.#waiting.delete(answer.domain);
      try {
        await this.#store.putAnswer({ ...answer, slot: this.#slot });
        this.#onFault(undefined);
      } catch (error) {
        this.#onFault(error);
        this.put({ ...answer, ...this.#waiting.get(answer.domain) });
        await delay(RETRY_MILLISECONDS, undefined, { signal }).catch(() => undefined);
      }
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
