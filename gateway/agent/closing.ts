/**
 * Closes this slot where the stack takes it away: Postfix answers 421 and goes on delivering. Opens it again
 * where the stack thinks better of it.
 *
 * What is remembered lies in the map that Postfix asks, so that the slot stays closed across restarts, and
 * where the store is away.
 */
import { join } from "node:path";
import type { SlotClosing } from "../../mail/route.ts";
import { MARK, NO_MARK, SESSIONS_MAP, sessionsSource } from "../postfix/sessions.ts";
import { run } from "./postfix-commands.ts";

/**
 * A session that was told to go on with the end of its message just before still has to have it written to
 * the disk: the largest ones take some seconds.
 */
const SETTLED_MILLISECONDS = 30_000;

export interface ClosingOptions {
  /** The mark that the store has for this slot. */
  readonly readMark: () => Promise<string | undefined>;
  /** Where the maps lie. */
  readonly maps: string;
  /** The folder of an instance's configuration, for `postmap`. */
  readonly instance: string;
}

export class Closing {
  readonly #options: ClosingOptions;
  #mark: string | undefined;
  /** When the slot was found or made closed, on a clock that never goes back. */
  #since = 0;

  constructor(options: ClosingOptions) {
    this.#options = options;
  }

  /** `undefined`: the slot takes mail. */
  get state(): SlotClosing | undefined {
    if (this.#mark === undefined) return undefined;
    const isClosed = performance.now() - this.#since >= SETTLED_MILLISECONDS;
    return { mark: this.#mark, isClosed };
  }

  /** Finds out what a former life did. @throws CommandError */
  async start(): Promise<void> {
    const { instance } = this.#options;
    const mark = (await run("postmap", ["-c", instance, "-q", MARK, this.#map])).trim();
    this.#note(mark === NO_MARK ? undefined : mark);
  }

  /** Does what the store says. @throws CommandError, and what the store throws; then all stays as it is */
  async follow(): Promise<void> {
    const { readMark, instance } = this.#options;
    const mark = await readMark();
    if (mark === this.#mark) return;
    await run("postmap", ["-c", instance, "-r", "-i", this.#map], sessionsSource(mark));
    this.#note(mark);
  }

  get #map(): string {
    return `lmdb:${join(this.#options.maps, SESSIONS_MAP)}`;
  }

  #note(mark: string | undefined): void {
    this.#mark = mark;
    this.#since = performance.now();
  }
}
