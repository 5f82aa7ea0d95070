/**
 * Verifies every domain of a tenant's stack, those of its file and those of its state. Reads only.
 *
 * Apart from printing, so that many stacks can be verified by one program.
 */
import { readTenantConfig } from "../config/read-tenant.ts";
import { ConfigurationError } from "../config/stack-configuration.ts";
import type { TenantConfig } from "../config/tenant.ts";
import type { MxRecord } from "../mail/dns.ts";
import type { ZoneMx } from "../mail/mx.ts";
import { type Check, type CheckStatus, notice, unread, well, wrong } from "../mail/verify/check.ts";
import { isProof, journalOf } from "../mail/verify/dns-checks.ts";
import type { DomainEvidence, ServerView } from "../mail/verify/evidence.ts";
import { checkFleet } from "../mail/verify/gateway-checks.ts";
import { verifyDomain } from "../mail/verify/verify-domain.ts";
import { findAtDomain, findInState } from "./find-leftovers.ts";
import { GatewayStores } from "./gateway-stores.ts";
import { asConfigurationError, orDamage } from "./inspect-stack.ts";
import { readConfiguration, readLocks, readState, type StackState } from "./stack.ts";
import {
  isByHand,
  observeDomain,
  type Surroundings,
  type VerifyOptions,
  type VerifyTarget,
} from "./verify-evidence.ts";

/** The worst of its checks: `unread` before `wrong`, since what could not be read may be worse. */
export type VerifyStatus = Exclude<CheckStatus, "skipped">;

export interface DomainVerdict {
  readonly domain: string;
  readonly status: VerifyStatus;
  readonly checks: readonly Check[];
}

export interface StackVerdict {
  readonly stack: string;
  /** When it was looked at. ISO 8601, UTC. */
  readonly at: string;
  readonly status: VerifyStatus;
  /** Of the stack and its gateway. */
  readonly checks: readonly Check[];
  readonly domains: readonly DomainVerdict[];
}

/** So many domains are looked at at once: each asks some dozens of questions. */
const AT_ONCE = 8;

/** @throws MailRuleError `stack-unreadable`, SettingsError */
export async function verifyStack(
  stack: string,
  options: VerifyOptions = {},
): Promise<StackVerdict> {
  const state = await readState(stack);
  const { configuration, settings: read } = await readConfiguration(stack);
  const { requestPaces } = options;
  const settings = { ...read, ...(requestPaces && { requestPaces }) };
  const locks = await readLocks(stack);
  const file = await readTenantConfig(configuration).catch(asConfigurationError);
  const config = file instanceof ConfigurationError ? undefined : file;
  const targets = targetsOf(config, state);
  const stores = new GatewayStores();
  const takenOver = new Set(state.takeovers.map(({ outputs }) => outputs.domain));
  const ownDomains = new Set(targets.map(({ domain }) => domain));
  const around = { stack, settings, config, ownDomains, takenOver, stores, options };
  const domains: DomainVerdict[] = [];
  for (let start = 0; start < targets.length; start += AT_ONCE) {
    const group = targets.slice(start, start + AT_ONCE);
    domains.push(...(await Promise.all(group.map((each) => verifyTarget(each, around, state)))));
  }
  const checks = [
    ...checkFile(file),
    ...checkState(stack, state, locks),
    ...(await checkFleets(stores, config)),
  ];
  const all = [...checks, ...domains.flatMap((domain) => domain.checks)];
  return { stack, at: new Date().toISOString(), status: worst(all), checks, domains };
}

function targetsOf(config: TenantConfig | undefined, state: StackState): VerifyTarget[] {
  const { takeovers, spfIncludes, routes } = state;
  const held = [...takeovers, ...spfIncludes, ...routes].map(({ outputs }) => outputs.domain);
  const names = new Set([...held, ...(config?.domains ?? []).map(({ name }) => name)]);
  return [...names].toSorted().map((domain) => ({
    domain,
    takeover: takeovers.find(({ outputs }) => outputs.domain === domain),
    spfInclude: spfIncludes.find(({ outputs }) => outputs.domain === domain),
    route: routes.find(({ outputs }) => outputs.domain === domain),
  }));
}

async function verifyTarget(
  target: VerifyTarget,
  around: Surroundings,
  state: StackState,
): Promise<DomainVerdict> {
  const evidence = await observeDomain(target, around);
  const checks = verifyDomain(evidence, checkAgreement(target, evidence, around, state));
  return { domain: target.domain, status: worst(checks), checks };
}

function checkFile(file: TenantConfig | ConfigurationError): readonly Check[] {
  if (file instanceof ConfigurationError) return [unread("stack-file", file.message)];
  return [];
}

/** A run that is under way, and calls whose end nobody knows. */
function checkState(stack: string, state: StackState, locks: readonly string[]): readonly Check[] {
  return findInState(state, locks).map(({ code, text }) =>
    code === "stack-locked"
      ? notice("state", text, "Verify again once the run has ended.")
      : wrong("state", text, leftovers(stack)),
  );
}

function leftovers(stack: string): string {
  return `npm run leftovers -- ${stack} names the commands that mend it.`;
}

async function checkFleets(
  stores: GatewayStores,
  config: TenantConfig | undefined,
): Promise<readonly Check[]> {
  const excludeSlots = config?.gateway.excludeSlots ?? [];
  const fleets = await stores.fleets();
  return fleets.flatMap((fleet) =>
    fleet.kind === "read"
      ? checkFleet({ ...fleet.value, excludeSlots }, new Date())
      : [unread("slots-healthy", fleet.kind === "unread" ? fleet.problem : fleet.why)],
  );
}

/** The journal and the route store have the claims of the state's resources, and nobody else's. */
function checkAgreement(
  { domain, takeover, spfInclude, route }: VerifyTarget,
  { servers, store, inFile }: DomainEvidence,
  { stack, config }: Surroundings,
  state: StackState,
): readonly Check[] {
  if (servers.kind === "unread") return [unread("state", servers.problem)];
  if (store.kind === "unread") return [unread("state", store.problem)];
  const server = servers.kind === "read" ? servers.value.find(isUsable) : undefined;
  if (server === undefined) return [unread("state", "No name server tells the journal.")];
  const inZone = takeover ?? spfInclude;
  const isJournalled = inZone === undefined || !isByHand(inZone);
  const findings = findAtDomain({
    domain,
    inFile: inFile ?? true,
    organisation: config?.organisation,
    gatewayMx: config?.gateway.mx ?? [],
    presentMx: isJournalled ? server.mx.records.map(asZoneMx) : [],
    journal: orDamage(() => journalOf(server)),
    takeovers: takeover && isJournalled ? [takeover] : [],
    spfIncludes: spfInclude && isJournalled ? [spfInclude] : [],
    routes: route ? [route] : [],
    record: store.kind === "read" ? store.value.record : undefined,
    pending: state.pending,
  });
  if (findings.length > 0)
    return findings.map(({ text }) => wrong("state", text, leftovers(stack)));
  const held = takeover ?? spfInclude ?? route;
  if (held === undefined) return [];
  return [well("state", "Journal and route store agree with the state.")];
}

/** Public DNS shows no identifiers and no comments, and a TTL says nothing of a claim. */
function asZoneMx(mx: MxRecord, index: number): ZoneMx {
  return { ...mx, id: `${index}`, ttl: 1 };
}

function isUsable({ mx, journal }: ServerView): boolean {
  return isProof(mx) && isProof(journal);
}

const WORST_FIRST = ["unread", "wrong", "notice"] as const;

/** The worst status of these checks. */
export function worst(checks: readonly Check[]): VerifyStatus {
  return WORST_FIRST.find((status) => checks.some((check) => check.status === status)) ?? "well";
}
