/** Several streams of values as one. */

/** Yields what any of them has as soon as it has it. Asks each for its next value only once the last was taken. */
export async function* merge<T>(streams: readonly AsyncIterator<T>[]): AsyncGenerator<T> {
  const next = (stream: AsyncIterator<T>) => stream.next().then((result) => ({ stream, result }));
  const pending = new Map(streams.map((stream) => [stream, next(stream)]));
  while (pending.size > 0) {
    const { stream, result } = await Promise.race(pending.values());
    if (result.done === true) {
      pending.delete(stream);
      continue;
    }
    pending.set(stream, next(stream));
    yield result.value;
  }
}
