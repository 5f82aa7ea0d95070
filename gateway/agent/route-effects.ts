/**
 * Puts routes into effect: into the maps, the policy service's table, and on the disk. What fails is tried
 * again at the next call.
 */
import type { RouteRecord } from "../../mail/route.ts";
import { errorText, type Faults } from "./faults.ts";
import type { MapWriter } from "./map-writer.ts";
import type { RouteDisk } from "./route-disk.ts";
import type { RouteTable } from "./route-table.ts";
import type { Secrets } from "./secrets.ts";

/** Who is told of what is in effect. */
export interface EffectListener {
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

export interface RouteEffectsOptions extends EffectListener {
  readonly table: RouteTable;
  readonly maps: MapWriter;
  readonly secrets: Secrets;
  readonly disk: RouteDisk;
  readonly faults: Faults;
  /** How far the changes were read; `undefined`: nothing is to be kept yet. */
  readonly sequence: () => number | undefined;
}

/** More changes than this at once are dearer than a rebuild. */
const MOST_SINGLE_CHANGES = 5_000;
/** So many passwords are asked for at once, so that a change need not wait for all of a fleet's. */
const PASSWORDS_AT_ONCE = 20;

export class RouteEffects {
  readonly #options: RouteEffectsOptions;
  /** Records that are not in effect yet, or of which the disk and `onEffect` were not told. */
  readonly #pending = new Map<string, RouteRecord>();
  /** Records whose Relay Server's password is not known, or only an older one. */
  readonly #withoutPassword = new Map<string, RouteRecord>();
  /** Whether the first records are there, and `onFirstEffect` was not told of them. */
  #owesFirst = false;
  readonly #ready = Promise.withResolvers<void>();
  #isReady = false;

  constructor(options: RouteEffectsOptions) {
    this.#options = options;
  }

  /** Whether routes are in effect, as new as they may be. */
  get isReady(): boolean {
    return this.#isReady;
  }

  /** Resolves once `isReady` holds. */
  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  /** What is in the table by now are the first ones. */
  meetFirst(): void {
    for (const record of this.#options.table.records()) this.#meet(record);
    this.#owesFirst = true;
  }

  isPending(domain: string): boolean {
    return this.#pending.has(domain);
  }

  /** The record is no longer in the table. */
  forget(domain: string): void {
    this.#withoutPassword.delete(domain);
  }

  /** Forgets the passwords that no record names any more, on the disk, too. */
  async forgetPasswords(): Promise<void> {
    const { table, secrets, disk } = this.#options;
    const records = [...table.records(), ...this.#pending.values()];
    if (secrets.keepOnly(records)) await disk.take(() => secrets.save());
  }

  /** Puts records into effect, and those whose stage or password is another one by now. */
  async apply(records: readonly RouteRecord[] = []): Promise<void> {
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
      this.#ready.resolve();
      const done = [...this.#pending.values()];
      await this.#keep(done);
      this.#pending.clear();
      for (const record of done.filter((each) => this.#isInEffect(each))) {
        this.#options.onEffect(record);
      }
    }
    this.tellFirst();
  }

  /** Tells of the first ones, if they are in effect and nobody was told. */
  tellFirst(): void {
    if (!this.#owesFirst || !this.#options.maps.isCertain) return;
    this.#owesFirst = false;
    this.#options.onFirstEffect(this.#recordsInEffect());
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

  #meet(record: RouteRecord): void {
    if (this.#options.secrets.isKnown(record)) this.#withoutPassword.delete(record.domain);
    else this.#withoutPassword.set(record.domain, record);
    this.#options.onRecord(record);
  }

  #isInEffect({ domain }: RouteRecord): boolean {
    return !this.#pending.has(domain) && !this.#withoutPassword.has(domain);
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

  /** @returns the records whose password is known by now */
  async #learnPasswords(): Promise<RouteRecord[]> {
    const { secrets, faults, disk } = this.#options;
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
    if (learnt.length > 0) await disk.take(() => secrets.save());
    return learnt;
  }

  async #keep(records: readonly RouteRecord[]): Promise<void> {
    const sequence = this.#options.sequence();
    if (sequence !== undefined) await this.#options.disk.keep(records, sequence);
  }
}
