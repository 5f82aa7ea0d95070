/**
 * A mail system that is locked down takes mail from the gateway's addresses only. When that is safe after a
 * takeover, and how it is lifted before a hand-back.
 */
import type { FormerMx } from "./journal.ts";
import type { MailSystemId } from "./mail-system.ts";

/** Cloudflare's "automatic" TTL, in seconds. */
const AUTOMATIC_SECONDS = 300;
/**
 * How long resolvers may remember that there was no MX, in seconds: the longest that RFC 2308 section 5 finds
 * reasonable is 3 hours.
 */
const NEGATIVE_SECONDS = 3 * 3_600;

/**
 * From when a lock-down is safe: the former MX have left every cache that honours their TTL, so that mail
 * comes through the gateway only.
 *
 * @param removed when no name server served them any more
 * @param former with their TTLs in seconds; 1 is "automatic". None: senders went to the domain's own address
 * @returns ISO 8601, UTC
 */
export function lockDownSafeFrom(removed: Date, former: readonly Pick<FormerMx, "ttl">[]): string {
  const longest = longestTtl(former) ?? NEGATIVE_SECONDS;
  return new Date(removed.getTime() + longest * 1_000).toISOString();
}

/** For how long resolvers may remember these MX, in seconds; `undefined` where there are none. */
export function longestTtl(mx: readonly Pick<FormerMx, "ttl">[]): number | undefined {
  if (mx.length === 0) return undefined;
  return Math.max(...mx.map(({ ttl }) => (ttl === 1 ? AUTOMATIC_SECONDS : ttl)));
}

/**
 * How a mail system is opened to all senders again.
 *
 * Microsoft 365: `Set-InboundConnector`, parameters `RestrictDomainsToIPAddresses` and
 * `RestrictDomainsToCertificate` (learn.microsoft.com, Exchange PowerShell reference). Google Workspace:
 * support.google.com/a/answer/60730. Exchange: `Set-ReceiveConnector`, parameter `RemoteIPRanges`.
 */
export function howToLift(system: MailSystemId): string {
  if (system === "microsoft365") {
    return "In Microsoft 365, Exchange admin centre, Mail flow, Connectors: open the inbound connector that rejects mail which does not come from the gateway, and untick that restriction or switch the connector off (Exchange Online PowerShell: Set-InboundConnector <name> -RestrictDomainsToIPAddresses $false -RestrictDomainsToCertificate $false). Look for a mail flow rule that rejects such mail, too.";
  }
  if (system === "google") {
    return 'In the Google Admin console, Apps, Google Workspace, Gmail, Spam, phishing and malware, Inbound gateway: untick "Reject all mail not from gateway IPs".';
  }
  return "Open its firewall for port 25, and its list of clients: on Exchange the receive connector (Set-ReceiveConnector <name> -RemoteIPRanges 0.0.0.0-255.255.255.255), on Postfix smtpd_client_restrictions or mynetworks, on others the host access list.";
}
