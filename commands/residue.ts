/**
 * What still mentions a domain: in DNS, as its delegated name servers answer, and in the store of a gateway. Reads
 * only, and needs no stack of the domain: that is usually gone by then.
 */
import { type Gateway, gatewayNames } from "../config/gateway-hosts.ts";
import { readGateway } from "../config/tenant-gateway.ts";
import type { DnsType, DnsValue } from "../mail/dns.ts";
import { parseTenantDomain } from "../mail/domain-name.ts";
import { MailRuleError } from "../mail/errors.ts";
import { isJournalText, journalName } from "../mail/journal.ts";
import { createResolver, findApex, findNameServers, unanswered } from "../provider/dns.ts";
import { withRouteStore } from "../provider/open-route-store.ts";
import { readSettings, type Settings } from "../provider/settings.ts";
import { readOutputs } from "./stack.ts";

/** Something that mentions the domain. */
export interface Trace {
  readonly place: "DNS" | "route store";
  readonly text: string;
  /** When it deletes itself, ISO 8601, UTC; absent: it stays. */
  readonly ends?: string;
}

export interface ResidueOptions {
  /** @default it is asked of the route store, where that still knows who holds the domain */
  readonly organisation?: string | undefined;
  /** The gateway's stack, e.g. `organization/mail/gateway`. Without it only the journal is looked for. */
  readonly gateway?: string | undefined;
}

/**
 * @throws MailRuleError where something cannot be read: then nothing is said at all
 * @throws SettingsError
 */
export async function findResidue(name: string, options: ResidueOptions): Promise<Trace[]> {
  const domain = parseTenantDomain(name);
  const gateway = options.gateway === undefined ? undefined : await openGateway(options.gateway);
  const inDns = await dnsTraces(readSettings({}), domain, gateway);
  if (gateway?.routeStore === undefined) return inDns;
  const { table, region, secretPrefix } = gateway.routeStore;
  const stored = await withRouteStore({ table, region, secretPrefix }, (store) =>
    store.traces(domain, options.organisation),
  );
  const inStore = stored.map(({ text, ends }): Trace => {
    return { place: "route store", text, ...(ends !== undefined && { ends }) };
  });
  return [...inDns, ...inStore];
}

async function openGateway(stack: string): Promise<Gateway> {
  const { faults, parse } = await readGateway({ stack }, readOutputs);
  const [fault] = faults;
  if (fault !== undefined) throw new MailRuleError(fault);
  return parse();
}

/** The union of what the name servers answer. */
async function dnsTraces(settings: Settings, domain: string, gateway: Gateway | undefined) {
  const resolver = createResolver(settings.resolvers);
  const apex = await findApex(resolver, domain);
  const servers = await findNameServers(resolver, apex);
  const journal = journalName(domain, apex);
  const hosts = new Set(gateway === undefined ? [] : gatewayNames(gateway));
  const term = gateway?.spfInclude && `include:${gateway.spfInclude}`;
  const texts = servers.map(async ({ address }) => {
    const ask = <T extends DnsType>(name: string, type: T) => askServer(address, name, type);
    const [notes, mx, records] = await Promise.all([
      ask(journal, "TXT"),
      ask(domain, "MX"),
      ask(domain, "TXT"),
    ]);
    const spf = records.filter((text) => term !== undefined && hasTerm(text, term));
    return [
      ...notes.filter(isJournalText).map((text) => `TXT of ${journal}: ${text}`),
      ...mx
        .filter(({ exchange }) => hosts.has(exchange))
        .map(({ preference, exchange }) => `MX of ${domain}: ${preference} ${exchange}`),
      ...spf.map((text) => `TXT of ${domain}: ${text}`),
    ];
  });
  const all = new Set((await Promise.all(texts)).flat());
  return [...all].map((text): Trace => ({ place: "DNS", text }));
}

/** @throws MailRuleError `dns-servfail`, `dns-timeout` */
async function askServer<T extends DnsType>(
  address: string,
  name: string,
  type: T,
): Promise<readonly DnsValue[T][]> {
  const { status, records } = await createResolver([address])(name, type);
  if (status === "servfail" || status === "timeout") throw unanswered(name, type, status);
  return records;
}

/** Also in a record that receivers cannot parse. */
function hasTerm(text: string, term: string): boolean {
  const [version, ...terms] = text.toLowerCase().split(/ +/);
  return version === "v=spf1" && terms.some((one) => one.replace(/^[+?~-]/, "") === term);
}
