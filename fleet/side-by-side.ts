/** Work on many things, so many at once. */

/**
 * The results in the order of the items. Once the signal says stop, nothing more is begun: what was not begun has no
 * result.
 */
export async function sideBySide<Item, Result>(
  items: readonly Item[],
  atOnce: number,
  signal: AbortSignal,
  work: (item: Item) => Promise<Result>,
): Promise<(Result | undefined)[]> {
  const results = items.map((): Result | undefined => undefined);
  const waiting = items.entries();
  const workers = Array.from({ length: Math.min(atOnce, items.length) }, async () => {
    // All workers take from the one iterator.
    for (const [index, item] of waiting) {
      if (signal.aborted) return;
      results[index] = await work(item);
    }
  });
  await Promise.all(workers);
  return results;
}
