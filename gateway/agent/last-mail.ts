/**
 * When mail of each domain last passed, told to the store at most once a minute a domain and direction.
 *
 * It also says until when all outbound mail is told, for whoever must be sure that no more comes.
 */
import { type KnownMail, withMessage } from "../../mail/mail-spell.ts";
import type { MailDirection } from "../../mail/route-life.ts";
import type { DomainAnswer } from "./answers.ts";
import type { PassedMail } from "./mail-log.ts";

const MILLISECONDS = 60_000;

/** A domain is forgotten when it was silent for so long: the store knows its last message. */
const MEMORY_MILLISECONDS = 7 * 86_400_000;

/** All instants in milliseconds. */
interface Followed {
  readonly domain: string;
  readonly direction: MailDirection;
  known: KnownMail;
  /** When the last message was noted. */
  noted: number;
  /** When the store was last told. */
  told: number;
  /** When the first message passed that is not told; missing: all is. */
  waiting?: number;
}

export class LastMail {
  readonly #followed = new Map<string, Followed>();
  readonly #tell: (answer: DomainAnswer, outboundSince: number | undefined) => void;
  readonly #isKnown: (domain: string) => boolean;
  /** How far each log was read. */
  readonly #read = new Map<MailDirection, number>();
  /** The first message that was noted, by direction: who sent before it is not known. */
  readonly #watchedSince = new Map<MailDirection, string>();

  /**
   * @param tell `outboundSince` is when the first outbound message passed that was not told before, in
   *   milliseconds; `undefined`: it tells of none
   * @param isKnown whether the fleet has a route of the domain: senders of inbound mail are of any domain
   */
  constructor(
    tell: (answer: DomainAnswer, outboundSince: number | undefined) => void,
    isKnown: (domain: string) => boolean,
  ) {
    this.#tell = tell;
    this.#isKnown = isKnown;
  }

  note({ domain, direction, mail }: PassedMail, now: number): void {
    const watchedSince = this.#watch(direction, mail.at);
    if (!this.#isKnown(domain)) return;
    const key = `${direction} ${domain}`;
    const former = this.#followed.get(key);
    const known = withMessage(former?.known, mail, watchedSince);
    const followed = former ?? { domain, direction, known, noted: now, told: -Infinity };
    followed.known = known;
    followed.noted = now;
    followed.waiting ??= Math.min(now, Date.parse(mail.at));
    this.#followed.set(key, followed);
    if (this.#isCaughtUp(direction)) this.#tellWhenDue(followed, now);
  }

  /** The direction's log was read to what was its end at that instant, in milliseconds. */
  readTo(direction: MailDirection, instant: number): void {
    this.#read.set(direction, instant);
  }

  /** Tells what has waited long enough. To be called every few seconds. */
  flush(now: number): void {
    for (const [key, followed] of this.#followed) {
      if (this.#isCaughtUp(followed.direction)) this.#tellWhenDue(followed, now);
      if (now > followed.noted + MEMORY_MILLISECONDS) this.#followed.delete(key);
    }
  }

  /** All outbound mail that passed until then was told, in milliseconds; 0 as long as the log was not read. */
  get toldUntil(): number {
    let until = this.#read.get("outbound") ?? 0;
    for (const { direction, waiting = until } of this.#followed.values()) {
      if (direction === "outbound") until = Math.min(until, waiting);
    }
    return until;
  }

  /** Since when the senders of a domain are known of which nothing is in mind. */
  #watch(direction: MailDirection, at: string): string {
    const first = this.#watchedSince.get(direction) ?? at;
    this.#watchedSince.set(direction, first);
    const forgotten = new Date(Date.parse(at) - MEMORY_MILLISECONDS).toISOString();
    return first > forgotten ? first : forgotten;
  }

  /**
   * An agent that starts reads older lines first. It tells of them only when it has read all: else a message
   * of days ago would stand in the store as the last one.
   */
  #isCaughtUp(direction: MailDirection): boolean {
    return this.#read.has(direction);
  }

  #tellWhenDue(followed: Followed, now: number): void {
    const { domain, direction, known, told, waiting } = followed;
    if (waiting === undefined || now < told + MILLISECONDS) return;
    followed.told = now;
    delete followed.waiting;
    if (direction === "inbound") this.#tell({ domain, lastInbound: known }, undefined);
    else this.#tell({ domain, lastOutbound: known }, waiting);
  }
}
