/** How long a change of a domain takes, in sentences. */
import { MX_TTL_SECONDS } from "../mail/departure.ts";
import { longestTtl } from "../mail/lock-down.ts";
import { LEAVING } from "../mail/route-life.ts";
import type { Facts } from "./domain-facts.ts";
import { isKnown } from "./kept-values.ts";
import { flowOf } from "./mail-flow.ts";
import { span } from "./span.ts";

export function onboardDuration(facts: Facts): string[] {
  const { next } = facts;
  const ttl = longestTtl(next.mx?.former ?? []);
  return [
    ...runDuration(facts),
    ...(ttl === undefined
      ? []
      : [
          `Some senders remember the former MX for up to ${span(ttl)} after that; what they bring there arrives as before.`,
        ]),
  ];
}

export function runDuration({ next, old, hasNewRoute }: Facts): string[] {
  const overlap = next.mx?.overlapSeconds ?? old.mx?.overlapSeconds;
  const proof = hasNewRoute ? "every host of the gateway proves its part first, and " : "";
  const wait =
    isKnown(overlap) && overlap > 0
      ? ` Old and new MX stand side by side for ${span(overlap)}.`
      : "";
  const byHand = (next.component ?? old.component)?.report?.dns === "manual";
  if (byHand)
    return [
      "As long as a person takes: the run stops at each change of a record, and goes on when it is made.",
    ];
  return [
    `The run takes minutes: ${proof}the new records are seen on every name server before the old ones go.${wait}`,
  ];
}

export function directionDuration(facts: Facts): string[] {
  const { old, changed, hasNewRoute } = facts;
  const hasRecords = changed.includes("MX") || changed.includes("SPF");
  const proof = hasNewRoute ? ": every host of the gateway proves its part first" : "";
  const quiet = old.drain?.quietSeconds;
  const isAwaited = isLeft(facts) && old.drain?.store !== undefined && isKnown(quiet) && quiet > 0;
  return [
    ...(hasRecords ? runDuration(facts) : [`Seconds to minutes${proof}.`]),
    ...(isAwaited
      ? [
          `It waits until none of the mail that is to go another way has come to the gateway for ${span(quiet)}. If some still does, the run stops, says who sends, and goes on when it is run again.`,
        ]
      : []),
  ];
}

/** The mail system is to hand less to the gateway than before. */
function isLeft(facts: Facts): boolean {
  if (facts.drainOp === "delete") return true;
  return (["inbound", "outbound"] as const).some((each) => flowOf(facts, each).ends);
}

export function offboardDuration(facts: Facts): string[] {
  const { old } = facts;
  const quiet = old.drain?.quietSeconds;
  return [
    ...(old.mx === undefined ? [] : runDuration({ ...facts, next: {} })),
    ...(isKnown(quiet) && quiet > 0
      ? [
          `Then it waits until no mail of the domain has gone out through the gateway for ${span(quiet)}. If some still does, the run stops, says who sends, and goes on when it is run again.`,
        ]
      : []),
    ...(old.route === undefined
      ? []
      : [
          `The gateway still delivers what late senders bring for ${span(LEAVING.delivers)}, then puts mail off for ${span(LEAVING.defers)}, then refuses it.`,
        ]),
  ];
}

export function moveDuration(facts: Facts): string[] {
  return [
    ...runDuration(facts),
    ...(facts.next.route === undefined
      ? [
          "The former gateway's SPF term goes in the same run: let the mail system send through neither meanwhile.",
        ]
      : [
          `The former gateway lets the domain go in a later run, at the earliest ${span(MX_TTL_SECONDS)} after its MX have gone from DNS${quietWords(facts)}.`,
        ]),
  ];
}

function quietWords({ next }: Facts): string {
  const quiet = next.drain?.quietSeconds;
  return isKnown(quiet) && quiet > 0
    ? `, and ${span(quiet)} after the last mail has gone out through it`
    : "";
}
