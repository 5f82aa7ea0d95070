/** The validated names of a client: reverse DNS, confirmed by a forward lookup (RFC 7208, 5.5). */

import type { DnsAnswer, Resolver } from "../dns.ts";
import { type Address, inNetwork, isIp4, reverseName } from "./address.ts";
import { isQueryable, isWithin } from "./domain-name.ts";
import type { ClientNames } from "./evaluation.ts";
import { clientNameLimit } from "./limits.ts";

/** A name that DNS fails to answer for is passed over. Further names than ten are ignored. */
export async function findClientNames(resolver: Resolver, client: Address): Promise<ClientNames> {
  const reverse = reverseName(client).toLowerCase();
  const { status, records } = await resolver(reverse, "PTR");
  const confirmed: string[] = [];
  for (const name of records.slice(0, clientNameLimit)) {
    if (await hasAddress(resolver, name, client)) confirmed.push(name);
  }
  const isVoid = status === "nodata" || status === "nxdomain";
  return { confirmed, missing: isVoid ? reverse : undefined };
}

async function hasAddress(resolver: Resolver, name: string, client: Address): Promise<boolean> {
  if (!isQueryable(name)) return false;
  const { records }: DnsAnswer<"A" | "AAAA"> = await resolver(name, isIp4(client) ? "A" : "AAAA");
  return records.some((address) => inNetwork(client, address, { ip4: 32, ip6: 128 }));
}

/** The name that `%{p}` stands for: the domain, else one below it, else any, else "unknown". */
export function preferredName(names: readonly string[], domain: string): string {
  const same = names.find((name) => name.toLowerCase() === domain.toLowerCase());
  return same ?? names.find((name) => isWithin(name, domain)) ?? names[0] ?? "unknown";
}
