/** The calls that are under way: they can be told to stop, and waited for. */

/** Why a call was told to stop, or was not begun. */
export class Cancelled extends Error {
  override readonly name = "Cancelled";
}

export class RunningCalls {
  readonly #running = new Set<AbortController>();
  #stopped: Cancelled | undefined;
  #whenIdle: (() => void)[] = [];

  /**
   * Does the work of one call. Its signal is aborted by `stop`, and when the caller goes away.
   *
   * @throws Cancelled if `stop` was called before
   */
  async run<T>(gone: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    if (this.#stopped !== undefined) throw this.#stopped;
    const controller = new AbortController();
    this.#running.add(controller);
    try {
      return await work(AbortSignal.any([gone, controller.signal]));
    } finally {
      this.#running.delete(controller);
      if (this.#running.size === 0) for (const resolve of this.#whenIdle.splice(0)) resolve();
    }
  }

  /** Tells every running call to stop at its next safe point, and refuses new ones. */
  stop(reason: string): void {
    this.#stopped = new Cancelled(`${reason} Nothing was done.`);
    for (const controller of this.#running) controller.abort(new Cancelled(reason));
  }

  /** Takes calls again: a provider that stays attached serves the next run, too. */
  reopen(): void {
    this.#stopped = undefined;
  }

  get idle(): boolean {
    return this.#running.size === 0;
  }

  /** Resolves when no call is running. */
  async untilIdle(): Promise<void> {
    if (this.idle) return;
    await new Promise<void>((resolve) => this.#whenIdle.push(resolve));
  }
}
