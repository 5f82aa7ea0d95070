/**
 * Which domains have mail in the slot's outbound queue, told to the store once a minute a domain, and when it is
 * gone: as long as there is any, the domain's SPF record must name the gateway.
 *
 * It is gone when two looks in a row do not find it. Postfix lists what it delivers before what waits, so that a
 * message which it takes up meanwhile is in neither part: 18 of 1,000 looks at one that was tried again all the time.
 */
import type { DomainAnswer } from "./answers.ts";
import type { SenderQueue } from "./postfix-commands.ts";

const MILLISECONDS = 60_000;

export class OutboundQueue {
  /** When the store was last told of a domain that has mail there, in milliseconds. */
  readonly #told = new Map<string, number>();
  /** Of those, the ones that the last look did not find. */
  #missed = new Set<string>();
  readonly #tell: (answer: DomainAnswer, instant: number) => void;
  readonly #isKnown: (domain: string) => boolean;
  #looks = 0;
  #lookedAt = 0;

  /** @param isKnown whether the fleet has a route of the domain */
  constructor(
    tell: (answer: DomainAnswer, instant: number) => void,
    isKnown: (domain: string) => boolean,
  ) {
    this.#tell = tell;
    this.#isKnown = isKnown;
  }

  /** When the queue was last read, in milliseconds; 0: not twice since the start, as one look may miss a message. */
  get lookedAt(): number {
    return this.#lookedAt;
  }

  /** @param instant when the queue was read, in milliseconds */
  see(senders: ReadonlyMap<string, SenderQueue>, instant: number): void {
    const at = new Date(instant).toISOString();
    for (const [domain, { messages, oldest }] of senders) {
      if (!this.#isKnown(domain)) continue;
      if (instant < (this.#told.get(domain) ?? -Infinity) + MILLISECONDS) continue;
      this.#told.set(domain, instant);
      const since = new Date(oldest * 1000).toISOString();
      this.#tell({ domain, queuedOutbound: { at, messages, since } }, instant);
    }
    const missing = [...this.#told.keys()].filter((name) => !senders.has(name));
    for (const domain of missing.filter((name) => this.#missed.has(name))) {
      this.#told.delete(domain);
      this.#tell({ domain, queuedOutbound: { at, messages: 0, since: at } }, instant);
    }
    this.#missed = new Set(missing);
    this.#looks += 1;
    if (this.#looks > 1) this.#lookedAt = instant;
  }
}
