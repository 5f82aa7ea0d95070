/**
 * Whether a mail system takes mail from everyone, so that a domain's MX may be handed back to it.
 *
 * While the gateway receives a domain's mail, its mail system is often locked to the gateway's addresses
 * (Microsoft 365 then says `550 5.7.51` to all others). Probes from the gateway pass then, and after the
 * hand-back everyone else is refused. So the question is asked from elsewhere, in the way of a sender.
 */
import { parseIpAddress } from "./address-scope.ts";
import type { MxRecord } from "./dns.ts";
import { includesMx, isNullMx, sameMxSet, sortMx } from "./mx.ts";
import type { MxGoal, MxWorld } from "./mx-goal.ts";
import { answeringMx } from "./mx-goal.ts";
import { isUnknownMailbox, type SmtpReply } from "./route-proof.ts";

/**
 * What one host of the mail system shows.
 *
 * - `open`: it takes mail for the recipient from an address that is not the gateway's.
 * - `closed`: it refuses it for good.
 * - `unclear`: it tells nothing of that; `why` in words.
 */
export type Openness =
  | { readonly kind: "open" }
  | { readonly kind: "closed" }
  | { readonly kind: "unclear"; readonly why: string };

/** What a host answered, as far as it matters here. */
export type HostAnswer =
  | { readonly kind: "accepted" }
  | { readonly kind: "refused"; readonly atRecipient: boolean; readonly reply: SmtpReply }
  | { readonly kind: "deferred" }
  | { readonly kind: "failed" };

/**
 * The MX that are to receive mail again, by preference, the most preferred first, and equals together.
 *
 * None where nothing has to be proven: the same MX answer already, or none will (no MX, a null MX: RFC 7505).
 * The gateway's own are left out.
 */
export function mxToProve(
  now: MxWorld,
  end: MxWorld,
  { wanted, known }: Pick<MxGoal, "wanted" | "known">,
): MxRecord[][] {
  const next = answeringMx(end);
  if (sameMxSet(answeringMx(now), next)) return [];
  const gateways = [...wanted, ...known];
  const theirs = next.filter((mx) => !isNullMx(mx) && !includesMx(gateways, mx));
  const levels = Map.groupBy(sortMx(theirs), ({ preference }) => preference);
  return [...levels.values()];
}

/**
 * What a host's answer shows. A refusal of the mailbox itself (`postmaster` often does not exist on
 * Microsoft 365) does not show what it would say of one that exists.
 *
 * @param seenFrom the addresses that the host may have seen the question come from
 * @param gateway the gateway's addresses: the mail system lets them in whatever it says to others
 */
export function judgeOpenness(
  answer: HostAnswer,
  seenFrom: readonly string[],
  gateway: readonly string[],
): Openness {
  if (answer.kind === "failed") return unclear("it could not be asked");
  if (answer.kind === "deferred") return unclear("it put the question off");
  if (answer.kind === "refused") {
    const isMailbox = answer.atRecipient && isUnknownMailbox(answer.reply);
    return isMailbox ? unclear("it does not know the recipient") : { kind: "closed" };
  }
  const own = seenFrom.find((address) => isAmong(address, gateway));
  return own === undefined
    ? { kind: "open" }
    : unclear(
        `it was asked from an address of the gateway, ${own}, which it may let in as the only one`,
      );
}

/**
 * What the hosts of one preference show together: a sender takes any of them (RFC 5321 section 5.1), so a
 * single one that refuses loses mail.
 *
 * @returns `unclear`: a sender would go on to the next preference
 */
export function judgeLevel(hosts: readonly Openness[]): Openness["kind"] {
  if (hosts.some(({ kind }) => kind === "closed")) return "closed";
  return hosts.some(({ kind }) => kind === "open") ? "open" : "unclear";
}

function isAmong(address: string, others: readonly string[]): boolean {
  const normal = parseIpAddress(address)?.toNormalizedString();
  if (normal === undefined) return false;
  return others.some((other) => parseIpAddress(other)?.toNormalizedString() === normal);
}

function unclear(why: string): Openness {
  return { kind: "unclear", why };
}
