/**
 * Who may hold a domain and a sending identity at the gateway, and which resource may change them.
 *
 * A domain is one organisation's, and so is all above and below it: mail to `sub.contoso.com` is not for
 * whoever else holds `contoso.com`. Domains beside one another are independent.
 */
import { isWithin } from "./domain-name.ts";
import { MailRuleError, type MailRuleFault } from "./errors.ts";
import { type Claim, formatClaim, includesClaim, parseClaim, withClaim } from "./journal.ts";
import type { RouteHolder, RouteRecord, SendingIdentity } from "./route.ts";
import { routeStage } from "./route-life.ts";
import { formatSendingIdentity, identitiesOverlap } from "./sending-identity.ts";

/** A resource that wants to hold a domain. */
export interface Claimant {
  readonly organisation: string;
  readonly claim: Claim;
  /** A create may add its claim; an update must not have lost it to a later create. */
  readonly mayClaim: boolean;
}

/** Who holds something. */
interface Holding {
  readonly organisation: string;
  /** Until when, ISO 8601, UTC, where it was given up. @default without an end */
  readonly until?: string | undefined;
}

export interface HeldDomain extends Holding {
  readonly domain: string;
}

export interface HeldIdentity extends Holding {
  readonly identity: SendingIdentity;
}

/**
 * The holder of a domain's record once this resource has claimed it: a claim of the same resource gives way,
 * those of others of its organisation stay.
 *
 * @throws {MailRuleError} `domain-held` where another organisation holds it, `claim-lost` where another
 *   resource of the same one does
 */
export function claimDomain(
  record: RouteRecord | undefined,
  claimant: Claimant,
  now: Date,
): RouteHolder {
  const { organisation, claim, mayClaim } = claimant;
  if (record === undefined || routeStage(record, now) === "expired") {
    return { organisation, claims: [formatClaim(claim)] };
  }
  const claims = record.holder.claims.map(parseClaim);
  const isOwn = includesClaim(claims, claim);
  if (!isOwn && record.holder.organisation !== organisation) {
    throw new MailRuleError(heldByOther(record.domain));
  }
  if (!isOwn && !mayClaim) throw claimLost(record);
  const standing = isGivenUp(record) ? [] : claims;
  return { organisation, claims: withClaim(standing, claim).map(formatClaim) };
}

/** Every claim was released, though the last one still stands there. */
function isGivenUp({ leaving, proposed }: RouteRecord): boolean {
  return leaving !== undefined && proposed === undefined;
}

/**
 * By which names the claimant may hold things: its organisation's, and the one that its record has, where
 * its claim proves that it is the same organisation under a new name.
 */
export function namesOf(
  { organisation, claim }: Claimant,
  record: RouteRecord | undefined,
): string[] {
  const isOwn = record?.holder.claims.includes(formatClaim(claim)) === true;
  return isOwn ? [organisation, record.holder.organisation] : [organisation];
}

/** What becomes of a domain when a resource of it is deleted. */
export type ClaimRelease =
  /** The resource does not hold it (any more): nothing changes. */
  | { readonly kind: "not-held" }
  /** Others hold it still. */
  | { readonly kind: "kept"; readonly holder: RouteHolder }
  /** Nobody else does: the route is given up. The claim stays, so that the same delete can be run again. */
  | { readonly kind: "last" };

export function releaseClaim(record: RouteRecord | undefined, claim: Claim): ClaimRelease {
  const { organisation, claims = [] } = record?.holder ?? { organisation: "" };
  const left = claims.filter((other) => other !== formatClaim(claim));
  if (left.length === claims.length) return { kind: "not-held" };
  return left.length === 0
    ? { kind: "last" }
    : { kind: "kept", holder: { organisation, claims: left } };
}

/**
 * Why a domain may not be held; `undefined`: it may.
 *
 * @param names of the claimant, as `namesOf` gives them
 * @param held what is held below the same registrable domain, expired holders included
 */
export function claimFault(
  domain: string,
  names: readonly string[],
  held: readonly HeldDomain[],
  now: Date,
): MailRuleFault | undefined {
  const others = held.filter((holding) => isOthers(holding, names, now));
  if (others.some((other) => other.domain === domain)) return heldByOther(domain);
  if (others.some((other) => isWithin(domain, other.domain))) {
    return relativeHeld(domain, "A domain above", "whose mail it would be");
  }
  if (others.some((other) => isWithin(other.domain, domain))) {
    return relativeHeld(domain, "A domain below", "which belongs to the same owner in DNS");
  }
  return undefined;
}

/** Why an identity may not be held; `undefined`: it may. `held`: what is held in the same block. */
export function identityClaimFault(
  identity: SendingIdentity,
  names: readonly string[],
  held: readonly HeldIdentity[],
  now: Date,
): MailRuleFault | undefined {
  const isTaken = held.some(
    (other) => isOthers(other, names, now) && identitiesOverlap(identity, other.identity),
  );
  if (!isTaken) return undefined;
  const value = formatSendingIdentity(identity);
  return {
    code: "identity-held",
    value,
    problem: `${JSON.stringify(value)} overlaps with a sending identity of another organisation: each could send as the other.`,
    fix: "Name only what is the organisation's own. If it is, ask whoever runs the gateway.",
  };
}

function isOthers({ organisation, until }: Holding, names: readonly string[], now: Date): boolean {
  return !names.includes(organisation) && (until === undefined || new Date(until) > now);
}

/** It does not say who: that is told within an organisation only. */
function heldByOther(domain: string): MailRuleFault {
  return {
    code: "domain-held",
    value: domain,
    problem: `Another organisation holds ${domain} at this gateway.`,
    fix: "Let it give the domain up first (pulumi destroy, or remove it from that stack), or ask whoever runs the gateway.",
  };
}

function relativeHeld(domain: string, which: string, why: string): MailRuleFault {
  return {
    code: "domain-relative-held",
    value: domain,
    problem: `${which} ${domain} is held by another organisation at this gateway, ${why}.`,
    fix: "Write both domains into one organisation's stack, or ask whoever runs the gateway.",
  };
}

function claimLost({ domain, holder }: RouteRecord): MailRuleError {
  const names = holder.claims.join(", ");
  return new MailRuleError({
    code: "claim-lost",
    value: names,
    problem: `Another resource of "${holder.organisation}" has taken the route of ${domain} over since (claims ${names}).`,
    fix: "Nothing was changed here; keep the domain in one stack only.",
  });
}
