/**
 * How many messages and recipients each client hands in at smtp-relay in a minute.
 *
 * There the policy service is asked for each recipient anyway, so that it counts, too: to ask anvil(8) twice more
 * for each message cost 4 % of what a slot relays. At smtp-in, anvil counts. Both count alike.
 */
import type { ClientLimits } from "../host-config.ts";
import type { PolicyRequest } from "./policy-protocol.ts";

const WINDOW_MILLISECONDS = 60_000;

/** What one client did since its first recipient, or since the minute after that was over. */
interface Window {
  readonly start: number;
  /** `instance` of the requests: one for each message. */
  readonly messages: Set<string>;
  recipients: number;
}

export class ClientRates {
  readonly #limits: ClientLimits;
  readonly #windows = new Map<string, Window>();
  #swept = 0;

  constructor(limits: ClientLimits) {
    this.#limits = limits;
  }

  /**
   * Counts a recipient, whatever becomes of it.
   *
   * @param now in milliseconds, on a clock that never goes back
   * @returns what access(5) is told where the client has had enough: it tries again later
   */
  count({ clientAddress, instance }: PolicyRequest, now: number): string | undefined {
    const { messages, recipients } = this.#limits;
    const window = this.#windowOf(clientAddress, now);
    window.recipients += 1;
    if (!window.messages.has(instance)) {
      if (window.messages.size >= messages) return "450 4.7.1 too much mail in a minute";
      window.messages.add(instance);
    }
    return window.recipients > recipients ? "450 4.7.1 too many recipients in a minute" : undefined;
  }

  #windowOf(client: string, now: number): Window {
    this.#sweep(now);
    const found = this.#windows.get(client);
    if (found !== undefined && !isOver(found, now)) return found;
    const window = { start: now, messages: new Set<string>(), recipients: 0 };
    this.#windows.set(client, window);
    return window;
  }

  /** Clients that have gone are forgotten. */
  #sweep(now: number): void {
    if (now - this.#swept < WINDOW_MILLISECONDS) return;
    this.#swept = now;
    for (const [client, window] of this.#windows) {
      if (isOver(window, now)) this.#windows.delete(client);
    }
  }
}

function isOver({ start }: Window, now: number): boolean {
  return now - start >= WINDOW_MILLISECONDS;
}
