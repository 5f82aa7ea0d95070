/** What must hold for a tenant's routes: the rules of `mail/`, and which keys a gateway needs or cannot use. */
import type { MailRuleFault } from "../mail/errors.ts";
import type { GatewayFacts, PartialRoute } from "../mail/partial-route.ts";
import type { RcptLookup, RelayServer } from "../mail/route.ts";
import { routeFaults } from "../mail/route-faults.ts";
import { quoted } from "./schema-faults.ts";
import { isWritten, type Sound, type SoundDomain, type SoundTenant } from "./sound-tenant.ts";
import type { DomainConfig } from "./tenant.ts";

/** What mail systems are called whose tenants all send from the same addresses. */
const SHARED_SYSTEMS: Readonly<Record<string, string>> = {
  microsoft365: "Microsoft 365",
  google: "Google Workspace",
};

/** Of the domain at the path `at`. */
export function domainRouteFaults(
  domain: SoundDomain,
  at: string,
  tenant: SoundTenant,
  facts: GatewayFacts,
): MailRuleFault[] {
  const keepsRoutes = tenant.keepsRoutes ?? tenant.gateway.routeStore !== undefined;
  const route = partialRoute(domain, keepsRoutes === true);
  const byMail = routeFaults(route, facts).map((fault) => atKey(explained(fault, domain), at));
  if (keepsRoutes === "unknown") return byMail;
  if (!keepsRoutes) return [...byMail, ...uselessKeys(domain, at)];
  return [...byMail, ...missingKeys(domain, at, tenant), ...passwordFaults(domain, at, tenant)];
}

/** How a domain's recipients are looked up, as a route has it. */
export function rcptLookupOf({ rcptLookup }: Pick<DomainConfig, "rcptLookup">): RcptLookup {
  if (Array.isArray(rcptLookup)) return { kind: "list", recipients: rcptLookup };
  return { kind: rcptLookup ? "probe" : "off" };
}

/** A Relay Server without its password; TLS is opportunistic where nothing is said. */
export function relayServerOf({
  host,
  port,
  tls = "opportunistic",
  login,
}: NonNullable<DomainConfig["relayServer"]>): RelayServer {
  const known = { host, port, tls };
  if (login === undefined) return known;
  return { ...known, login: { user: login.user, secret: login.passwordName, secretVersion: 0 } };
}

/** What is known of the route. Nobody who may send: told only where that is known, and where it matters. */
function partialRoute(domain: SoundDomain, keepsRoutes: boolean): PartialRoute {
  const { name, inbound, rcptLookup, relayServer, sendingFrom } = domain;
  const nobody = keepsRoutes && !isWritten(domain, "sendingFrom") ? [] : undefined;
  return {
    domain: name,
    server: domain.server,
    mxLookup: domain.mxLookup,
    rcptLookup: rcptLookup === undefined ? undefined : rcptLookupOf({ rcptLookup }),
    inbound: inbound === undefined ? undefined : inbound !== "none",
    outbound: domain.outbound,
    relayServer: relayServer && relayServerOf(relayServer),
    identities: keepsRoutes ? (sendingFrom ?? nobody) : undefined,
    probeRecipient: domain.probeRecipient,
  };
}

/** The path of a route's value in the stack file. */
function atKey(fault: MailRuleFault, at: string): MailRuleFault {
  const path = (fault.where ?? "")
    .replace(/^domain$/, "name")
    .replace(/^identities\b/, "sendingFrom")
    .replace(/^rcptLookup\.recipients/, "rcptLookup");
  return { ...fault, where: path === "" ? at : `${at}.${path}` };
}

/** Why there is nobody to name, where the mail system has no address of its own. */
function explained(fault: MailRuleFault, { mailSystem }: SoundDomain): MailRuleFault {
  const system = mailSystem && SHARED_SYSTEMS[mailSystem];
  if (fault.code !== "identity-missing" || system === undefined) return fault;
  return {
    ...fault,
    fix:
      `The tenants of ${system} all send from the same addresses and with the same certificate, and what tells ` +
      "them apart (a header with a secret of the tenant) the gateway does not check yet. Name a host of your own " +
      "through which the mail system sends, by its address or certificate, or write outbound: none.",
  };
}

/** Keys that say what a gateway's routes are to be, where they are kept by somebody else. */
function uselessKeys(domain: SoundDomain, at: string): MailRuleFault[] {
  const { relayServer, rcptLookup } = domain;
  const keys = (["sendingFrom", "fixIt", "inactive"] as const).filter((key) =>
    isWritten(domain, key),
  );
  const paths = [
    ...keys,
    ...(Array.isArray(rcptLookup) ? ["rcptLookup"] : []),
    ...(relayServer?.tls === undefined ? [] : ["relayServer.tls"]),
    ...(relayServer?.login === undefined ? [] : ["relayServer.login"]),
  ];
  return paths.map((path) => gatewayStackNeeded(`${at}.${path}`));
}

/** Of a key for a route that is not kept here. */
export function gatewayStackNeeded(where: string): MailRuleFault {
  return {
    code: "gateway-stack-needed",
    where,
    problem:
      "It has no effect: mail:gateway names hosts, or a stack without a route store, so that whoever runs the " +
      "gateway keeps its routes.",
    fix: "Delete it and tell them, or name the stack of a gateway of your own: mail:gateway with stack.",
  };
}

function missingKeys(domain: SoundDomain, at: string, tenant: SoundTenant): MailRuleFault[] {
  const faults: MailRuleFault[] = [];
  if (!isWritten(domain, "probeRecipient")) {
    faults.push({
      code: "value-missing",
      where: `${at}.probeRecipient`,
      problem: "It is missing, and every slot of the gateway asks the Server for it first.",
      fix: `Write an address that exists, for example "info@${domain.name ?? "contoso.com"}".`,
    });
  }
  const isAnywhere = tenant.hasFixIt === true || tenant.gateway.fixIt !== undefined;
  if (!isWritten(domain, "fixIt") && !isAnywhere) {
    faults.push({
      code: "value-missing",
      where: `${at}.fixIt`,
      problem: "It is missing, and the gateway names it when it refuses the domain's mail.",
      fix: 'Write it here, or for all domains as mail:fixIt, for example "https://www.contoso.com/mail".',
    });
  }
  return faults;
}

/** Its value may be a password by mistake, so that it is not shown. */
function passwordFaults(
  { relayServer }: Sound<DomainConfig>,
  at: string,
  { passwordNames }: SoundTenant,
): MailRuleFault[] {
  const name = relayServer?.login?.passwordName;
  if (name === undefined || passwordNames === undefined || passwordNames.includes(name)) return [];
  const known = passwordNames.map(quoted).join(", ");
  return [
    {
      code: "relay-password-missing",
      where: `${at}.relayServer.login.passwordName`,
      problem: `There is no password of this name below mail:relayPasswords${known && ` (there: ${known})`}.`,
      fix: "Store it: pulumi config set --secret --path mail:relayPasswords.<name>",
    },
  ];
}
