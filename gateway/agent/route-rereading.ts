/** Reads all routes again, against whatever was missed, while changes go on. */
import { routeStage } from "../../mail/route-life.ts";
import type { RouteStore } from "../../store/route-store.ts";
import type { Faults } from "./faults.ts";
import type { RouteDisk } from "./route-disk.ts";
import type { RouteEffects } from "./route-effects.ts";
import type { RouteTable } from "./route-table.ts";
import type { UnreadableRoutes } from "./unreadable-routes.ts";

export interface RereadingOptions {
  readonly store: Pick<RouteStore, "allRoutes">;
  readonly table: RouteTable;
  readonly disk: RouteDisk;
  readonly unreadable: UnreadableRoutes;
  readonly faults: Faults;
  readonly effects: RouteEffects;
  /** How far the changes were read. */
  readonly sequence: () => number | undefined;
  /** One piece of work at a time touches table, maps and disk. */
  readonly locked: (work: () => Promise<void>) => Promise<void>;
}

/** @throws what the store throws; then what was read so far is in effect, and nothing was dropped */
export async function rereadRoutes(options: RereadingOptions, signal: AbortSignal): Promise<void> {
  const { store, table, disk, unreadable, effects, locked, sequence } = options;
  const before = Array.from(table.records(), ({ domain }) => domain);
  const seen = new Set<string>();
  unreadable.beginReading();
  const { pages } = await store.allRoutes();
  for await (const page of pages) {
    if (signal.aborted) return;
    for (const { domain } of page) seen.add(domain);
    await locked(() => effects.apply(page));
  }
  unreadable.endReading();
  const gone = before.filter((domain) => !seen.has(domain) && !unreadable.has(domain));
  await locked(async () => {
    const hasDropped = await dropEnded(options, gone);
    await effects.forgetPasswords();
    // Of a domain that is gone, the disk keeps nothing.
    if (hasDropped || disk.isOvergrown) await disk.save(sequence() ?? 0);
  });
}

/**
 * Records that the store does not have any more. One that serves stays: a table that was emptied by
 * mistake must not stop anyone's mail.
 *
 * @returns whether any was dropped
 */
async function dropEnded(options: RereadingOptions, domains: readonly string[]): Promise<boolean> {
  const { table, disk, faults, effects } = options;
  const kept: string[] = [];
  let hasDropped = false;
  for (const domain of domains) {
    const record = table.get(domain);
    if (record === undefined || effects.isPending(domain)) continue;
    const stage = routeStage(record, new Date());
    if (stage === "expired" || stage === "proposed") {
      table.remove(domain);
      effects.forget(domain);
      await disk.drop(domain);
      hasDropped = true;
    } else kept.push(domain);
  }
  if (kept.length === 0) faults.clear("vanished routes");
  else faults.set("vanished routes", `not in the store, and kept: ${kept.slice(0, 10).join(", ")}`);
  return hasDropped;
}
