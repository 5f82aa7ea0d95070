/**
 * Looks at every domain of a stack: those of its file, of its state, and of calls that were cut short.
 *
 * Three-valued: what could not be read is unknown, and never counts as clean.
 */
import { readTenantConfig } from "../config/read-tenant.ts";
import { ConfigurationError } from "../config/stack-configuration.ts";
import type { DomainConfig, TenantConfig } from "../config/tenant.ts";
import { MailRuleError } from "../mail/errors.ts";
import { asZoneMx } from "../mail/manual-mx.ts";
import { unanswered } from "../provider/dns.ts";
import { type DomainAddress, LiveDomain, readJournal, readMx } from "../provider/live-domain.ts";
import { withRouteStore } from "../provider/open-route-store.ts";
import { PublicDomain, servedMx } from "../provider/public-domain.ts";
import type { StorePlace } from "../provider/route-schema.ts";
import { isSameStore } from "../provider/route-state.ts";
import type { Settings } from "../provider/settings.ts";
import { commandCaller } from "./command-caller.ts";
import { type Finding, findAtDomain, findAtManualDomain, findInState } from "./find-leftovers.ts";
import { readConfiguration, readLocks, readState, type StackState } from "./stack.ts";

export type Status = "clean" | "found" | "unknown";

export interface DomainReport {
  readonly domain: string;
  readonly status: Status;
  readonly findings: readonly Finding[];
  /** Why the domain could not be read. */
  readonly problem?: string;
}

export interface StackReport {
  readonly stack: string;
  /** `unknown` as soon as anything could not be read: then the rest is not the whole. */
  readonly status: Status;
  readonly findings: readonly Finding[];
  /** Why the stack's file could not be read. */
  readonly problem?: string;
  readonly domains: readonly DomainReport[];
  readonly mend: Mend;
}

/** Commands, in the order in which to run them. Both are empty where no command is needed. */
export interface Mend {
  /** The domains stay with the gateway. */
  readonly stay: readonly string[];
  /** They leave it. */
  readonly leave: readonly string[];
}

/** @throws MailRuleError `stack-unreadable`, SettingsError */
export async function inspectStack(stack: string): Promise<StackReport> {
  const state = await readState(stack);
  const { configuration, settings } = await readConfiguration(stack);
  const locks = await readLocks(stack);
  const file = await readTenantConfig(configuration).catch(asConfigurationError);
  const config = file instanceof ConfigurationError ? undefined : file;
  const findings = findInState(state, locks);
  const domains: DomainReport[] = [];
  for (const address of addressesOf(config, state)) {
    domains.push(await inspectDomain(address, settings, config, state));
  }
  const all = [...findings, ...domains.flatMap((domain) => domain.findings)];
  const unread =
    file instanceof ConfigurationError || domains.some(({ status }) => status === "unknown");
  return {
    stack,
    status: unread ? "unknown" : statusOf(all),
    findings,
    ...(file instanceof ConfigurationError && { problem: file.message }),
    domains,
    mend: planMend(stack, all, state),
  };
}

/** The faults of a stack's file are told, and stop nothing else. */
export function asConfigurationError(error: unknown): ConfigurationError {
  if (error instanceof ConfigurationError) return error;
  throw error;
}

interface Address extends DomainAddress {
  /** @default "cloudflare" */
  readonly dns?: DomainConfig["dns"];
}

/** The file knows best where a domain is; the state knows those that the file no longer has. */
function addressesOf(config: TenantConfig | undefined, state: StackState): Address[] {
  const addresses = new Map<string, Address>();
  for (const { domain } of state.pending)
    if (domain !== undefined) addresses.set(domain, { domain });
  for (const { outputs } of state.routes) {
    addresses.set(outputs.domain, { domain: outputs.domain });
  }
  for (const { outputs } of [...state.takeovers, ...state.spfIncludes]) {
    addresses.set(outputs.domain, outputs);
  }
  for (const { name, dns, zoneId, credential } of config?.domains ?? []) {
    addresses.set(name, { domain: name, dns, zoneId, credential });
  }
  return [...addresses.values()].toSorted((a, b) => (a.domain < b.domain ? -1 : 1));
}

async function inspectDomain(
  address: Address,
  settings: Settings,
  config: TenantConfig | undefined,
  { takeovers, spfIncludes, routes, pending }: StackState,
): Promise<DomainReport> {
  const { domain } = address;
  try {
    const own = routes.filter(({ outputs }) => outputs.domain === domain);
    const known = {
      domain,
      inFile: config?.domains.some(({ name }) => name === domain) ?? true,
      organisation: config?.organisation,
      gatewayMx: config?.gateway.mx ?? [],
      takeovers: takeovers.filter(({ outputs }) => outputs.domain === domain),
      spfIncludes: spfIncludes.filter(({ outputs }) => outputs.domain === domain),
      routes: own,
      ...(await readRecords(domain, config?.gateway.routeStore, own[0]?.outputs.store)),
      pending,
    };
    const findings =
      address.dns === "manual"
        ? findAtManualDomain({ ...known, presentMx: await servedMxOf(settings, domain) })
        : findAtDomain({ ...known, ...(await readZone(settings, address)) });
    return { domain, status: statusOf(findings), findings };
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    return { domain, status: "unknown", findings: [], problem };
  }
}

async function readZone(settings: Settings, address: DomainAddress) {
  const live = await LiveDomain.open(commandCaller(settings), address);
  const view = await live.observe();
  return { presentMx: readMx(view), journal: orDamage(() => readJournal(view)) };
}

/** What public DNS has: nobody needs to write anything there. */
async function servedMxOf(settings: Settings, domain: string) {
  const live = await PublicDomain.find(settings, domain);
  const [first] = await live.askNameServers("MX");
  const served = first && servedMx(first);
  if (served === undefined) throw unanswered(domain, "MX", first?.answer.status ?? "timeout");
  return asZoneMx(served);
}

type Place = Omit<StorePlace, "keyId">;

/** At the gateway of the state, and at that of the file where the domain is to move. */
async function readRecords(domain: string, inFile: Place | undefined, inState: Place | undefined) {
  const record = await readRecord(domain, inState ?? inFile);
  const isMove = inFile && inState && !isSameStore(inFile, inState);
  return isMove ? { record, nextRecord: await readRecord(domain, inFile) } : { record };
}

async function readRecord(domain: string, place: Place | undefined) {
  if (place === undefined) return undefined;
  const { table, region, secretPrefix } = place;
  const store = { table, region, secretPrefix };
  return (await withRouteStore(store, (opened) => opened.readDomain(domain))).record;
}

/** A journal that was read and makes no sense is a finding, not a failure to read. */
export function orDamage<T>(read: () => T): T | MailRuleError {
  try {
    return read();
  } catch (error) {
    if (error instanceof MailRuleError) return error;
    throw error;
  }
}

function statusOf(findings: readonly Finding[]): Status {
  return findings.length === 0 ? "clean" : "found";
}

/**
 * What the engine does after each kind of crash was measured: `cancel` frees the lock; a pending create
 * stays in the state for ever unless it is cleared; after a killed update or delete `up` may say
 * "unchanged" unless it reads first; `destroy` does not see what the state does not have.
 */
function planMend(stack: string, findings: readonly Finding[], { pending }: StackState): Mend {
  const needs = new Set(findings.map(({ need }) => need));
  needs.delete("person");
  if (needs.size === 0) return { stay: [], leave: [] };
  const of = `--stack ${stack}`;
  const locked = findings.some(
    ({ code }) => code === "stack-locked" || code === "operation-pending",
  );
  const first = [
    ...(locked ? [`pulumi cancel ${of}`] : []),
    ...(pending.some(({ type }) => type === "creating")
      ? [`pulumi refresh --clear-pending-creates ${of}`]
      : []),
  ];
  const up = needs.has("compare") ? `pulumi up --refresh ${of}` : `pulumi up ${of}`;
  return {
    stay: [...first, up],
    leave: [...first, ...(needs.has("adopt") ? [up] : []), `pulumi destroy ${of}`],
  };
}
