/** What the public sees of a mail domain: the way of a message, and its records. */
import { isWithin } from "../../mail/domain-name.ts";
import { journalName, parseJournal } from "../../mail/journal.ts";
import { formatMxSet } from "../../mail/mx.ts";
import { checkHost, type SpfResult, selectSpf } from "../../mail/spf/index.ts";
import { createResolver } from "../../provider/dns.ts";
import type { Journey, World } from "../world.ts";

export interface DomainView {
  readonly domain: string;
  /** Of a message that was sent for this. */
  readonly journey: Journey;
  /** As every name server answers. */
  readonly mx: string;
  readonly spf: string;
  /** What the journal says is to be put back, and where it says so; `undefined` without journal. */
  readonly journal: { readonly name: string; readonly former: string } | undefined;
  /** What a receiver makes of mail of the domain that the gateway sends. */
  readonly sentByGateway: SpfResult;
}

/** The example world's mail domains, in A-labels. */
export function mailDomains({ mailSystems }: World): string[] {
  return [...new Set([...mailSystems.values()].flatMap(({ domains }) => domains))];
}

/** @throws if the name servers do not agree */
export async function viewDomain(world: World, domain: string): Promise<DomainView> {
  const servers = world.dns.nameServers.map(({ address }) => address);
  const answers = await Promise.all(servers.map((server) => askServer(world, domain, server)));
  const [first, ...others] = answers;
  if (first === undefined) throw new Error("The world has no name servers");
  const odd = others.find((other) => JSON.stringify(other) !== JSON.stringify(first));
  if (odd !== undefined) {
    throw new Error(`The name servers do not agree on ${domain}: ${JSON.stringify([first, odd])}`);
  }
  const journey = await world.mailPath(domain);
  return { domain, journey, ...first, sentByGateway: await checkGateway(world, domain) };
}

async function askServer({ zoneIds }: World, domain: string, server: string) {
  const ask = createResolver([server]);
  const apex = [...zoneIds.keys()].find((zone) => isWithin(domain, zone)) ?? domain;
  const name = journalName(domain, apex);
  const [mx, txt, texts] = await Promise.all([
    ask(domain, "MX"),
    ask(domain, "TXT"),
    ask(name, "TXT"),
  ]);
  const spf = selectSpf(txt.records);
  const { mx: journal } = parseJournal(texts.records.map((text) => ({ id: text, text })));
  return {
    mx: formatMxSet(mx.records),
    spf: spf.status === "one" ? spf.record : spf.status,
    journal: journal && { name, former: formatMxSet(journal.former) },
  };
}

/** Mail leaves from the addresses of the outbound endpoint; before the gateway exists, from nowhere. */
async function checkGateway({ dns }: World, domain: string): Promise<SpfResult> {
  const resolver = createResolver([dns.resolver]);
  const [ip] = (await resolver("smtp-relay.gateway.test", "A")).records;
  if (ip === undefined) return "none";
  const { result } = await checkHost({ ip, domain, sender: `postmaster@${domain}`, resolver });
  return result;
}
