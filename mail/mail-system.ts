/** Which mail system, or which filter in front of one, stands behind an MX, and which Server a tenant should name. */

import type { MxRecord } from "./dns.ts";
import { isWithin } from "./domain-name.ts";

interface KnownSystem {
  readonly id: string;
  readonly name: string;
  /** `mailboxes`: mail ends there. `filter`: it goes on to a system that DNS does not show. */
  readonly role: "mailboxes" | "filter" | "gateway";
  /** Its MX hosts are these names and all names below them. */
  readonly zones: readonly string[];
}

/**
 * MX hosts as the vendors' set-up guides give them, each also found in published zones.
 * Microsoft: "External DNS records for Microsoft 365", "How SMTP DANE works", and those of the
 * sovereign clouds. Google: support page 174125 and its older ASPMX set.
 */
const SYSTEMS = [
  {
    id: "microsoft365",
    name: "Microsoft 365",
    role: "mailboxes",
    zones: [
      "mail.protection.outlook.com",
      "mx.microsoft",
      "mail.protection.office365.us",
      "mail.protection.partner.outlook.cn",
    ],
  },
  {
    id: "google",
    name: "Google Workspace",
    role: "mailboxes",
    zones: [
      "smtp.google.com",
      "aspmx.l.google.com",
      "aspmx2.googlemail.com",
      "aspmx3.googlemail.com",
      "aspmx4.googlemail.com",
      "aspmx5.googlemail.com",
    ],
  },
  { id: "fastmail", name: "Fastmail", role: "mailboxes", zones: ["messagingengine.com"] },
  { id: "icloud", name: "iCloud Mail", role: "mailboxes", zones: ["mail.icloud.com"] },
  { id: "proton", name: "Proton Mail", role: "mailboxes", zones: ["protonmail.ch"] },
  { id: "rackspace", name: "Rackspace Email", role: "mailboxes", zones: ["emailsrvr.com"] },
  {
    id: "zoho",
    name: "Zoho Mail",
    role: "mailboxes",
    zones: ["zoho.com", "zoho.eu", "zoho.in", "zoho.com.au"],
  },
  {
    id: "barracuda",
    name: "Barracuda Email Gateway Defense",
    role: "filter",
    zones: ["ess.barracudanetworks.com"],
  },
  {
    id: "broadcom",
    name: "Broadcom Email Security.cloud",
    role: "filter",
    zones: ["messagelabs.com"],
  },
  { id: "cisco", name: "Cisco Secure Email", role: "filter", zones: ["iphmx.com"] },
  {
    id: "cloudflareEmailRouting",
    name: "Cloudflare Email Routing",
    role: "filter",
    zones: ["mx.cloudflare.net"],
  },
  {
    id: "cloudflareEmailSecurity",
    name: "Cloudflare Email Security",
    role: "filter",
    zones: ["mxrecord.io", "mxrecord.mx"],
  },
  {
    id: "forcepoint",
    name: "Forcepoint Email Security",
    role: "filter",
    zones: ["mailcontrol.com"],
  },
  {
    id: "hornetsecurity",
    name: "Hornetsecurity",
    role: "filter",
    zones: ["hornetsecurity.com", "antispameurope.com"],
  },
  {
    id: "mimecast",
    name: "Mimecast",
    role: "filter",
    zones: ["mimecast.com", "mimecast.co.za", "mimecast-offshore.com"],
  },
  { id: "proofpoint", name: "Proofpoint", role: "filter", zones: ["pphosted.com"] },
  {
    id: "proofpointEssentials",
    name: "Proofpoint Essentials",
    role: "filter",
    zones: ["ppe-hosted.com"],
  },
  { id: "sophos", name: "Sophos Email", role: "filter", zones: ["prod.hydra.sophos.com"] },
  {
    id: "trendMicro",
    name: "Trend Micro Email Security",
    role: "filter",
    zones: ["tmes.trendmicro.com", "tmes.trendmicro.eu", "hes.trendmicro.com"],
  },
  { id: "mxhero", name: "mxHERO", role: "gateway", zones: ["mxhero.com"] },
] as const satisfies readonly KnownSystem[];

type KnownSystemId = (typeof SYSTEMS)[number]["id"];

/** `exchange`: an Exchange server of the organisation's own, which no MX betrays. `other`: any other system. */
export type MailSystemId = KnownSystemId | "exchange" | "other";

export interface RecognisedMailSystem {
  readonly system: MailSystemId;
  /** For messages: `Microsoft 365`, or the host's name where it is not known. */
  readonly name: string;
  readonly role: KnownSystem["role"] | "none" | "unknown";
}

/**
 * Names the system that receives a domain's mail first: of the MX records the most preferred one counts,
 * and among equals a known one.
 *
 * @param mx the domain's MX records, in any order.
 * @param gatewayHosts the gateway's own MX hosts, recognised as `mxhero`.
 */
export function recogniseMailSystem(
  mx: readonly MxRecord[],
  gatewayHosts: readonly string[] = [],
): RecognisedMailSystem {
  const ranked = byPreference(mx);
  const [best] = ranked;
  if (best === undefined) return { system: "other", name: "no mail system", role: "none" };
  for (const { exchange, preference } of ranked) {
    if (preference > best.preference) break;
    if (gatewayHosts.includes(exchange))
      return { system: "mxhero", name: "mxHERO", role: "gateway" };
    const known = systemOf(exchange);
    if (known !== undefined) return { system: known.id, name: known.name, role: known.role };
  }
  return { system: "other", name: best.exchange, role: "unknown" };
}

export interface ServerRecommendation {
  /** The value for the tenant's Server; `undefined` where it cannot be known from here. */
  readonly server: string | undefined;
  /** `present-mx`: read from DNS. `naming-scheme`: derived from the domain. `vendor`: the same for all. */
  readonly source: "present-mx" | "naming-scheme" | "vendor" | "unknown";
  /** One or two sentences: where the value comes from, or where to find it. */
  readonly explanation: string;
}

/**
 * Recommends the Server (the host that finally receives the mail) for a domain.
 *
 * @param system the mail system that holds the domain's mailboxes.
 * @param domain the domain, as `parseDomainName` returns it.
 * @param presentMx its MX records; those of the gateway are left out.
 * @param gatewayHosts the gateway's own MX hosts.
 */
export function recommendServer(
  system: MailSystemId,
  domain: string,
  presentMx: readonly MxRecord[],
  gatewayHosts: readonly string[] = [],
): ServerRecommendation {
  const mx = byPreference(presentMx).filter(({ exchange }) => !gatewayHosts.includes(exchange));
  const known = SYSTEMS.find(({ id }) => id === system);
  if (known?.role !== "mailboxes") return ownServer(known?.name, mx);
  const present = mx.find(({ exchange }) => systemOf(exchange)?.id === system);
  if (present !== undefined) {
    return {
      server: present.exchange,
      source: "present-mx",
      explanation: `The MX of ${domain} names this host of ${known.name}.`,
    };
  }
  if (system === "microsoft365") return microsoftServer(domain);
  if (system === "google") {
    return {
      server: "smtp.google.com",
      source: "vendor",
      explanation: `${known.name} receives the mail of every domain at this host.`,
    };
  }
  return notKnown(
    `The MX of ${domain} names no host of ${known.name}; take the first MX host from its set-up guide.`,
  );
}

/**
 * Microsoft's older scheme: dots become hyphens. A domain with a hyphen of its own gets a name with
 * an arbitrary suffix instead (`fabrikam-inc.com`: `fabrikaminc-com0i`), so it cannot be derived.
 */
function microsoftServer(domain: string): ServerRecommendation {
  const source =
    "Take the MX host that the Microsoft 365 admin centre shows under Settings, Domains, DNS records";
  const label = domain.replaceAll(".", "-");
  if (domain.includes("-") || label.length > 63) {
    return notKnown(
      `The host of a domain with a hyphen, or of a very long one, cannot be derived. ${source}.`,
    );
  }
  return {
    server: `${label}.mail.protection.outlook.com`,
    source: "naming-scheme",
    explanation:
      "Derived from the domain, which holds only for domains added to Microsoft 365 before July 2026; " +
      `newer ones lie below mx.microsoft. ${source}, if it is another.`,
  };
}

/** The Server of a system of one's own, or of one that stands behind a filter. */
function ownServer(filter: string | undefined, mx: readonly MxRecord[]): ServerRecommendation {
  const present = recogniseMailSystem(mx);
  if (filter === undefined && present.role === "unknown") {
    return {
      server: present.name,
      source: "present-mx",
      explanation: "The MX names this host; it must be the one that finally receives the mail.",
    };
  }
  const front = filter ?? (present.role === "none" ? undefined : present.name);
  return notKnown(
    front === undefined
      ? "The domain has no MX to read it from; name the host that finally receives the mail."
      : `DNS does not show which host receives the mail behind ${front}; its settings name that host.`,
  );
}

function notKnown(explanation: string): ServerRecommendation {
  return { server: undefined, source: "unknown", explanation };
}

/** Most preferred first, without the null MX. */
function byPreference(mx: readonly MxRecord[]): MxRecord[] {
  return mx
    .filter(({ exchange }) => exchange !== "")
    .toSorted((left, right) => left.preference - right.preference);
}

function systemOf(exchange: string) {
  return SYSTEMS.find(({ zones }) => zones.some((zone) => isWithin(exchange, zone)));
}
