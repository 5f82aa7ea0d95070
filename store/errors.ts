/** What can go wrong with the route store, apart from refusals by a rule. */

/**
 * - `credentials`: nobody has said who asks, or in which region.
 * - `denied`: who asks may not do this.
 * - `missing`: there is no such table.
 * - `unavailable`: it did not answer, or not in time.
 * - `conflict`: someone else wrote the route since it was read.
 * - `other`: an answer that makes no sense, or a call that does not.
 */
export type StoreFailure =
  | "credentials"
  | "denied"
  | "missing"
  | "unavailable"
  | "conflict"
  | "other";

/** The store could not be asked, or gave an answer that makes no sense. `cause` is kept. */
export class StoreError extends Error {
  override readonly name: string = "StoreError";
  readonly failure: StoreFailure;

  constructor(message: string, failure: StoreFailure = "other", options?: ErrorOptions) {
    super(message, options);
    this.failure = failure;
  }
}

/** Someone else wrote the route since it was read. Read it again and decide again. */
export class RouteConflict extends StoreError {
  override readonly name = "RouteConflict";

  constructor(message: string) {
    super(message, "conflict");
  }
}
