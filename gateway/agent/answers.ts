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

interface Waiting {
  readonly answer: DomainAnswer;
  readonly outboundSince: number;
}

/** Writes under way at once. */
const CONCURRENCY = 8;
const RETRY_MILLISECONDS = 1_000;
/** Two hundred a second: 100,000 within 10 minutes. */
const BACKLOG_MILLISECONDS = 5;
const BUSY_MILLISECONDS = 100;

export class Answers {
  readonly #store: AnswerStore;
  readonly #slot: string;
  readonly #onFault: (error: unknown) => void;
  readonly #waiting = new Map<string, Waiting>();
  /** By domain. */
  readonly #writing = new Map<string, Waiting>();
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

  /** When the first outbound message passed of which the store knows nothing yet, in milliseconds; Infinity: none. */
  get outboundSince(): number {
    const all = [...this.#waiting.values(), ...this.#writing.values()];
    return all.reduce((first, { outboundSince }) => Math.min(first, outboundSince), Infinity);
  }

  /**
   * Newer fields win.
   *
   * @param outboundSince when the first outbound message passed that it tells of, in milliseconds. @default it tells of none
   */
  put(answer: DomainAnswer, outboundSince = Infinity): void {
    const former = this.#waiting.get(answer.domain);
    this.#waiting.set(answer.domain, merge(former, { answer, outboundSince }));
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
      const first = this.#next();
      if (first === undefined) {
        await this.#nextPut();
        continue;
      }
      this.#waiting.delete(first.answer.domain);
      if (await this.#write(first)) continue;
      await delay(RETRY_MILLISECONDS, undefined, { signal }).catch(() => undefined);
    }
  }

  /** The oldest that may be written now. */
  #next(): Waiting | undefined {
    for (const [domain, waiting] of this.#waiting) {
      if (!this.#writing.has(domain)) return waiting;
    }
    return undefined;
  }

  /**
   * Answers of one domain are written one after the other, so that the newest is the last.
   *
   * @returns whether the store has taken it
   */
  async #write(waiting: Waiting): Promise<boolean> {
    const { answer } = waiting;
    const { domain } = answer;
    this.#writing.set(domain, waiting);
    try {
      await this.#store.putAnswer({ ...answer, slot: this.#slot });
      this.#onFault(undefined);
      return true;
    } catch (error) {
      this.#onFault(error);
      this.#waiting.set(domain, merge(waiting, this.#waiting.get(domain) ?? waiting));
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
      // As fast as a busy store takes them.
      while (this.#waiting.size > CONCURRENCY && !signal.aborted) {
        await delay(BUSY_MILLISECONDS, undefined, { signal }).catch(() => undefined);
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
function merge(older: Waiting | undefined, newer: Waiting): Waiting {
  const { expires, ...kept } = older?.answer ?? newer.answer;
  const isKept = newer.answer.acknowledged === undefined && expires !== undefined;
  return {
    answer: { ...kept, ...(isKept && { expires }), ...newer.answer },
    outboundSince: Math.min(older?.outboundSince ?? Infinity, newer.outboundSince),
  };
}
