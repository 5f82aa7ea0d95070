/**
 * The rejections that nobody handles, by the run in whose asynchronous context they came. Node passes that context
 * on to who listens for them.
 */
import { AsyncLocalStorage } from "node:async_hooks";

const context = new AsyncLocalStorage<RunFaults>();
let running = 0;

export class RunFaults {
  readonly #errors = new Set<unknown>();

  /** For all that follows in this asynchronous context. */
  static begin(): RunFaults {
    const faults = new RunFaults();
    context.enterWith(faults);
    running += 1;
    if (running === 1) process.on("unhandledRejection", keep);
    return faults;
  }

  add(error: unknown): void {
    this.#errors.add(error);
  }

  get none(): boolean {
    return this.#errors.size === 0;
  }

  /** What was collected. Call it once. */
  end(): readonly unknown[] {
    running -= 1;
    if (running === 0) process.off("unhandledRejection", keep);
    return [...this.#errors];
  }
}

/** What belongs to no run is a fault of this process, and ends it, as it would without a listener. */
function keep(error: unknown): void {
  const faults = context.getStore();
  if (faults === undefined) throw error;
  faults.add(error);
}
