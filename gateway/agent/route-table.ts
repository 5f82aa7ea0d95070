/** The routes as the agent holds them: by domain, by sending identity, and by the time of their next change. */
import { RelayIndex } from "../../mail/relay-index.ts";
import type { RouteRecord } from "../../mail/route.ts";
import { nextChange } from "../../mail/route-life.ts";

export class RouteTable {
  /** What relay decisions are made of. */
  readonly index = new RelayIndex();
  /** When a route changes its behaviour by the clock alone; only of those that do. */
  readonly #stageChanges = new Map<string, number>();

  get size(): number {
    return this.index.size;
  }

  get(domain: string): RouteRecord | undefined {
    return this.index.recordOf(domain);
  }

  records(): Iterable<RouteRecord> {
    return this.index.records();
  }

  /** Whether the record is news: a read may bring an older one, since it need not see the latest write. */
  isNews({ domain, revision }: RouteRecord): boolean {
    return revision > (this.get(domain)?.revision ?? 0);
  }

  put(record: RouteRecord, now: Date): void {
    this.index.put(record);
    this.#noteStageChange(record, now);
  }

  remove(domain: string): void {
    this.#stageChanges.delete(domain);
    this.index.remove(domain);
  }

  /** The routes that have changed their behaviour by `now`, each told once. */
  takeStageChanges(now: Date): RouteRecord[] {
    const due = [...this.#stageChanges].filter(([, time]) => time <= now.getTime());
    return due.flatMap(([domain]) => {
      const record = this.get(domain);
      if (record !== undefined) this.#noteStageChange(record, now);
      return record ?? [];
    });
  }

  #noteStageChange(record: RouteRecord, now: Date): void {
    const change = nextChange(record, now);
    if (change === undefined) this.#stageChanges.delete(record.domain);
    else this.#stageChanges.set(record.domain, change.getTime());
  }
}
