/**
 * What a wildcard answers for a name that has no records of its own, as public DNS shows it.
 *
 * Below a name that exists, a wildcard above it answers no more (RFC 4592, section 3.3.1). So a name
 * inherits where a made-up name below it gets the wildcard's answer, too.
 */
import { randomBytes } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import type { DnsType, DnsValue } from "../mail/dns.ts";
import { parentNames } from "../mail/domain-name.ts";
import { MailRuleError } from "../mail/errors.ts";
import type { PublicDomain } from "./public-domain.ts";

/** The wildcard's name and records, or `undefined` where the name has records of its own or none. */
export async function inheritedRecords<T extends DnsType>(
  { domain, apex, resolver }: PublicDomain,
  type: T,
): Promise<{ readonly name: string; readonly records: readonly DnsValue[T][] } | undefined> {
  if (domain === apex) return undefined;
  const own = await resolver(domain, type);
  if (own.status !== "ok") return undefined;
  const below = await resolver(`${randomBytes(8).toString("hex")}.${domain}`, type);
  if (!isDeepStrictEqual(sorted(below.records), sorted(own.records))) return undefined;
  for (const parent of parentNames(domain).filter((name) => `.${name}`.endsWith(`.${apex}`))) {
    const name = `*.${parent}`;
    const { records } = await resolver(name, type);
    if (isDeepStrictEqual(sorted(records), sorted(own.records))) return { name, records };
  }
  return undefined;
}

/**
 * A record of the name's own takes all of the wildcard's answers away (RFC 4592, section 2.2.1).
 *
 * @param types the types that must not be lost
 * @throws MailRuleError `wildcard-would-be-hidden`
 */
export async function refuseInherited(
  live: PublicDomain,
  types: readonly DnsType[],
): Promise<void> {
  const asked = types.map(async (type) => ((await inheritedRecords(live, type)) ? [type] : []));
  const inherited = (await Promise.all(asked)).flat();
  if (inherited.length > 0) throw wildcardWouldBeHidden(live.domain, inherited);
}

export function wildcardWouldBeHidden(domain: string, types: readonly DnsType[]): MailRuleError {
  return new MailRuleError({
    code: "wildcard-would-be-hidden",
    where: `DNS of ${domain}`,
    problem: `A wildcard of the zone answers for the name (${types.join(", ")}); a first record of its own would take these answers away (RFC 4592).`,
    fix: `Give ${domain} records of its own first, copies of what the wildcard answers, then run again.`,
    value: domain,
  });
}

function sorted(records: readonly unknown[]): string[] {
  return records.map((record) => JSON.stringify(record)).toSorted();
}
