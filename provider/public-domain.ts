/** A domain as public DNS has it: through the resolver, and on every name server that its zone is delegated to. */
import type { DnsAnswer, DnsType, MxRecord, Resolver } from "../mail/dns.ts";
import { MailRuleError } from "../mail/errors.ts";
import { createResolver, findApex, findNameServers, type NameServer } from "./dns.ts";
import type { Settings } from "./settings.ts";

export interface ServerAnswer<T extends DnsType> {
  readonly server: NameServer;
  readonly answer: DnsAnswer<T>;
}

export class PublicDomain {
  readonly domain: string;
  /** The apex of the zone that holds the domain. */
  readonly apex: string;
  readonly resolver: Resolver;
  #nameServers: Promise<NameServer[]> | undefined;

  protected constructor(domain: string, apex: string, resolver: Resolver) {
    this.domain = domain;
    this.apex = apex;
    this.resolver = resolver;
  }

  /**
   * Finds the zone in public DNS, with no account anywhere.
   *
   * @throws MailRuleError `dns-servfail`, `dns-timeout`, `domain-not-delegated`
   */
  static async find({ resolvers }: Settings, domain: string): Promise<PublicDomain> {
    const resolver = createResolver(resolvers);
    return new PublicDomain(domain, await findApex(resolver, domain), resolver);
  }

  /** Every address of every name server that the zone is delegated to. */
  nameServers(): Promise<NameServer[]> {
    this.#nameServers ??= findNameServers(this.resolver, this.apex);
    return this.#nameServers;
  }

  /** What every delegated name server answers for an RRset of the domain, now. */
  async askNameServers<T extends DnsType>(type: T): Promise<ServerAnswer<T>[]> {
    const servers = await this.nameServers();
    return Promise.all(
      servers.map(async (server) => ({
        server,
        answer: await createResolver([server.address])(this.domain, type),
      })),
    );
  }
}

/** What an answer proves; `undefined` where it proves nothing. */
export function proven<T extends DnsType>({ answer }: ServerAnswer<T>) {
  return ["ok", "nodata", "nxdomain"].includes(answer.status) ? answer.records : undefined;
}

export function servedMx(answer: ServerAnswer<"MX">): readonly MxRecord[] | undefined {
  return proven(answer);
}

/** @throws MailRuleError `cname-at-domain` */
export async function refuseAlias({ domain, resolver }: PublicDomain): Promise<void> {
  const alias = await resolver(domain, "CNAME");
  if (alias.status === "ok") throw cnameAtDomain(domain, alias.records[0] ?? "");
}

export function cnameAtDomain(domain: string, target: string): MailRuleError {
  return new MailRuleError({
    code: "cname-at-domain",
    where: `DNS of ${domain}`,
    problem: `The name is a CNAME (to ${target}), and a CNAME can have no MX or TXT beside it.`,
    fix: "Onboard the domain that it points to, or replace the CNAME by records of its own.",
    value: target,
  });
}
