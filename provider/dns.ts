/**
 * DNS as the provider sees it: through the recursive resolver, and at a zone's own name servers.
 *
 * The only module that speaks DNS.
 */
import { Resolver as NodeResolver } from "node:dns/promises";
import type { DnsAnswer, DnsStatus, DnsType, DnsValue, Resolver } from "../mail/dns.ts";
import { parentNames } from "../mail/domain-name.ts";
import { MailRuleError } from "../mail/errors.ts";

/** One address of a name server that a zone is delegated to. */
export interface NameServer {
  readonly name: string;
  readonly address: string;
}

/** Of one question: asked again after 2 s, and given up after about 6 s. */
const QUERY = { timeout: 2_000, tries: 2, maxTimeout: 4_000 };

/** A resolver that asks these servers, or the system's where none are given. */
export function createResolver(servers?: readonly string[]): Resolver {
  return async <T extends DnsType>(name: string, type: T): Promise<DnsAnswer<T>> => {
    // One for each question: after three fast answers c-ares would wait for 1 s a try, whatever it is told.
    const node = new NodeResolver(QUERY);
    if (servers !== undefined) node.setServers(servers);
    try {
      const records = await lookup[type](node, name);
      return { status: records.length === 0 ? "nodata" : "ok", records };
    } catch (error) {
      return { status: statusOf(error), records: [] };
    }
  };
}

type Lookup = {
  [T in DnsType]: (node: NodeResolver, name: string) => Promise<readonly DnsValue[T][]>;
};

const lookup: Lookup = {
  A: (node, name) => node.resolve4(name),
  AAAA: (node, name) => node.resolve6(name),
  CNAME: async (node, name) => (await node.resolveCname(name)).map(plainName),
  MX: async (node, name) =>
    (await node.resolveMx(name)).map(({ priority, exchange }) => ({
      preference: priority,
      exchange: plainName(exchange),
    })),
  NS: async (node, name) => (await node.resolveNs(name)).map(plainName),
  PTR: async (node, name) => (await node.resolvePtr(name)).map(plainName),
  TXT: async (node, name) => (await node.resolveTxt(name)).map((strings) => strings.join("")),
};

function plainName(name: string): string {
  return name.toLowerCase().replace(/\.$/, "");
}

function statusOf(error: unknown): DnsStatus {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "ENOTFOUND") return "nxdomain";
  if (code === "ENODATA") return "nodata";
  if (code === "ETIMEOUT" || code === "ECONNREFUSED") return "timeout";
  return "servfail";
}

/**
 * The apex of the zone that holds a domain: the closest name above it that has NS records. An alias is
 * no apex, though its answer may hold the NS records of another zone; nor is a top-level domain.
 *
 * @throws MailRuleError `dns-servfail`, `dns-timeout`, `domain-not-delegated`
 */
export async function findApex(resolver: Resolver, domain: string): Promise<string> {
  for (const name of [domain, ...parentNames(domain)].filter((each) => each.includes("."))) {
    const { status } = await resolver(name, "NS");
    if (isFailure(status)) throw unanswered(name, "NS", status);
    if (status !== "ok") continue;
    const alias = await resolver(name, "CNAME");
    if (isFailure(alias.status)) throw unanswered(name, "CNAME", alias.status);
    if (alias.status !== "ok") return name;
  }
  throw new MailRuleError({
    code: "domain-not-delegated",
    problem: `No zone above ${domain} answers in public DNS.`,
    fix: "Register the domain and delegate it to Cloudflare's name servers first, or correct its name.",
    value: domain,
  });
}

/**
 * Every address of every name server that the zone is delegated to; IPv6 only where a server has no IPv4.
 *
 * @throws MailRuleError `dns-servfail`, `dns-timeout`
 */
export async function findNameServers(resolver: Resolver, apex: string): Promise<NameServer[]> {
  const delegated = await resolver(apex, "NS");
  if (delegated.status !== "ok") throw unanswered(apex, "NS", delegated.status);
  const found = await Promise.all(
    delegated.records.map(async (name) => {
      const v4 = await resolver(name, "A");
      if (isFailure(v4.status)) throw unanswered(name, "A", v4.status);
      const { status, records } = v4.status === "ok" ? v4 : await resolver(name, "AAAA");
      if (status !== "ok") throw unanswered(name, "AAAA", status);
      return records.map((address) => ({ name, address }));
    }),
  );
  return found.flat();
}

function isFailure(status: DnsStatus): boolean {
  return status === "servfail" || status === "timeout";
}

/** The error for an answer that proves nothing. Not being told is never "absent". */
export function unanswered(name: string, type: string, status: DnsStatus): MailRuleError {
  const why =
    status === "servfail"
      ? "SERVFAIL: its DNSSEC chain or its name servers are broken, and many senders see the same"
      : `no usable answer (${status})`;
  return new MailRuleError({
    code: status === "timeout" ? "dns-timeout" : "dns-servfail",
    where: `DNS ${type} ${name}`,
    problem: `A resolver got ${why}.`,
    fix: `Look at "dig ${type} ${name}" and mend the zone's DNS, then run the same command again.`,
    value: name,
  });
}
