/**
 * Follows the route store: what is written there comes into the maps and the policy service within a second
 * or two. Where the store is away, the last state goes on.
 *
 * - First all routes, from the disk if they lie there, else from the store.
 * - Then the changes, by their sequence, and again those of the last seconds: the index may show them late.
 * - Every few minutes all routes again, against whatever was missed.
 */
import { setTimeout as delay } from "node:timers/promises";
import { ChangeReader } from "../../store/change-reader.ts";
import type { RouteStore } from "../../store/route-store.ts";
import { errorText, type Faults } from "./faults.ts";
import type { MapWriter } from "./map-writer.ts";
import { RouteDisk } from "./route-disk.ts";
import { type EffectListener, RouteEffects } from "./route-effects.ts";
import type { RouteFile } from "./route-file.ts";
import { rereadRoutes } from "./route-rereading.ts";
import type { RouteTable } from "./route-table.ts";
import type { Secrets } from "./secrets.ts";
import type { UnreadableRoutes } from "./unreadable-routes.ts";

/** What the sync asks of the route store. */
export type RouteSource = Pick<RouteStore, "allRoutes" | "changesSince">;

export interface RouteSyncOptions extends EffectListener {
  readonly store: RouteSource;
  readonly table: RouteTable;
  readonly file: RouteFile;
  readonly maps: MapWriter;
  readonly secrets: Secrets;
  readonly faults: Faults;
  /** Routes of the store that this release cannot read. */
  readonly unreadable: UnreadableRoutes;
  /** How often all routes are read again. @default 10 minutes */
  readonly rereadMilliseconds?: number;
}

const POLL_MILLISECONDS = 500;
const KEEP_UP_MILLISECONDS = 1_000;
const REREAD_MILLISECONDS = 10 * 60_000;
/** The store's client waits longer for an answer, and asks again by itself. */
const OVERDUE_MILLISECONDS = 10_000;
const LONGEST_PAUSE_MILLISECONDS = 10_000;

export class RouteSync {
  readonly #options: RouteSyncOptions;
  readonly #disk: RouteDisk;
  readonly #effects: RouteEffects;
  #changes: ChangeReader | undefined;
  #lastContact: Date | undefined;
  #lastReread = 0;
  #working: Promise<void> = Promise.resolve();

  constructor(options: RouteSyncOptions) {
    this.#options = options;
    this.#disk = new RouteDisk(options.file, options.table, options.faults);
    this.#effects = new RouteEffects({
      ...options,
      disk: this.#disk,
      sequence: () => this.#changes?.settled,
    });
  }

  /** Whether routes are in effect, as new as they may be. */
  get isReady(): boolean {
    return this.#effects.isReady;
  }

  /** Resolves once `isReady` holds. */
  get ready(): Promise<void> {
    return this.#effects.ready;
  }

  /** When the store last answered. */
  get lastContact(): Date | undefined {
    return this.#lastContact;
  }

  /** Takes up what lies on the disk. */
  async start(): Promise<void> {
    const { secrets, store } = this.#options;
    await secrets.load();
    const sequence = await this.#disk.load();
    if (sequence === undefined) return;
    this.#changes = new ChangeReader({ store, sequence });
    this.#effects.meetFirst();
    await this.#locked(() => this.#effects.apply());
  }

  /** Follows the store until the signal is given. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#follow(signal), this.#keepUp(signal)]);
  }

  /** Stages change by the clock alone, and what failed is tried again, whether or not the store answers. */
  async #keepUp(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      if (this.#changes !== undefined) await this.#locked(() => this.#effects.apply());
      await delay(KEEP_UP_MILLISECONDS, undefined, { signal }).catch(() => undefined);
    }
  }

  async #follow(signal: AbortSignal): Promise<void> {
    const { faults } = this.#options;
    let failures = 0;
    while (!signal.aborted) {
      const started = performance.now();
      const overdue = setTimeout(() => {
        faults.set("store", this.#absence(new Error("no answer")));
      }, OVERDUE_MILLISECONDS);
      try {
        await this.#poll(signal);
        failures = 0;
        faults.clear("store");
      } catch (error) {
        failures += 1;
        faults.set("store", this.#absence(error));
      } finally {
        clearTimeout(overdue);
      }
      const pause = Math.min(POLL_MILLISECONDS * 2 ** failures, LONGEST_PAUSE_MILLISECONDS);
      const rest = failures === 0 ? pause - (performance.now() - started) : pause;
      await delay(Math.max(10, rest), undefined, { signal }).catch(() => undefined);
    }
  }

  #absence(error: unknown): string {
    const since = this.#lastContact?.toISOString() ?? "the start";
    const held = this.isReady
      ? `going on with the ${this.#options.table.size} routes of then`
      : "there are no routes yet";
    return `not answering since ${since}, ${held}: ${errorText(error)}`;
  }

  async #poll(signal: AbortSignal): Promise<void> {
    if (this.#changes === undefined) {
      await this.#readAll(signal);
      return;
    }
    const records = await this.#changes.next();
    this.#lastContact = new Date();
    await this.#locked(() => this.#effects.apply(records));
    const { rereadMilliseconds = REREAD_MILLISECONDS } = this.#options;
    if (Date.now() - this.#lastReread > rereadMilliseconds) {
      this.#lastReread = Date.now();
      void this.#reread(signal);
    }
  }

  /** The first reading: nothing is in effect until all of it is there. */
  async #readAll(signal: AbortSignal): Promise<void> {
    const { store, table } = this.#options;
    const { sequence, pages } = await store.allRoutes();
    const now = new Date();
    for await (const page of pages) {
      if (signal.aborted) return;
      for (const record of page) if (table.isNews(record)) table.put(record, now);
    }
    this.#lastContact = new Date();
    this.#lastReread = Date.now();
    this.#changes = new ChangeReader({ store, sequence });
    await this.#locked(async () => {
      await this.#effects.apply();
      await this.#disk.save(sequence);
      this.#effects.meetFirst();
      this.#effects.tellFirst();
    });
  }

  async #reread(signal: AbortSignal): Promise<void> {
    const options = {
      ...this.#options,
      disk: this.#disk,
      effects: this.#effects,
      sequence: () => this.#changes?.settled,
      locked: (work: () => Promise<void>) => this.#locked(work),
    };
    try {
      await rereadRoutes(options, signal);
    } catch (error) {
      this.#options.faults.set("store", this.#absence(error));
    }
  }

  /** One piece of work at a time touches table, maps and disk. */
  #locked(work: () => Promise<void>): Promise<void> {
    const run = this.#working.then(work);
    this.#working = run.catch(() => undefined);
    return run;
  }
}
