/**
 * Follows the route store: what is written there comes into the maps and the policy service within a second
 * or two. Where the store is away, the last state goes on.
 *
 * - First all routes, from the disk if they lie there, else from the store.
 * - Then the changes, by their sequence, and again those of the last seconds: the index may show them late.
 * - Every few minutes all routes again, against whatever was missed.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { RouteRecord } from "../../mail/route.ts";
import { routeStage } from "../../mail/route-life.ts";
import { ChangeReader } from "../../store/change-reader.ts";
import type { RouteStore } from "../../store/route-store.ts";
import { errorText, type Faults } from "./faults.ts";
import type { MapWriter } from "./map-writer.ts";
import type { RouteFile } from "./route-file.ts";
import type { RouteTable } from "./route-table.ts";
import type { Secrets } from "./secrets.ts";

/** What the sync asks of the route store. */
export type RouteSource = Pick<RouteStore, "allRoutes" | "changesSince">;

export interface RouteSyncOptions {
  readonly store: RouteSource;
  readonly table: RouteTable;
  readonly file: RouteFile;
  readonly maps: MapWriter;
  readonly secrets: Secrets;
  readonly faults: Faults;
  /** Whether the store has a route of this domain that this release cannot read. */
  isUnreadable(domain: string): boolean;
  /** Told of every record that is new, the first ones included. */
  onRecord(record: RouteRecord): void;
  /** Told once a change is wholly in effect: maps, policy and disk. Not of the first ones. */
  onEffect(record: RouteRecord): void;
  /**
   * Told once the first ones are in effect, from the disk or from the store. They may be many: they are to be
   * taken one by one. One that is not wholly in effect is left out, and `onEffect` tells of it later.
   */
  onFirstEffect(records: Iterable<RouteRecord>): void;
}

const POLL_MILLISECONDS = 500;
const KEEP_UP_MILLISECONDS = 1_000;
const REREAD_MILLISECONDS = 10 * 60_000;
/** The store's client waits longer for an answer, and asks again by itself. */
const OVERDUE_MILLISECONDS = 10_000;
const LONGEST_PAUSE_MILLISECONDS = 10_000;
/** More changes than this at once are dearer than a rebuild. */
const MOST_SINGLE_CHANGES = 5_000;
/** So many passwords are asked for at once, so that a change need not wait for all of a fleet's. */
const PASSWORDS_AT_ONCE = 20;

export class RouteSync {
  readonly #options: RouteSyncOptions;
  #changes: ChangeReader | undefined;
  /** Records that are not in effect yet, or of which the disk and `onEffect` were not told. */
  readonly #pending = new Map<string, RouteRecord>();
  /** Records whose Relay Server's password is not known, or only an older one. */
  readonly #withoutPassword = new Map<string, RouteRecord>();
  /** Whether the first records are there, and `onFirstEffect` was not told of them. */
  #owesFirst = false;
  /** Whether the file has all records up to its sequence, so that a change may be appended. */
  #isFileWhole = false;
  #isReady = false;
  #lastContact: Date | undefined;
  #lastReread = 0;
  #working: Promise<void> = Promise.resolve();

  constructor(options: RouteSyncOptions) {
    this.#options = options;
  }

  /** Whether routes are in effect, as new as they may be. */
  get isReady(): boolean {
    return this.#isReady;
  }

  /** When the store last answered. */
  get lastContact(): Date | undefined {
    return this.#lastContact;
  }

  /** Takes up what lies on the disk. */
  async start(): Promise<void> {
    const { table, file, secrets, store } = this.#options;
    const now = new Date();
    await secrets.load();
    const sequence = await file.load({
      onRecord: (record) => table.put(record, now),
      onRemoved: (domain) => table.remove(domain),
    });
    if (sequence === undefined) return;
    this.#isFileWhole = true;
    this.#changes = new ChangeReader({ store, sequence });
    for (const record of table.records()) this.#meet(record);
    this.#owesFirst = true;
    await this.#locked(() => this.#effect([]));
  }

  /** Follows the store until the signal is given. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#follow(signal), this.#keepUp(signal)]);
  }

  /** Stages change by the clock alone, and what failed is tried again, whether or not the store answers. */
  async #keepUp(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      if (this.#changes !== undefined) await this.#locked(() => this.#effect([]));
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
    const held = this.#isReady
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
    await this.#locked(() => this.#effect(records));
    if (Date.now() - this.#lastReread > REREAD_MILLISECONDS) {
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
      await this.#effect([]);
      await this.#save();
      for (const record of table.records()) this.#meet(record);
      this.#owesFirst = true;
      this.#tellFirst();
    });
  }

  /** All routes again, while changes go on. */
  async #reread(signal: AbortSignal): Promise<void> {
    const { store, table, faults, file } = this.#options;
    const seen = new Set<string>();
    const before = Array.from(table.records(), ({ domain }) => domain);
    try {
      const { pages } = await store.allRoutes();
      for await (const page of pages) {
        if (signal.aborted) return;
        for (const { domain } of page) seen.add(domain);
        await this.#locked(() => this.#effect(page));
      }
      await this.#locked(async () => {
        const isGone = (domain: string) => !seen.has(domain) && !this.#options.isUnreadable(domain);
        await this.#dropEnded(before.filter(isGone));
        if (file.appended > table.size / 2) await this.#save();
      });
    } catch (error) {
      faults.set("store", this.#absence(error));
    }
  }

  /**
   * Records that the store does not have any more. One that serves stays: a table that was emptied by
   * mistake must not stop anyone's mail.
   */
  async #dropEnded(domains: readonly string[]): Promise<void> {
    const { table, file, faults } = this.#options;
    const kept: string[] = [];
    for (const domain of domains) {
      const record = table.get(domain);
      if (record === undefined || this.#pending.has(domain)) continue;
      const stage = routeStage(record, new Date());
      if (stage === "expired" || stage === "proposed") {
        table.remove(domain);
        this.#withoutPassword.delete(domain);
        await file.appendRemoval(domain);
      } else kept.push(domain);
    }
    if (kept.length === 0) faults.clear("vanished routes");
    else
      faults.set("vanished routes", `not in the store, and kept: ${kept.slice(0, 10).join(", ")}`);
  }

  /** Puts records into effect, and those whose stage or password is another one by now. */
  async #effect(records: readonly RouteRecord[]): Promise<void> {
    const { table, maps, faults } = this.#options;
    this.#take(records);
    const learnt = await this.#learnPasswords();
    const now = new Date();
    for (const record of [...table.takeStageChanges(now), ...learnt]) {
      if (!this.#pending.has(record.domain)) this.#pending.set(record.domain, record);
    }
    if (this.#pending.size > 0 || !maps.isCertain) {
      try {
        await this.#write(this.#pending, now);
      } catch (error) {
        faults.set("maps", `not written: ${errorText(error)}`);
        return;
      }
      faults.clear("maps");
      this.#isReady = true;
      const done = [...this.#pending.values()];
      await this.#keep(done);
      this.#pending.clear();
      for (const record of done.filter((each) => this.#isInEffect(each))) {
        this.#options.onEffect(record);
      }
    }
    this.#tellFirst();
  }

  /** What is new stays pending until all of it is done: a try may fail at any place. */
  #take(records: readonly RouteRecord[]): void {
    const { table } = this.#options;
    for (const record of records) {
      const { domain, revision } = record;
      if (!table.isNews(record) || revision <= (this.#pending.get(domain)?.revision ?? 0)) continue;
      this.#pending.set(domain, record);
      this.#meet(record);
    }
  }

  #isInEffect({ domain }: RouteRecord): boolean {
    return !this.#pending.has(domain) && !this.#withoutPassword.has(domain);
  }

  #tellFirst(): void {
    if (!this.#owesFirst || !this.#options.maps.isCertain) return;
    this.#owesFirst = false;
    this.#options.onFirstEffect(this.#recordsInEffect());
  }

  *#recordsInEffect(): Generator<RouteRecord> {
    for (const record of this.#options.table.records()) {
      if (this.#isInEffect(record)) yield record;
    }
  }

  async #write(next: ReadonlyMap<string, RouteRecord>, now: Date): Promise<void> {
    const { table, maps } = this.#options;
    const put = () => {
      for (const record of next.values()) table.put(record, now);
    };
    if (!maps.isCertain || next.size > MOST_SINGLE_CHANGES) {
      put();
      await maps.rebuild(table.records(), now);
      return;
    }
    const changes = [...next].map(([domain, record]) => ({
      former: table.get(domain),
      next: record,
    }));
    await maps.change(changes, now);
    put();
  }

  #meet(record: RouteRecord): void {
    if (this.#options.secrets.isKnown(record)) this.#withoutPassword.delete(record.domain);
    else this.#withoutPassword.set(record.domain, record);
    this.#options.onRecord(record);
  }

  /** @returns the records whose password is known by now */
  async #learnPasswords(): Promise<RouteRecord[]> {
    const { secrets, faults } = this.#options;
    const asked = [...this.#withoutPassword.values()].slice(0, PASSWORDS_AT_ONCE);
    const missing: string[] = [];
    const learning = asked.map(async (record) => {
      try {
        await secrets.fetch(record);
        this.#withoutPassword.delete(record.domain);
        return [record];
      } catch (error) {
        missing.push(`${record.domain} (${errorText(error)})`);
        // To the end of the line: the others have their turn.
        this.#withoutPassword.delete(record.domain);
        this.#withoutPassword.set(record.domain, record);
        return [];
      }
    });
    const learnt = (await Promise.all(learning)).flat();
    if (missing.length > 0) faults.set("passwords", `not read: ${missing.slice(0, 5).join(", ")}`);
    else if (this.#withoutPassword.size === 0) faults.clear("passwords");
    if (learnt.length > 0) await this.#onDisk(() => secrets.save());
    return learnt;
  }

  async #keep(records: readonly RouteRecord[]): Promise<void> {
    const sequence = this.#changes?.settled;
    if (records.length === 0 || sequence === undefined) return;
    if (!this.#isFileWhole) {
      await this.#save();
      return;
    }
    this.#isFileWhole = await this.#onDisk(() => this.#options.file.append(records, sequence));
  }

  async #save(): Promise<void> {
    const { file, table } = this.#options;
    const sequence = this.#changes?.settled ?? 0;
    this.#isFileWhole = await this.#onDisk(() => file.save(table.records(), sequence));
  }

  /** The routes are in effect even where the disk does not take them. @returns whether it took them */
  async #onDisk(write: () => Promise<void>): Promise<boolean> {
    try {
      await write();
      this.#options.faults.clear("disk");
      return true;
    } catch (error) {
      this.#options.faults.set("disk", `the routes could not be kept: ${errorText(error)}`);
      return false;
    }
  }

  /** One piece of work at a time touches table, maps and file. */
  #locked(work: () => Promise<void>): Promise<void> {
    const run = this.#working.then(work);
    this.#working = run.catch(() => undefined);
    return run;
  }
}
