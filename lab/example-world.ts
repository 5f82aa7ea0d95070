/**
 * What exists in the example world: two tenants, their mail systems and providers, the gateway, and
 * a sender. The addresses depend on the world; everything else is the same in every world.
 */
import type { Plan, RecordSpec } from "./cloudflare/index.ts";
import type { RrSet } from "./dns.ts";
import type { GatewayRoute } from "./gateway.ts";

/** A zone that is not at Cloudflare: a provider's, the gateway's, the sender's. */
export interface PublicZone {
  readonly name: string;
  readonly rrsets: readonly RrSet[];
}

/** A tenant's zone at Cloudflare. */
export interface TenantZone {
  readonly name: string;
  /** Cloudflare account. */
  readonly account: "Contoso" | "Fabrikam";
  /** @default "free" */
  readonly plan?: Plan;
  /** Before onboarding. */
  readonly records: readonly RecordSpec[];
}

export interface ExampleMailSystem {
  readonly name: string;
  readonly address: string;
  readonly domains: readonly string[];
  /** Addresses that exist. @default every address of its domains */
  readonly recipients?: readonly string[];
}

export interface ExampleWorld {
  readonly publicZones: readonly PublicZone[];
  readonly tenantZones: readonly TenantZone[];
  readonly mailSystems: readonly ExampleMailSystem[];
  /** Where mail of the tenants goes: a stranger's mail system, and the bookshop's Relay Server. */
  readonly outside: readonly ExampleMailSystem[];
  readonly gateway: { readonly name: string; readonly addresses: readonly string[] };
  /** What the gateway knows of each domain. */
  readonly routes: ReadonlyMap<string, GatewayRoute>;
  readonly sender: { readonly name: string; readonly address: string };
}

const contosoMx = "contoso-test.mail.protection.outlook.test";
const subdomainMx = "mail.sub.contoso.test";
const bookshop = "xn--bcher-kva.test";
const bookshopMx = `mail.${bookshop}`;
const backupMx = "backup.mail-host.test";
const fabrikamMx = "mail.fabrikam.test";
const relayServer = "filter.mail-host.test";

/** The gateway's inbound endpoint, which its hosts call themselves. */
export const gatewayHost = "smtp-in.gateway.test";
/** The zone of the gateway's names. */
export const gatewayZone = "gateway.test";

/** @param net the first two octets of the world's addresses, e.g. `127.3` */
export function exampleWorld(net: string): ExampleWorld {
  return {
    publicZones: publicZones(net),
    tenantZones: tenantZones(net),
    mailSystems: [
      {
        name: contosoMx,
        address: `${net}.2.1`,
        domains: ["contoso.test"],
        recipients: ["postmaster@contoso.test", "bob@contoso.test"],
      },
      { name: subdomainMx, address: `${net}.2.2`, domains: ["sub.contoso.test"] },
      { name: bookshopMx, address: `${net}.2.3`, domains: [bookshop] },
      { name: backupMx, address: `${net}.2.11`, domains: [bookshop] },
      {
        name: fabrikamMx,
        address: `${net}.2.4`,
        domains: ["fabrikam.test", "fabrikam-mailing.test"],
      },
    ],
    outside: [
      { name: "mx.sender.test", address: `${net}.4.1`, domains: ["sender.test"] },
      { name: relayServer, address: `${net}.2.12`, domains: ["sender.test", bookshop] },
    ],
    gateway: { name: gatewayHost, addresses: [`${net}.1.1`, `${net}.1.2`] },
    routes: new Map([
      ["contoso.test", { server: contosoMx }],
      ["sub.contoso.test", { server: subdomainMx }],
      [bookshop, { server: bookshopMx }],
      ["fabrikam.test", { server: fabrikamMx }],
      ["fabrikam-mailing.test", { server: fabrikamMx }],
    ]),
    sender: { name: "mx.sender.test", address: `${net}.4.1` },
  };
}

function publicZones(net: string): PublicZone[] {
  return [
    zone(gatewayZone, [
      ["smtp-in", "A", `${net}.1.1`, `${net}.1.2`],
      ["mx2", "A", `${net}.1.2`],
      ["smtp-relay", "A", `${net}.1.11`],
      ["_spf", "TXT", `"v=spf1 ip4:${net}.1.0/24 -all"`],
    ]),
    zone("outlook.test", [
      ["contoso-test.mail.protection", "A", `${net}.2.1`],
      ["spf.protection", "TXT", `"v=spf1 ip4:${net}.2.0/29 -all"`],
    ]),
    zone("mail-host.test", [
      ["backup", "A", `${net}.2.11`],
      ["filter", "A", `${net}.2.12`],
      ["_spf", "TXT", `"v=spf1 ip4:${net}.2.11 -all"`],
    ]),
    zone("marketing.test", [
      [
        "_spf",
        "TXT",
        '"v=spf1 include:_pool1.marketing.test include:_pool2.marketing.test include:_pool3.marketing.test ~all"',
      ],
      ["_pool1", "TXT", `"v=spf1 ip4:${net}.2.21 ~all"`],
      ["_pool2", "TXT", `"v=spf1 ip4:${net}.2.22 ~all"`],
      ["_pool3", "TXT", `"v=spf1 ip4:${net}.2.23 ~all"`],
    ]),
    zone("crm.test", [["_spf", "TXT", `"v=spf1 ip4:${net}.2.31 -all"`]]),
    zone("newsletter.test", [
      ["_spf", "TXT", '"v=spf1 include:_pool.newsletter.test -all"'],
      ["_pool", "TXT", `"v=spf1 ip4:${net}.2.41 -all"`],
    ]),
    zone("tickets.test", [["_spf", "TXT", `"v=spf1 ip4:${net}.2.51 -all"`]]),
    zone("sender.test", [
      ["", "TXT", '"v=spf1 a:mx.sender.test -all"'],
      ["", "MX", "10 mx.sender.test."],
      ["mx", "A", `${net}.4.1`],
    ]),
  ];
}

/** Each line: name below the zone, type, data of each record. */
function zone(
  name: string,
  lines: readonly (readonly [string, string, ...string[]])[],
): PublicZone {
  const rrsets = lines.map(([label, type, ...records]) => ({
    name: label === "" ? name : `${label}.${name}`,
    type,
    ttl: 300,
    records,
  }));
  return { name, rrsets };
}

function tenantZones(net: string): TenantZone[] {
  return [
    {
      name: "contoso.test",
      account: "Contoso",
      records: [
        mx("contoso.test", 0, contosoMx),
        txt("contoso.test", "v=spf1 include:spf.protection.outlook.test -all"),
        txt("contoso.test", "MS=ms12345678"),
        txt("_dmarc.contoso.test", "v=DMARC1; p=quarantine"),
        { name: "www.contoso.test", type: "A", content: `${net}.9.1` },
        // A subdomain with a mail system of its own.
        mx("sub.contoso.test", 10, subdomainMx),
        txt("sub.contoso.test", `v=spf1 a:${subdomainMx} -all`),
        { name: subdomainMx, type: "A", content: `${net}.2.2` },
      ],
    },
    {
      name: bookshop,
      account: "Contoso",
      plan: "pro",
      records: [
        {
          ...mx(bookshop, 10, bookshopMx),
          ttl: 3600,
          comment: "Orders and letters",
          tags: ["owner:shop"],
        },
        mx(bookshop, 20, backupMx),
        txt(bookshop, `v=spf1 a:${bookshopMx} include:_spf.mail-host.test ~all`),
        { name: bookshopMx, type: "A", content: `${net}.2.3` },
      ],
    },
    {
      name: "fabrikam.test",
      account: "Fabrikam",
      records: [
        mx("fabrikam.test", 10, fabrikamMx),
        // 9 of the 10 lookups that RFC 7208 section 4.6.4 allows.
        txt(
          "fabrikam.test",
          `v=spf1 a:${fabrikamMx} include:_spf.marketing.test include:_spf.crm.test include:_spf.newsletter.test include:_spf.tickets.test -all`,
        ),
        { name: fabrikamMx, type: "A", content: `${net}.2.4` },
      ],
    },
    {
      name: "fabrikam-mailing.test",
      account: "Fabrikam",
      records: [
        mx("fabrikam-mailing.test", 10, fabrikamMx),
        txt("fabrikam-mailing.test", `v=spf1 a:${fabrikamMx} -all`),
      ],
    },
  ];
}

function mx(name: string, priority: number, content: string): RecordSpec {
  return { name, type: "MX", content, priority };
}

function txt(name: string, text: string): RecordSpec {
  return { name, type: "TXT", content: `"${text}"` };
}
