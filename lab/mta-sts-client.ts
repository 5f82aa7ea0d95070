/** How a sender finds and keeps MTA-STS policies: RFC 8461 sections 3 and 5.1. */
import { request } from "node:https";
import { text } from "node:stream/consumers";
import { findPolicyId, type MtaStsPolicy, parsePolicy } from "../mail/mta-sts.ts";
import { resolveAddresses, resolveTexts } from "./mail-hosts.ts";

export interface PolicyCacheOptions {
  /** Address of the recursive resolver. */
  readonly resolver: string;
  /** PEM of the authority that signs the certificates of policy hosts. */
  readonly ca: string;
}

export interface PolicyCache {
  /** The policy in force; `undefined` if there is none. A kept one counts until its `max_age` is over. */
  policyOf(domain: string): Promise<MtaStsPolicy | undefined>;
}

interface KeptPolicy {
  readonly id: string;
  readonly policy: MtaStsPolicy;
  /** Milliseconds since the epoch. */
  readonly expires: number;
}

export function createPolicyCache(options: PolicyCacheOptions): PolicyCache {
  const kept = new Map<string, KeptPolicy>();
  return {
    policyOf: async (domain) => {
      const known = kept.get(domain);
      const id = findPolicyId(await resolveTexts(options.resolver, `_mta-sts.${domain}`));
      if (id !== undefined && id !== known?.id) {
        const policy = await fetchPolicy(options, domain);
        if (policy !== undefined) {
          kept.set(domain, { id, policy, expires: Date.now() + policy.maxAge * 1000 });
          return policy;
        }
      }
      return known !== undefined && known.expires > Date.now() ? known.policy : undefined;
    },
  };
}

/** `undefined` where a sender goes on as if there were no policy: no host, no certificate, no policy. */
async function fetchPolicy(
  { resolver, ca }: PolicyCacheOptions,
  domain: string,
): Promise<MtaStsPolicy | undefined> {
  const host = `mta-sts.${domain}`;
  const [address] = await resolveAddresses(resolver, host);
  if (address === undefined) return undefined;
  try {
    return parsePolicy(await fetchText(address, host, ca));
  } catch {
    return undefined;
  }
}

/** Redirects are not followed, as section 3.3 demands. */
function fetchText(address: string, host: string, ca: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const path = "/.well-known/mta-sts.txt";
  request({ host: address, servername: host, headers: { host }, path, ca, agent: false })
    .setTimeout(5000, () => reject(new Error(`No answer from ${host}`)))
    .on("error", reject)
    .on("response", (response) => {
      if (response.statusCode === 200) resolve(text(response));
      else reject(new Error(`${host} answered with status ${response.statusCode}`));
      if (response.statusCode !== 200) response.resume();
    })
    .end();
  return promise;
}
