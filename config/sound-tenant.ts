/** What could be read of a tenant's stack file: the rules take it, so that no fault hides another. */
import type { Gateway } from "./gateway-hosts.ts";
import type { DomainConfig } from "./tenant.ts";

/** What could be read of a value. */
export type Sound<T> = { readonly [Key in keyof T]?: T[Key] | undefined };

/** A domain's entry, as far as it could be read. */
export interface SoundDomain extends Sound<DomainConfig> {
  /** The keys that were written, the faulty ones included. @default those that could be read */
  readonly written?: ReadonlySet<string> | undefined;
}

/** `unknown`: what says it could not be read. */
export type KeepsRoutes = boolean | "unknown";

export interface SoundTenant {
  readonly gateway: Sound<Gateway>;
  /**
   * Whether the gateway's routes are kept by this project: it is given as a stack with a route store.
   * @default whether the gateway has a `routeStore`
   */
  readonly keepsRoutes?: KeepsRoutes;
  /** Whether `mail:fixIt` was written. @default no */
  readonly hasFixIt?: boolean | undefined;
  /** The names below `mail:relayPasswords`; `undefined`: not known. */
  readonly passwordNames?: readonly string[] | undefined;
  /** In the order of the file. */
  readonly domains: readonly SoundDomain[];
}

export function isWritten(domain: SoundDomain, key: keyof DomainConfig): boolean {
  return domain.written?.has(key) ?? domain[key] !== undefined;
}
