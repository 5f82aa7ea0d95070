/** Work that must not run at the same time: choosing what is free, and then taking it. */

let last: Promise<unknown> = Promise.resolve();

/** Runs it when all earlier work has ended. */
export function inTurn<T>(work: () => Promise<T>): Promise<T> {
  const mine = last.then(work, work);
  last = mine.catch(() => undefined);
  return mine;
}
