/** Which IP addresses a gateway may deliver to, and be sent mail from. */
import ipaddr from "ipaddr.js";
import { type Address, isIp6 } from "./spf/address.ts";

/**
 * Where a gateway's tenants have their hosts.
 *
 * - `public`: in the Internet. A private or special address is refused there: the gateway would deliver into
 *   its own network, which no tenant may reach.
 * - `private`: in the gateway's own network, too.
 */
export const NEXT_HOPS = ["public", "private"] as const;
export type NextHops = (typeof NEXT_HOPS)[number];

/** Ranges that a host may have in a network of one's own (RFC 1918, RFC 4193, RFC 6598, RFC 1122). */
const PRIVATE_RANGES = ["private", "uniqueLocal", "carrierGradeNat", "loopback"];

/** What the ranges of the IANA special-purpose registries (RFC 6890) are called in a message. */
const RANGE_WORDS: Readonly<Record<string, string>> = {
  private: "a private address (RFC 1918)",
  uniqueLocal: "a private address (RFC 4193)",
  carrierGradeNat: "an address of a provider's internal network (RFC 6598)",
  loopback: "a loopback address",
  linkLocal: "a link-local address",
  multicast: "a multicast address",
  unspecified: "the unspecified address",
  broadcast: "the broadcast address",
  ipv4Mapped: "an IPv4 address inside an IPv6 one",
};

/** An address in the form that is used everywhere; `undefined` where the text is none. */
export function parseIpAddress(text: string): Address | undefined {
  const isAddress = ipaddr.IPv4.isValidFourPartDecimal(text) || isIp6(text);
  return isAddress ? ipaddr.parse(text) : undefined;
}

/** What stands against a host with this address, in words (`a loopback address`); `undefined`: nothing. */
export function specialAddress(address: Address, nextHops: NextHops): string | undefined {
  const range = address.range();
  const isUsable =
    range === "unicast" || (nextHops === "private" && PRIVATE_RANGES.includes(range));
  return isUsable ? undefined : (RANGE_WORDS[range] ?? `a reserved address (${range}, RFC 6890)`);
}
