/** Which hosts take the mail of a domain, in which order: RFC 5321 section 5.1, RFC 7505. */
import { Resolver } from "node:dns/promises";
import { isIPv4 } from "node:net";

/** A host to try, with its addresses. They are empty if none was found. */
export interface MailHost {
  readonly name: string;
  readonly addresses: readonly string[];
}

/**
 * - `ok`: hosts in the order to try them.
 * - `permanent`: the domain does not exist, or accepts no mail.
 * - `temporary`: DNS did not answer.
 */
export type MailHosts =
  | { readonly status: "ok"; readonly hosts: readonly MailHost[] }
  | { readonly status: "permanent" | "temporary"; readonly reason: string };

/** @param resolver address of a recursive resolver */
export async function resolveMailHosts(resolver: string, domain: string): Promise<MailHosts> {
  const dns = ask(resolver);
  try {
    const names = await exchangesOf(dns, domain);
    if (names === "null-mx") return { status: "permanent", reason: `${domain} has a null MX` };
    const hosts = names.map(async (name) => ({ name, addresses: await addressesOf(dns, name) }));
    return { status: "ok", hosts: await Promise.all(hosts) };
  } catch (error) {
    const status = isDnsError(error, "ENOTFOUND") ? "permanent" : "temporary";
    return { status, reason: error instanceof Error ? error.message : String(error) };
  }
}

/** The IPv4 addresses of a host; itself if it is one, empty if none was found. */
export function resolveAddresses(resolver: string, host: string): Promise<string[]> {
  return isIPv4(host) ? Promise.resolve([host]) : addressesOf(ask(resolver), host);
}

/** The strings of the TXT records at a name, each joined; empty if there are none. */
export async function resolveTexts(resolver: string, name: string): Promise<string[]> {
  try {
    return (await ask(resolver).resolveTxt(name)).map((strings) => strings.join(""));
  } catch {
    return [];
  }
}

function ask(resolver: string): Resolver {
  const dns = new Resolver({ timeout: 2000, tries: 2 });
  dns.setServers([resolver]);
  return dns;
}

async function exchangesOf(dns: Resolver, domain: string): Promise<string[] | "null-mx"> {
  try {
    const records = await dns.resolveMx(domain);
    if (records.every(({ exchange }) => exchange === "" || exchange === ".")) return "null-mx";
    // Hosts of equal preference are tried in random order.
    return records
      .map((record) => ({ ...record, draw: Math.random() }))
      .toSorted((a, b) => a.priority - b.priority || a.draw - b.draw)
      .map(({ exchange }) => exchange.toLowerCase());
  } catch (error) {
    // The implicit MX: the domain itself.
    if (isDnsError(error, "ENODATA")) return [domain];
    throw error;
  }
}

async function addressesOf(dns: Resolver, host: string): Promise<string[]> {
  try {
    return await dns.resolve4(host);
  } catch {
    return [];
  }
}

function isDnsError(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
