/**
 * What a takeover and a hand-back are decided from, what a step is, and the refusals they share.
 */
import type { MxRecord } from "./dns.ts";
import { MailRuleError } from "./errors.ts";
import {
  type Claim,
  type FormerMx,
  formatClaim,
  includesClaim,
  type MxJournal,
  withClaim,
} from "./journal.ts";
import { formatMxSet, sameMxSet, type ZoneMx } from "./mx.ts";

/** What a domain's zone holds. */
export interface MxWorld {
  readonly domain: string;
  readonly present: readonly ZoneMx[];
  readonly journal?: MxJournal | undefined;
  /**
   * The wildcard whose MX answer for the domain while it has no MX of its own. Absent where another
   * record stands at the name, since that hides the wildcard (RFC 4592, section 2.2.1).
   */
  readonly inherited?: { readonly name: string; readonly mx: readonly FormerMx[] } | undefined;
}

/** What the state remembers of the journal. It must not contradict it. */
export interface JournalCopy {
  readonly former: readonly FormerMx[];
  readonly revision: number;
  readonly server: string;
  readonly inherited?: string | undefined;
}

/** What a resource wants of a domain's MX. */
export interface MxGoal {
  /** The organisation. */
  readonly holder: string;
  readonly claim: Claim;
  /** A create may add its claim to the same organisation's journal; an update must have it already. */
  readonly mayClaim: boolean;
  /** The gateway's MX. Not empty. */
  readonly wanted: readonly MxRecord[];
  /** The gateway's MX of before. */
  readonly known: readonly MxRecord[];
  /** Fingerprint of the domain's Server. */
  readonly server: string;
  readonly handBackTo?: readonly MxRecord[] | undefined;
  readonly copy?: JournalCopy | undefined;
}

/** One transaction. */
export interface MxStep {
  /** In words: what it does. */
  readonly what: string;
  /**
   * What must hold before: nothing; the present RRset is served by every name server; or that, and
   * it has been so for the overlap. A step that changes or removes an MX is never `at-once`, since the
   * zone is to be read again right before.
   */
  readonly after: "at-once" | "served" | "overlap";
  readonly add: readonly FormerMx[];
  /**
   * One record becomes another without a moment in between, with exactly this comment and these tags:
   * where `to` has none, those of before go.
   */
  readonly patch: readonly { readonly id: string; readonly to: FormerMx }[];
  readonly remove: readonly ZoneMx[];
  /** The journal after the step; `"removed"`, or absent where it stays. */
  readonly journal?: MxJournal | "removed";
  /** Nothing follows. */
  readonly last?: boolean;
}

/** The MX that senders find: the domain's own or, where it has none, the wildcard's. */
export function answeringMx({ present, inherited }: MxWorld): readonly FormerMx[] {
  return present.length > 0 ? present : (inherited?.mx ?? []);
}

export function journalStep(what: string, journal: MxJournal): MxStep {
  return { what, after: "at-once", add: [], patch: [], remove: [], journal };
}

/**
 * The step by which a create adds its claim, or an organisation that was renamed its new name.
 *
 * @throws MailRuleError `claim-lost` for anyone else without a claim
 */
export function claimDomain(domain: string, journal: MxJournal, goal: MxGoal): MxStep | undefined {
  const { holder } = goal;
  if (includesClaim(journal.claims, goal.claim)) {
    if (journal.holder === holder) return undefined;
    return journalStep(`write the organisation's new name, ${holder}`, { ...journal, holder });
  }
  if (!goal.mayClaim) throw claimLost(domain, journal);
  const claims = withClaim(journal.claims, goal.claim);
  return journalStep(`claim ${domain} for this resource`, { ...journal, claims });
}

/** Whether a refusal only says that the domain is not (or no longer) this resource's to hand back. */
export function isNotHeld(error: unknown): error is MailRuleError {
  return (
    error instanceof MailRuleError && (error.code === "other-holder" || error.code === "claim-lost")
  );
}

/** A claim proves more than a name: whoever has it holds the domain, under whatever name by now. */
export function refuseOtherHolder(domain: string, journal: MxJournal, goal: MxGoal): void {
  if (journal.holder === goal.holder || includesClaim(journal.claims, goal.claim)) return;
  throw new MailRuleError({
    code: "other-holder",
    where: `MX of ${domain}`,
    problem: `The journal in DNS says that the organisation "${journal.holder}" holds the domain, not "${goal.holder}".`,
    fix: `Let "${journal.holder}" hand the domain back first (pulumi destroy, or remove it from that stack).`,
    value: journal.holder,
  });
}

export function formerUnknown(domain: string): MailRuleError {
  return new MailRuleError({
    code: "former-mx-unknown",
    where: `MX of ${domain}`,
    problem:
      "The MX are the gateway's already, and neither DNS nor the state says what they were before.",
    fix: "Give handBackTo: the MX records to put back when the domain leaves the gateway.",
  });
}

function claimLost(domain: string, journal: MxJournal): MailRuleError {
  const claims = journal.claims.map(formatClaim);
  return new MailRuleError({
    code: "claim-lost",
    where: `MX of ${domain}`,
    problem: `Another resource of "${journal.holder}" has taken the domain over since (claims ${claims.join(", ")}).`,
    fix: "Nothing was changed here; keep the domain in one stack only.",
    value: claims.join(","),
  });
}

/** The journal and its copy must agree, unless the journal is the newer one or neither is needed. */
export function refuseContradiction(domain: string, journal: MxJournal, goal: MxGoal): void {
  const { copy, handBackTo } = goal;
  if (handBackTo !== undefined || copy === undefined || copy.revision < journal.revision) return;
  if (copy.revision === journal.revision && sameMxSet(copy.former, journal.former)) return;
  throw new MailRuleError({
    code: "journal-contradicts-state",
    where: `MX of ${domain}`,
    problem: `The journal in DNS says that the former MX were ${formatMxSet(journal.former)} (revision ${journal.revision}); the state says ${formatMxSet(copy.former)} (revision ${copy.revision}).`,
    fix: "Find out which is right and give it as handBackTo, or correct the TXT records under _mxhero.",
  });
}
