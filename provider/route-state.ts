/** What a `Route`'s inputs mean, and what its state keeps of what the route store shows. */
import { MailRuleError } from "../mail/errors.ts";
import { parseClaim } from "../mail/journal.ts";
import type {
  RcptLookup,
  RelayServer,
  Route,
  RouteRecord,
  SendingIdentity,
} from "../mail/route.ts";
import { routeFaults } from "../mail/route-faults.ts";
import type { RouteGoal } from "../mail/route-steps.ts";
import { formatSendingIdentity, parseSendingIdentity } from "../mail/sending-identity.ts";
import { relaySecretName } from "../store/secrets.ts";
import { inputChange } from "./input-changes.ts";
import type { Change } from "./resource.ts";
import type { FormerGateway, RouteInputs, RouteOutputs, StorePlace } from "./route-schema.ts";

/** With which right a resource acts, and from where it comes. */
export interface Standing {
  readonly claim: string;
  readonly mayClaim: boolean;
  readonly old?: RouteOutputs;
  /** Where the domain still has to be given up once it serves. */
  readonly formerGateways?: readonly FormerGateway[];
  /** The version of the password, once it was written. */
  readonly secretVersion?: number;
  /** @default false */
  readonly awaitsSpf?: boolean;
}

/** At another gateway the domain is claimed anew. */
export function standingOf(old: RouteOutputs, { store }: RouteInputs): Standing {
  const isSame = isSameStore(old.store, store);
  const former = [...old.formerGateways, ...(isSame ? [] : [asFormer(old)])];
  const formerGateways = former.filter((gateway) => !isSameStore(gateway.store, store));
  return { claim: old.claim, mayClaim: !isSame, old, formerGateways };
}

function asFormer({ store, gatewayHosts, sending }: RouteOutputs): FormerGateway {
  return { store, hosts: gatewayHosts, ...(sending && { sending }) };
}

type TablePlace = Pick<StorePlace, "table" | "region">;

export function isSameStore(one: TablePlace, other: TablePlace): boolean {
  return one.table === other.table && one.region === other.region;
}

/** The SPF domains that must stand beside the present gateway's. */
export function includesOf(formers: readonly FormerGateway[], inputs: RouteInputs): string[] {
  const includes = formers.flatMap(({ sending }) => sending?.include ?? []);
  return [...new Set(includes)].filter((include) => include !== inputs.sending?.include);
}

/** @throws MailRuleError the first fault of the route by itself */
export function goalOf(
  inputs: RouteInputs,
  { claim, mayClaim, old }: Standing,
  secretVersion = old?.secretVersion,
): RouteGoal {
  const claimant = { organisation: inputs.organisation, claim: parseClaim(claim), mayClaim };
  return { claimant, route: routeOf(inputs, secretVersion), inactive: inputs.inactive };
}

/** @param slots those that have the route; none while it is unfinished */
export function outputsOf(
  inputs: RouteInputs,
  { claim, formerGateways = [], secretVersion, awaitsSpf = false }: Standing,
  record: RouteRecord | undefined,
  slots: readonly string[],
): RouteOutputs {
  const version = record?.leaving ? 0 : (record?.active?.version ?? 0);
  return {
    ...inputs,
    claim,
    version,
    ownVersion: version,
    slots: [...slots],
    ...(secretVersion !== undefined && { secretVersion }),
    formerGateways: [...formerGateways],
    formerIncludes: includesOf(formerGateways, inputs),
    awaitsSpf,
  };
}

/**
 * The route that the inputs describe.
 *
 * @param secretVersion of the password in the parameter store, where there is one
 * @throws MailRuleError the first fault of the route by itself
 */
function routeOf(inputs: RouteInputs, secretVersion = 0): Route {
  const { domain, server, mxLookup, inbound, outbound, probeRecipient, fixIt } = inputs;
  const relayServer = relayServerOf(inputs, secretVersion);
  const route = {
    domain,
    server,
    mxLookup,
    rcptLookup: rcptLookupOf(inputs),
    inbound,
    outbound,
    ...(relayServer && { relayServer }),
    identities: identitiesOf(inputs),
    probeRecipient,
    fixIt,
  };
  const facts = { hosts: new Set(inputs.gatewayHosts), nextHops: inputs.nextHops };
  const [fault] = routeFaults(route, facts);
  if (fault === undefined) return route;
  throw new MailRuleError({ ...fault, where: `Route of ${domain}, ${fault.where}` });
}

function identitiesOf({ domain, sendingFrom, nextHops }: RouteInputs): SendingIdentity[] {
  return sendingFrom.map((text, index) => {
    try {
      return parseSendingIdentity(text, nextHops);
    } catch (error) {
      if (!(error instanceof MailRuleError)) throw error;
      throw error.at(`Route of ${domain}, sendingFrom[${index}]`);
    }
  });
}

function rcptLookupOf({ rcptLookup, recipients = [] }: RouteInputs): RcptLookup {
  return rcptLookup === "list" ? { kind: rcptLookup, recipients } : { kind: rcptLookup };
}

function relayServerOf(
  { domain, relayServer }: RouteInputs,
  secretVersion: number,
): RelayServer | undefined {
  if (relayServer === undefined) return undefined;
  const { login, ...server } = relayServer;
  if (login === undefined) return server;
  return {
    ...server,
    login: { user: login.user, secret: relaySecretName(domain, secretVersion), secretVersion },
  };
}

/** The inputs that would describe a route, as far as it says; a password is never read back. */
export function inputsOf(
  route: Route,
  { organisation, store, inactive }: Pick<RouteInputs, "organisation" | "store" | "inactive">,
): RouteInputs {
  const { rcptLookup, relayServer, identities, ...same } = route;
  return {
    organisation,
    store,
    gatewayHosts: [],
    nextHops: "public",
    ...same,
    rcptLookup: rcptLookup.kind,
    ...(rcptLookup.kind === "list" && { recipients: [...rcptLookup.recipients] }),
    ...(relayServer && { relayServer: withoutLogin(relayServer) }),
    sendingFrom: identities.map(formatSendingIdentity),
    excludeSlots: [],
    inactive,
    editsSpf: false,
  };
}

function withoutLogin({ host, port, tls }: RelayServer): Omit<RelayServer, "login"> {
  return { host, port, tls };
}

const PLAIN_KEYS = [
  "organisation",
  "store",
  "server",
  "mxLookup",
  "rcptLookup",
  "recipients",
  "inbound",
  "outbound",
  "sendingFrom",
  "probeRecipient",
  "fixIt",
  "sending",
  "inactive",
  "editsSpf",
] as const;

/**
 * Only another domain is another resource. What only the rules look at, and which slots are left out, is no
 * change of the route.
 */
export function routeInputChanges(old: RouteOutputs, news: RouteInputs): Change[] {
  const changes = PLAIN_KEYS.flatMap((key) => inputChange(key, old[key], news[key]));
  changes.push(...relayChanges(old.relayServer, news.relayServer));
  if (old.domain !== news.domain) changes.push({ path: "domain", kind: "update", replace: true });
  return changes;
}

type RelayInputs = RouteInputs["relayServer"];

/** Where both have a login, a new password shows as such. */
function relayChanges(old: RelayInputs, news: RelayInputs): Change[] {
  if (old?.login === undefined || news?.login === undefined) {
    return inputChange("relayServer", old, news);
  }
  const { login: oldLogin, ...oldRelay } = old;
  const { login: newLogin, ...newRelay } = news;
  return [
    ...(["host", "port", "tls"] as const).flatMap((key) =>
      inputChange(`relayServer.${key}`, oldRelay[key], newRelay[key]),
    ),
    ...(["user", "password"] as const).flatMap((key) =>
      inputChange(`relayServer.login.${key}`, oldLogin[key], newLogin[key]),
    ),
  ];
}
