/** Opens a domain for create and update. Without a token a preview still says what it can. */
import { MailRuleError } from "../mail/errors.ts";
import { formatNote } from "../mail/preview-note.ts";
import { type DomainAddress, type KnownZone, LiveDomain } from "./live-domain.ts";
import type { Call } from "./resource.ts";

/**
 * @param what which records it is about
 * @param plan what would be done, for a preview that can't read them
 * @returns undefined in a preview without a token (a pull request from a fork has none)
 * @throws MailRuleError as `LiveDomain.open` does
 */
export async function openOrSay(
  address: DomainAddress,
  call: Call,
  { what, plan, zone }: { what: string; plan: string; zone?: KnownZone },
): Promise<LiveDomain | undefined> {
  try {
    return await LiveDomain.open(call, address, zone);
  } catch (error) {
    const missing = error instanceof MailRuleError && error.code === "token-missing";
    if (!call.preview || !missing) throw error;
    const unread = `${what} of ${address.domain} not read: ${error.problem} ${error.fix} Planned, but not checked against the zone: ${plan}`;
    call.warn(formatNote("not-read", unread));
    return undefined;
  }
}

/** The zone that the state knows, unless another zone or credential was given since: then it is searched again. */
export function zoneStill(
  old: DomainAddress & { readonly zone?: KnownZone },
  { zoneId, credential }: DomainAddress,
): { readonly zone?: KnownZone } {
  const same = old.zoneId === zoneId && old.credential === credential;
  return same && old.zone !== undefined ? { zone: old.zone } : {};
}
