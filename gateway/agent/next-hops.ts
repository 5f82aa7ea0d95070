/** Where mail for a host goes: names and addresses in the order in which Postfix tries them. */
import { Resolver } from "node:dns/promises";
import { isIP } from "node:net";
import ipaddr from "ipaddr.js";
import type { ProofCode } from "../../mail/route-proof.ts";

/** One address of a host that is tried. */
export interface NextHop {
  readonly host: string;
  readonly address: string;
}

/** DNS gave no address to go to. */
export class NextHopError extends Error {
  override readonly name = "NextHopError";
  readonly code: ProofCode;

  constructor(code: ProofCode, message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

/** The system's resolver, asked anew for each proof: it may have been changed. */
const QUERY = { timeout: 3_000, tries: 2 };

/** Postfix tries as many (`smtp_mx_address_limit`). */
const MAXIMUM_ADDRESSES = 5;

/**
 * @param mxLookup by the MX records of `host`; by its addresses where it has none (RFC 5321 section 5.1)
 * @throws NextHopError
 */
export async function findNextHops(host: string, mxLookup: boolean): Promise<NextHop[]> {
  if (isIP(host) !== 0) return [{ host, address: host }];
  const resolver = new Resolver(QUERY);
  const names = mxLookup ? await mailHosts(resolver, host) : [host];
  const found = await Promise.all(names.map((name) => addressesOf(resolver, name)));
  const hops = found.flat().slice(0, MAXIMUM_ADDRESSES);
  if (hops.length === 0) {
    throw new NextHopError("proof-host-not-found", `${names.join(", ")}: no address in DNS`);
  }
  return hops;
}

async function mailHosts(resolver: Resolver, domain: string): Promise<string[]> {
  const records = await ask(domain, () => resolver.resolveMx(domain));
  if (records.length === 0) return [domain];
  // A null MX (RFC 7505) has no name.
  return records
    .toSorted((a, b) => a.priority - b.priority)
    .map(({ exchange }) => exchange)
    .filter((exchange) => exchange !== "");
}

/** IPv6 only where there is no IPv4: large receivers refuse IPv6 without a PTR record. */
async function addressesOf(resolver: Resolver, host: string): Promise<NextHop[]> {
  const v4 = await ask(host, () => resolver.resolve4(host));
  const addresses = v4.length > 0 ? v4 : await ask(host, () => resolver.resolve6(host));
  return addresses.map((address) => ({ host, address }));
}

/** Empty where DNS says that there is nothing. */
async function ask<T>(name: string, query: () => Promise<T[]>): Promise<T[]> {
  try {
    return await query();
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "ENOTFOUND" || code === "ENODATA") return [];
    throw new NextHopError("proof-dns-unanswered", `${name}: DNS did not answer`, error);
  }
}

/** The one form in which addresses are compared. */
export function normalAddress(address: string): string {
  return ipaddr.process(address).toString();
}

/** What the fleet's own hosts are reached at. */
export interface FleetAddresses {
  readonly smtpIn: string;
  readonly smtpRelay: string;
  readonly inbound: { readonly address: string; readonly publicAddress: string };
  readonly relay: { readonly address: string; readonly publicAddress: string };
  readonly peers: readonly { readonly inboundAddress: string }[];
}

/** All addresses of the fleet, as far as they are known here; DNS knows those of the other slots. */
export async function fleetAddresses(fleet: FleetAddresses): Promise<string[]> {
  const { smtpIn, smtpRelay, inbound, relay, peers } = fleet;
  const resolver = new Resolver(QUERY);
  const named = [smtpIn, smtpRelay].map((name) => addressesOf(resolver, name).catch(() => []));
  const published = (await Promise.all(named)).flat().map(({ address }) => address);
  const own = [inbound, relay].flatMap(({ address, publicAddress }) => [address, publicAddress]);
  return [...own, ...peers.map(({ inboundAddress }) => inboundAddress), ...published];
}
