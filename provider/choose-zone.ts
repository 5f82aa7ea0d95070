/** Which of Cloudflare's zones of a name is the live one. One name may be a zone in several accounts. */
import { isWithin } from "../mail/domain-name.ts";
import { MailRuleError } from "../mail/errors.ts";
import type { CandidateZone, Zone } from "./cloudflare-records.ts";

/** Where public DNS has a domain. */
export interface Delegation {
  /** The apex of the zone that holds the domain. */
  readonly apex: string;
  /** Names of the name servers that the apex is delegated to. */
  readonly nameServers: readonly string[];
}

/**
 * The zone among the candidates that public DNS uses: active, full, with the apex that holds the domain,
 * and delegated to its name servers.
 *
 * @throws MailRuleError `zone-missing`, `zone-not-live`, `domain-outside-zone`
 */
export function chooseZone(
  candidates: readonly CandidateZone[],
  domain: string,
  { apex, nameServers: delegated }: Delegation,
): Zone {
  const inside = candidates.filter(({ name }) => isWithin(domain, name));
  const live = inside.find(
    ({ name, status, type, nameServers }) =>
      name === apex &&
      status === "active" &&
      type === "full" &&
      delegated.every((server) => nameServers.includes(server)),
  );
  if (live !== undefined) return live;
  const [other] = candidates;
  if (other !== undefined && inside.length === 0) {
    throw new MailRuleError({
      code: "domain-outside-zone",
      problem: `The domain ${domain} does not lie in the zone ${other.name} (${other.id}).`,
      fix: `Give the identifier of the zone that holds ${domain}, or leave zoneId out.`,
      value: other.id,
    });
  }
  if (other === undefined) {
    throw new MailRuleError({
      code: "zone-missing",
      problem: `The token sees no zone for ${domain}.`,
      fix: "Give a token that has Zone Read and DNS Write on the zone; for another account name its credential.",
      value: domain,
    });
  }
  const seen = inside.map(
    ({ id, name, status, type, nameServers }) =>
      `${id}: ${name}, ${status}, ${type}, ${nameServers.join(" ")}`,
  );
  throw new MailRuleError({
    code: "zone-not-live",
    problem: `No zone for ${domain} at Cloudflare is the one that public DNS uses (${apex}, delegated to ${delegated.join(" ")}; seen: ${seen.join("; ")}).`,
    fix: "Only an active, full zone that the parent delegates to can be changed: finish its set-up, or use the account that holds the live one.",
    value: domain,
  });
}
