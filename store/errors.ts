/** What can go wrong with the route store, apart from refusals by a rule. */

/** The store could not be asked, or gave an answer that makes no sense. `cause` is kept. */
export class StoreError extends Error {
  override readonly name: string = "StoreError";
}

/** Nobody has said who asks: the AWS SDK found no credentials. */
export class StoreCredentialsError extends StoreError {
  override readonly name = "StoreCredentialsError";
}

/** Someone else wrote the route since it was read. Read it again and decide again. */
export class RouteConflict extends StoreError {
  override readonly name = "RouteConflict";
}
