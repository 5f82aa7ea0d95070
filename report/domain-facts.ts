/** What the words about a domain are made from. */
import { opOf } from "./domain-change.ts";
import { diffOf } from "./domain-diff.ts";
import { isKnown, type KeptValues } from "./kept-values.ts";
import type { MailDomain } from "./mail-domain.ts";

export interface Facts {
  readonly name: string;
  readonly old: KeptValues;
  readonly next: KeptValues;
  readonly mxOp: string | undefined;
  readonly drainOp: string | undefined;
  /** What differs of it, each in a word or two: `Mail system`, `MX`. */
  readonly changed: readonly string[];
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
    changed: changedOf(domain),
    hasNewRoute: ["create", "update"].includes(opOf(domain, "route") ?? ""),
  };
}

function changedOf(domain: MailDomain): string[] {
  const { settings, mx, spf } = diffOf(domain);
  return [
    ...settings.map(({ name }) => name),
    ...(mx !== undefined && String(mx.before) !== String(mx.after) ? ["MX"] : []),
    ...(spf !== undefined && spf.before !== spf.after ? ["SPF"] : []),
  ];
}

/** As its owner writes it. */
export function displayNameOf({ domain, old, new: next }: MailDomain): string {
  const name = next.component?.report?.name ?? old.component?.report?.name;
  return isKnown(name) ? name : domain;
}
