/**
 * Which domains have mail in the slot's outbound queue, told to the store once a minute a domain, and when it is
 * gone: as long as there is any, the domain's SPF record must name the gateway.
 */
import type { DomainAnswer } from "./answers.ts";
import type { SenderQueue } from "./postfix-commands.ts";

const MILLISECONDS = 60_000;

export class OutboundQueue {
  /** When the store was last told of a domain that has mail there, in milliseconds. */
  readonly #told = new Map<string, number>();
  readonly #tell: (answer: DomainAnswer, instant: number) => void;
  readonly #isKnown: (domain: string) => boolean;
  #lookedAt = 0;

  /** @param isKnown whether the fleet has a route of the domain */
  constructor(
    tell: (answer: DomainAnswer, instant: number) => void,
    isKnown: (domain: string) => boolean,
  ) {
    this.#tell = tell;
    this.#isKnown = isKnown;
  }

  /** When the queue was last read, in milliseconds; 0: never. */
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
    for (const domain of [...this.#told.keys()].filter((name) => !senders.has(name))) {
      this.#told.delete(domain);
      this.#tell({ domain, queuedOutbound: { at, messages: 0, since: at } }, instant);
    }
    this.#lookedAt = instant;
  }
}
