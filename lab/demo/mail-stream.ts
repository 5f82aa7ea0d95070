/** Mail from outside at a steady pace, and what became of every message. */
import type { Mail } from "../sender.ts";
import type { Journey } from "../world.ts";

export interface MailStreamOptions {
  readonly send: (mail: Mail) => Promise<Journey>;
  /** A message to one after the other, over and over. */
  readonly domains: readonly string[];
  /** Time between two messages, in milliseconds. None waits for another one to arrive. */
  readonly interval: number;
}

/** A message of the stream. */
export interface Sent {
  readonly domain: string;
  readonly journey: Journey;
}

export class MailStream implements Disposable {
  #messages: Promise<Sent>[] = [];
  #count = 0;
  readonly #options: MailStreamOptions;
  readonly #timer: NodeJS.Timeout;

  /** Starts at once. */
  constructor(options: MailStreamOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.#send(), options.interval);
  }

  #send(): void {
    const { send, domains } = this.#options;
    const domain = domains[this.#count % domains.length];
    if (domain === undefined) return;
    this.#count += 1;
    const sent = send({ to: `postmaster@${domain}` });
    this.#messages.push(sent.then((journey) => ({ domain, journey })));
  }

  /** What became of the messages sent since the last call. Waits for those under way. */
  take(): Promise<Sent[]> {
    const messages = this.#messages;
    this.#messages = [];
    return Promise.all(messages);
  }

  /** No message is sent any more. */
  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

/** Accepted at the first try, and kept by a mail system: only then `path` goes beyond the sender. */
export function hasArrived({ outcome, path }: Journey): boolean {
  return outcome === "delivered" && path.length > 1;
}
