/**
 * Whether mail to a domain, and mail from it, begins or ceases to pass the gateway. What a change does to the parts
 * does not tell: both directions share the `Drain`.
 */
import { isKnown, type KeptValues } from "./kept-values.ts";
import type { MailDomain } from "./mail-domain.ts";

type Direction = "inbound" | "outbound";

interface Flow {
  readonly begins: boolean;
  readonly ends: boolean;
}

/** Where nobody knows how it was or will be, it does neither. */
export function flowOf(
  sides: { readonly old: KeptValues; readonly next: KeptValues },
  direction: Direction,
): Flow {
  const was = sides.old.component?.report?.[direction];
  const will = sides.next.component?.report?.[direction];
  if (!isKnown(was) || !isKnown(will)) return { begins: false, ends: false };
  return {
    begins: was === "none" && will !== "none",
    ends: was !== "none" && will === "none",
  };
}

export function hasFlowChange({ old, new: next }: MailDomain): boolean {
  const flows = (["inbound", "outbound"] as const).map((each) => flowOf({ old, next }, each));
  return flows.some(({ begins, ends }) => begins || ends);
}

/** The mail system hands mail to the domain over to the gateway. */
export function isHandedOver({ component }: KeptValues): boolean {
  return component?.report?.inbound === "loopback";
}
