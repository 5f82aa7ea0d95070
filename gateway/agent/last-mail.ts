/** When mail of each domain last passed, told to the store at most once a minute a domain and direction. */
import type { DomainAnswer } from "./answers.ts";
import type { PassedMail } from "./mail-log.ts";

const MILLISECONDS = 60_000;

interface Told {
  /** When the store was last told, in milliseconds. */
  readonly at: number;
  /** What came since. */
  readonly waiting?: PassedMail;
}

export class LastMail {
  readonly #told = new Map<string, Told>();
  readonly #tell: (answer: DomainAnswer) => void;
  readonly #isKnown: (domain: string) => boolean;

  /** @param isKnown whether the fleet has a route of the domain: senders of inbound mail are of any domain */
  constructor(tell: (answer: DomainAnswer) => void, isKnown: (domain: string) => boolean) {
    this.#tell = tell;
    this.#isKnown = isKnown;
  }

  note(passed: PassedMail, now: number): void {
    if (!this.#isKnown(passed.domain)) return;
    const key = `${passed.direction} ${passed.domain}`;
    const told = this.#told.get(key);
    if (told !== undefined && now < told.at + MILLISECONDS) {
      this.#told.set(key, { at: told.at, waiting: passed });
      return;
    }
    this.#told.set(key, { at: now });
    this.#tell(toAnswer(passed));
  }

  /** Tells what has waited long enough. To be called every few seconds. */
  flush(now: number): void {
    for (const [key, { at, waiting }] of this.#told) {
      if (now < at + MILLISECONDS) continue;
      if (waiting === undefined) this.#told.delete(key);
      else {
        this.#told.set(key, { at: now });
        this.#tell(toAnswer(waiting));
      }
    }
  }
}

function toAnswer({ domain, direction, mail }: PassedMail): DomainAnswer {
  return direction === "inbound" ? { domain, lastInbound: mail } : { domain, lastOutbound: mail };
}
