/** A resolver that keeps what it was told, as those of senders and receivers do. */
import type { DnsAnswer, DnsType, Resolver } from "../../mail/dns.ts";

interface Kept<T extends DnsType> {
  readonly answer: DnsAnswer<T>;
  /** Milliseconds since the epoch. */
  readonly until: number;
}

type Cache = { readonly [T in DnsType]: Map<string, Kept<T>> };

/**
 * @param milliseconds how long an answer is kept, also that there is nothing; a failure is not kept
 * @param now the clock, milliseconds since the epoch
 */
export function createCachingResolver(
  resolver: Resolver,
  milliseconds: number,
  now: () => number = Date.now,
): Resolver {
  const cache: Cache = {
    A: new Map(),
    AAAA: new Map(),
    CNAME: new Map(),
    MX: new Map(),
    NS: new Map(),
    PTR: new Map(),
    TXT: new Map(),
  };
  return async <T extends DnsType>(name: string, type: T): Promise<DnsAnswer<T>> => {
    const kept: Map<string, Kept<T>> = cache[type];
    const known = kept.get(name);
    if (known !== undefined && known.until > now()) return known.answer;
    const asked = now();
    const answer = await resolver(name, type);
    const failed = answer.status === "servfail" || answer.status === "timeout";
    if (!failed) kept.set(name, { answer, until: asked + milliseconds });
    return answer;
  };
}
