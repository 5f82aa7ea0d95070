/** Refuses a first record at a name that a wildcard answers for: it would take all other answers away. */
import type { DnsType } from "../mail/dns.ts";
import { wildcardWouldBeHidden } from "./inherited.ts";
import type { LiveDomain, View } from "./live-domain.ts";

/**
 * A record of the name's own hides the wildcard for every type (RFC 4592, section 2.2.1).
 *
 * @param types the types that must not be lost
 * @throws MailRuleError `wildcard-would-be-hidden`
 */
export async function refuseHiddenWildcard(
  live: LiveDomain,
  { records }: View,
  types: readonly DnsType[],
): Promise<void> {
  if (records.length > 0) return;
  const asked = types.map(async (type) => {
    const answers = await live.askNameServers(type);
    return answers.some(({ answer }) => answer.status === "ok") ? [type] : [];
  });
  const inherited = (await Promise.all(asked)).flat();
  if (inherited.length === 0) return;
  throw wildcardWouldBeHidden(live.domain, inherited);
}
