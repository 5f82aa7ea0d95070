/** What the words about a domain are made from. */
import { opOf } from "./domain-change.ts";
import { isKnown, type KeptValues } from "./kept-values.ts";
import type { MailDomain } from "./mail-domain.ts";

export interface Facts {
  readonly name: string;
  readonly old: KeptValues;
  readonly next: KeptValues;
  readonly mxOp: string | undefined;
  readonly drainOp: string | undefined;
  /** The gateway gets another version of the route. */
  readonly hasNewRoute: boolean;
}

export function factsOf(domain: MailDomain): Facts {
  const { old, new: next } = domain;
  return {
    name: displayNameOf(domain),
    old,
    next,
    mxOp: opOf(domain, "mx"),
    drainOp: opOf(domain, "drain"),
    hasNewRoute: ["create", "update"].includes(opOf(domain, "route") ?? ""),
  };
}

/** As its owner writes it. */
export function displayNameOf({ domain, old, new: next }: MailDomain): string {
  const name = next.component?.report?.name ?? old.component?.report?.name;
  return isKnown(name) ? name : domain;
}
