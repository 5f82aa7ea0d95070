/**
 * What a gateway's MX hosts show, asked for a recipient of a domain before its MX move there.
 *
 * Whoever runs such a gateway keeps its routes, so that this is all that can be seen of them from outside.
 */
import type { HostAnswer } from "./hand-back-proof.ts";
import { isUnknownMailbox } from "./route-proof.ts";

/**
 * - `takes`: it takes mail for the recipient.
 * - `refuses`: it would refuse the domain's mail, and senders would bounce it.
 * - `unclear`: it tells nothing of that; `why` in words.
 */
export type GatewayAnswer =
  | { readonly kind: "takes" }
  | { readonly kind: "refuses" }
  | { readonly kind: "unclear"; readonly why: string };

/**
 * A refusal of the mailbox itself shows nothing where only `postmaster` could be asked for, which often does not
 * exist; of an address that exists, it is a refusal like any other.
 *
 * @param answer `undefined`: DNS gives no address of the host
 * @param isKnown whether the recipient is known to exist
 */
export function judgeGateway(answer: HostAnswer | undefined, isKnown: boolean): GatewayAnswer {
  if (answer === undefined) return unclear("DNS gives no address of it");
  if (answer.kind === "accepted") return { kind: "takes" };
  if (answer.kind === "failed") return unclear("it could not be asked from here");
  if (answer.kind === "deferred") return unclear("it put the question off");
  const isMailbox = answer.atRecipient && isUnknownMailbox(answer.reply);
  return isMailbox && !isKnown
    ? unclear("it does not know the recipient postmaster")
    : { kind: "refuses" };
}

function unclear(why: string): GatewayAnswer {
  return { kind: "unclear", why };
}
