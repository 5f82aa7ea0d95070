/**
 * Follows the changes of routes without missing one.
 *
 * A secondary index is written after the table, and not in order (Amazon DynamoDB Developer Guide, "Global
 * secondary indexes", data synchronisation): a change may show up after a later one. So what was written in
 * the last seconds is asked for again each time.
 */
import type { RouteRecord } from "../mail/route.ts";
import type { RouteStore } from "./route-store.ts";

/** The index usually follows within a fraction of a second. */
const OVERLAP_SECONDS = 10;

export interface ChangeReaderOptions {
  /** The store's `changesSince`. */
  readonly store: Pick<RouteStore, "changesSince">;
  /** From where on: see `AllRoutes.sequence`. */
  readonly sequence: number;
  /** For how long a change may stay hidden behind later ones. @default 10 */
  readonly overlapSeconds?: number;
  /** Milliseconds of a clock that never goes back. @default that of the process */
  readonly clock?: () => number;
}

export class ChangeReader {
  readonly #store: ChangeReaderOptions["store"];
  readonly #overlap: number;
  readonly #clock: () => number;
  /** Nothing up to here is still hidden. */
  #settled: number;
  /** Ends of answers, and when each was first seen. */
  #ends: { readonly sequence: number; readonly seen: number }[] = [];
  /** Revisions that were handed out already, by domain. */
  #known = new Map<string, number>();

  constructor(options: ChangeReaderOptions) {
    const { store, sequence, overlapSeconds = OVERLAP_SECONDS } = options;
    this.#store = store;
    this.#settled = sequence;
    this.#overlap = overlapSeconds * 1000;
    this.#clock = options.clock ?? (() => performance.now());
  }

  /** From where on a later reader misses nothing that was handed out by now. */
  get settled(): number {
    return this.#settled;
  }

  /** The records that changed since the last call, each as it is now, oldest first. */
  async next(): Promise<readonly RouteRecord[]> {
    this.#settle(this.#clock());
    const { records, sequence } = await this.#store.changesSince(this.#settled);
    const fresh = records.filter(
      ({ domain, revision }) => revision > (this.#known.get(domain) ?? 0),
    );
    this.#known = new Map(records.map(({ domain, revision }) => [domain, revision]));
    const last = this.#ends.at(-1)?.sequence ?? this.#settled;
    if (sequence > last) this.#ends.push({ sequence, seen: this.#clock() });
    return fresh;
  }

  #settle(now: number): void {
    const old = this.#ends.filter(({ seen }) => seen <= now - this.#overlap);
    this.#settled = old.at(-1)?.sequence ?? this.#settled;
    this.#ends = this.#ends.slice(old.length);
  }
}
