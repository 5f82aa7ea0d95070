/** A route of which not everything is known or right, and the gateway that it is for: what the rules judge. */
import type { NextHops } from "./address-scope.ts";
import type { Route } from "./route.ts";

/** What is known of a route. */
export type PartialRoute = { readonly [Key in keyof Route]?: Route[Key] | undefined };

/** What is known of the gateway. */
export interface GatewayFacts {
  /** Its names, and addresses where they are known. No next hop may be one of them. */
  readonly hosts: ReadonlySet<string>;
  /** Absent: not known, so that addresses are not judged. */
  readonly nextHops?: NextHops | undefined;
}
