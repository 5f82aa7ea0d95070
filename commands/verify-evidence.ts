/**
 * Looks at one domain for `verify`: public DNS on every delegated name server, the zone's MX at Cloudflare, the
 * senders' policy, the gateway's route store. Reads only. What cannot be read is said, and stops nothing else.
 */
import { gatewayNames } from "../config/gateway-hosts.ts";
import type { TenantConfig } from "../config/tenant.ts";
import type { Resolver } from "../mail/dns.ts";
import { type Drift, mxDrift, spfDrift } from "../mail/dns-drift.ts";
import { MailRuleError } from "../mail/errors.ts";
import { journalName } from "../mail/journal.ts";
import { findLoop, type Loop } from "../mail/loop.ts";
import { measureBudget, type SpfBudget, SpfSyntaxError, selectSpf } from "../mail/spf/index.ts";
import type { Reading } from "../mail/verify/check.ts";
import { isProof } from "../mail/verify/dns-checks.ts";
import type {
  DomainEvidence,
  NamedMx,
  RouteStanding,
  ServerView,
  TakeoverStanding,
} from "../mail/verify/evidence.ts";
import { CloudflareAccount } from "../provider/cloudflare.ts";
import { createResolver, findApex, findNameServers } from "../provider/dns.ts";
import { type KnownZone, readMx, readTexts } from "../provider/live-domain.ts";
import { readPublishedPolicy } from "../provider/mta-sts.ts";
import type { RequestPaces, Settings } from "../provider/settings.ts";
import { commandCaller } from "./command-caller.ts";
import type { GatewayStores } from "./gateway-stores.ts";
import type { StoredRoute, StoredSpfInclude, StoredTakeover } from "./stack.ts";
import { askGateway } from "./verify-rcpt.ts";

/** A domain, and what the stack's state has of it. */
export interface VerifyTarget {
  readonly domain: string;
  readonly takeover: StoredTakeover | undefined;
  readonly spfInclude: StoredSpfInclude | undefined;
  readonly route: StoredRoute | undefined;
}

export interface VerifyOptions {
  /** Whether the gateway is asked by SMTP, which needs outgoing port 25. @default true */
  readonly smtp?: boolean;
  /** For how long no mail may come in before that is a fault, in hours. @default 72, a long week-end */
  readonly quietHours?: number;
  /** Where many stacks are verified by one process. @default a stack counts its requests by itself */
  readonly requestPaces?: RequestPaces;
}

/** What all domains of a stack share. */
export interface Surroundings {
  /** Its name. */
  readonly stack: string;
  readonly settings: Settings;
  /** `undefined`: the stack's file could not be read. */
  readonly config: TenantConfig | undefined;
  readonly ownDomains: ReadonlySet<string>;
  /** Those whose MX are the gateway's. */
  readonly takenOver: ReadonlySet<string>;
  readonly stores: GatewayStores;
  readonly options: VerifyOptions;
}

const QUIET_HOURS = 72;

/** Never throws for what the world does. */
export async function observeDomain(
  target: VerifyTarget,
  around: Surroundings,
): Promise<DomainEvidence> {
  const { domain, takeover, spfInclude, route } = target;
  const { settings, config, ownDomains, options } = around;
  const resolver = createResolver(settings.resolvers);
  const servers = await reading(() => askServers(resolver, domain));
  const [zoneMx, changes, spfBudget, mtaSts, loop, store, rcpt] = await Promise.all([
    readZoneMx(takeover, settings),
    readChanges(target, settings),
    readBudget(domain, servers, resolver),
    reading(async () => (await readPublishedPolicy(resolver, domain))?.policy),
    readLoop(target, around, resolver),
    readStore(target, around),
    askGateway(target, around, resolver),
  ]);
  return {
    domain,
    now: new Date(),
    inFile: config?.domains.some(({ name }) => name === domain),
    ownDomains,
    ...(takeover && { takeover: takeoverOf(takeover) }),
    ...(spfInclude && { spfTerms: termsOf(spfInclude) }),
    ...(route && { route: routeOf(route) }),
    silenceSeconds: (options.quietHours ?? QUIET_HOURS) * 3_600,
    servers,
    zoneMx,
    ...(changes && { changes }),
    spfBudget,
    mtaSts,
    loop,
    store,
    ...(rcpt && { rcpt }),
  };
}

/** The value, or why there is none. */
export async function reading<T>(read: () => Promise<T>): Promise<Reading<T>> {
  try {
    return { kind: "read", value: await read() };
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    return { kind: "unread", problem };
  }
}

/** A person changes the records: no zone at Cloudflare is known, and no journal lies in DNS. */
export function isByHand({ outputs }: Pick<StoredTakeover | StoredSpfInclude, "outputs">): boolean {
  const zone: KnownZone | undefined = outputs.zone;
  return zone === undefined;
}

function takeoverOf({ outputs, modified }: StoredTakeover): TakeoverStanding {
  const { mx, bypass, before, journal, lockDownSafeFrom } = outputs;
  const since = lockDownSafeFrom ?? modified;
  return {
    mx,
    bypass,
    before,
    former: journal.former,
    revision: journal.revision,
    isJournalled: !isByHand({ outputs }),
    ...(since !== undefined && { since }),
  };
}

function termsOf({ outputs }: StoredSpfInclude): string[] {
  const { include, alsoInclude = [], replacements = [] } = outputs;
  const gateways = include === undefined ? alsoInclude : [include, ...alsoInclude];
  return [...gateways.map((name) => `include:${name}`), ...replacements];
}

function routeOf({ outputs }: StoredRoute): RouteStanding {
  const { server, mxLookup, inbound, outbound, probeRecipient, fixIt } = outputs;
  const { rcptLookup: kind, recipients = [], relayServer, sendingFrom } = outputs;
  const { awaitsSpf, excludeSlots, inactive, formerGateways } = outputs;
  const rcptLookup = kind === "list" ? { kind, recipients } : { kind };
  const shown = { rcptLookup, ...(relayServer && { relayServer }), sendingFrom };
  return {
    route: { server, mxLookup, inbound, outbound, probeRecipient, fixIt, ...shown },
    awaitsSpf,
    excludeSlots,
    inactive,
    former: formerGateways.map(({ store: { table }, mxGoneSince }) => ({
      table,
      ...(mxGoneSince !== undefined && { mxGoneSince }),
    })),
  };
}

/** @throws MailRuleError `dns-servfail`, `dns-timeout`, `domain-not-delegated` */
async function askServers(resolver: Resolver, domain: string): Promise<readonly ServerView[]> {
  const apex = await findApex(resolver, domain);
  const servers = await findNameServers(resolver, apex);
  return Promise.all(
    servers.map(async (server) => {
      const ask = createResolver([server.address]);
      const [mx, texts, journal] = await Promise.all([
        ask(domain, "MX"),
        ask(domain, "TXT"),
        ask(journalName(domain, apex), "TXT"),
      ]);
      return { ...server, mx, texts, journal };
    }),
  );
}

async function readZoneMx(
  takeover: StoredTakeover | undefined,
  settings: Settings,
): Promise<Reading<readonly NamedMx[]>> {
  if (takeover === undefined) return { kind: "skipped", why: "The MX are not the gateway's." };
  const { credential } = takeover.outputs;
  const zone: KnownZone | undefined = takeover.outputs.zone;
  if (zone === undefined) return { kind: "skipped", why: "The zone is not at Cloudflare." };
  return atCloudflare(async () => {
    const records = await new CloudflareAccount(commandCaller(settings), credential).listMx(zone);
    return records.map(({ name, priority, content }) => ({
      name,
      preference: priority,
      exchange: content,
    }));
  });
}

/** What the zone has at the domain, compared with what the last run has left there. */
async function readChanges(
  { domain, takeover, spfInclude }: VerifyTarget,
  settings: Settings,
): Promise<Reading<readonly Drift[]> | undefined> {
  const { credential } = (takeover ?? spfInclude)?.outputs ?? {};
  const zone: KnownZone | undefined = (takeover ?? spfInclude)?.outputs.zone;
  if (zone === undefined) return undefined;
  return atCloudflare(async () => {
    const account = new CloudflareAccount(commandCaller(settings), credential);
    const records = (await account.listDomain(zone, domain)).filter(({ name }) => name === domain);
    const present = readMx({ records, journal: [] });
    const texts = readTexts({ records, journal: [] });
    const mx = takeover && mxDrift(domain, takeover.outputs.after, present);
    const spf =
      spfInclude &&
      spfDrift(domain, { expected: spfInclude.outputs.after, terms: termsOf(spfInclude) }, texts);
    return [mx, spf].filter((drift) => drift !== undefined);
  });
}

async function atCloudflare<T>(read: () => Promise<T>): Promise<Reading<T>> {
  try {
    return { kind: "read", value: await read() };
  } catch (error) {
    const isMissing = error instanceof MailRuleError && error.code === "token-missing";
    if (isMissing) return { kind: "skipped", why: `Not looked at: ${error.problem}` };
    return reading(() => Promise.reject(error));
  }
}

async function readBudget(
  domain: string,
  servers: Reading<readonly ServerView[]>,
  resolver: Resolver,
): Promise<Reading<SpfBudget>> {
  if (servers.kind !== "read") return servers;
  const answered = servers.value.find(({ texts }) => isProof(texts));
  const spf = selectSpf(answered?.texts.records ?? []);
  const skipped = { kind: "skipped", why: "There is no one SPF record to measure." } as const;
  if (spf.status !== "one") return skipped;
  try {
    return { kind: "read", value: await measureBudget({ domain, record: spf.record, resolver }) };
  } catch (error) {
    if (error instanceof SpfSyntaxError) return skipped;
    throw error;
  }
}

function readLoop(
  { takeover, route }: VerifyTarget,
  { config, takenOver }: Surroundings,
  resolver: Resolver,
): Promise<Reading<Loop | undefined>> {
  const { server, mxLookup } = route?.outputs ??
    takeover?.outputs ?? { server: "", mxLookup: false };
  // After an import the state does not know it.
  if (server === "") {
    return Promise.resolve({ kind: "skipped", why: "The state does not know the Server." });
  }
  const hosts = [
    ...(route?.outputs.gatewayHosts ?? []),
    ...(takeover?.outputs.mx ?? []).map(({ exchange }) => exchange),
    ...(config === undefined ? [] : gatewayNames(config.gateway)),
  ];
  const gatewayHosts = [...new Set(hosts)];
  const takenOverDomains = [...takenOver];
  return reading(() => findLoop({ server, gatewayHosts, takenOverDomains, mxLookup, resolver }));
}

/** The state knows where its route is; a domain that has none may be at the gateway of the file. */
function readStore({ domain, route }: VerifyTarget, { config, stores }: Surroundings) {
  const place = route?.outputs.store ?? config?.gateway.routeStore;
  if (place !== undefined) return stores.readDomain(place, domain);
  const why =
    "The gateway keeps its routes elsewhere: only what can be seen from outside is checked.";
  return Promise.resolve({ kind: "skipped", why } as const);
}
