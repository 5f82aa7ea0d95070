/** Fetches a domain's MTA-STS policy (RFC 8461), and refuses MX that it does not admit. */
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { get } from "node:https";
import type { LookupFunction } from "node:net";
import type { Resolver } from "../mail/dns.ts";
import { MailRuleError } from "../mail/errors.ts";
import { findPolicyId, type MtaStsPolicy, notAdmitted, parsePolicy } from "../mail/mta-sts.ts";
import { unanswered } from "./dns.ts";

const TIMEOUT_MS = 10_000;
/** RFC 8461, section 3.3 suggests 64 KB as a limit. */
const SIZE_LIMIT = 65_536;

/** A policy as senders find it. */
export interface PublishedPolicy {
  /** Of the TXT record that announces it. */
  readonly id: string;
  readonly policy: MtaStsPolicy;
}

/**
 * The policy of a domain; `undefined` where senders see none.
 *
 * @throws MailRuleError `mta-sts-unreadable` where there is a policy that can't be read, and
 *   `mta-sts-policy` where it is none; `dns-servfail`, `dns-timeout`
 */
export async function readPublishedPolicy(
  resolver: Resolver,
  domain: string,
): Promise<PublishedPolicy | undefined> {
  const name = `_mta-sts.${domain}`;
  const { status, records } = await resolver(name, "TXT");
  if (status === "servfail" || status === "timeout") throw unanswered(name, "TXT", status);
  const id = findPolicyId(records);
  if (id === undefined) return undefined;
  return { id, policy: readPolicy(domain, await fetchPolicy(resolver, domain)) };
}

/**
 * @throws MailRuleError `mta-sts-not-admitted` where an enforced policy names none of the patterns that
 *   an exchange matches; and as `readPublishedPolicy`
 */
export async function refuseNotAdmitted(
  resolver: Resolver,
  domain: string,
  exchanges: readonly string[],
): Promise<void> {
  const published = await readPublishedPolicy(resolver, domain);
  if (published === undefined) return;
  const { id, policy } = published;
  const refused = notAdmitted(policy, exchanges);
  if (policy.mode !== "enforce" || refused.length === 0) return;
  const lines = refused.map((exchange) => `"mx: ${exchange}"`).join(", ");
  throw new MailRuleError({
    code: "mta-sts-not-admitted",
    where: `MTA-STS policy of ${domain}`,
    problem: `Its mode is enforce and it does not admit ${refused.join(", ")} (it admits ${policy.mx.join(", ")}): Google, Microsoft and others would refuse to deliver.`,
    fix: `Add ${lines} to https://mta-sts.${domain}/.well-known/mta-sts.txt beside the present hosts, change the id in the TXT record _mta-sts.${domain} (now ${id}), wait max_age (${policy.maxAge} s) if you can, then run again.`,
    value: refused.join(", "),
  });
}

function readPolicy(domain: string, text: string): MtaStsPolicy {
  try {
    return parsePolicy(text);
  } catch (error) {
    throw error instanceof MailRuleError ? error.at(`MTA-STS policy of ${domain}`) : error;
  }
}

/** Redirects are not followed (section 3.3). */
async function fetchPolicy(resolver: Resolver, domain: string): Promise<string> {
  const url = `https://mta-sts.${domain}/.well-known/mta-sts.txt`;
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  try {
    const request = get(url, { lookup: lookupWith(resolver), signal });
    const [response]: IncomingMessage[] = await once(request, "response");
    if (response === undefined || response.statusCode !== 200) {
      request.destroy();
      throw new Error(`HTTP ${response?.statusCode}`);
    }
    return await readText(response);
  } catch (error) {
    const late = signal.aborted ? new Error(`no answer in ${TIMEOUT_MS / 1000} s`) : error;
    throw unreadable(domain, url, late);
  }
}

async function readText(response: IncomingMessage): Promise<string> {
  let text = "";
  response.setEncoding("utf8");
  for await (const chunk of response) {
    text += String(chunk);
    if (text.length > SIZE_LIMIT) throw new Error("more than 64 KB");
  }
  return text;
}

/** Host names are looked up where all DNS of the provider is. */
function lookupWith(resolver: Resolver): LookupFunction {
  return (host, _options, callback) => {
    void Promise.all([resolver(host, "A"), resolver(host, "AAAA")]).then(([v4, v6]) => {
      const found = [
        ...v4.records.map((address) => ({ address, family: 4 })),
        ...v6.records.map((address) => ({ address, family: 6 })),
      ];
      if (found.length > 0) callback(null, found);
      else callback(new Error(`${host} has no address (${v4.status})`), []);
    });
  };
}

function unreadable(domain: string, url: string, cause: unknown): MailRuleError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new MailRuleError({
    code: "mta-sts-unreadable",
    where: `MTA-STS policy of ${domain}`,
    problem: `The TXT record _mta-sts.${domain} announces a policy, but ${url} can't be read: ${why}.`,
    fix: "Senders may hold an older policy that refuses new MX: mend the policy's host, or remove the TXT record and wait max_age, then run again.",
    value: url,
    cause,
  });
}
