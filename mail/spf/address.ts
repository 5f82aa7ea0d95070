/** IP addresses as SPF compares them (RFC 7208, section 5): an IPv4-mapped address is IPv4. */
import ipaddr from "ipaddr.js";

/** How many leading bits of an address must match, by family. */
export interface PrefixLengths {
  readonly ip4: number;
  readonly ip6: number;
}

export type Address = ipaddr.IPv4 | ipaddr.IPv6;

const hexAndDots = /^[0-9a-f:.]+$/i;
const leadingZero = /:0[0-9]+\.|\.0[0-9]/;

/** An address in the form of RFC 4291, section 2.2, without a zone. */
export function isIp6(text: string): boolean {
  return hexAndDots.test(text) && !leadingZero.test(text) && ipaddr.IPv6.isValid(text);
}

/** @throws TypeError when `text` is neither an IPv4 address in four decimal parts nor IPv6. */
export function parseAddress(text: string): Address {
  if (!isIp6(text) && !ipaddr.IPv4.isValidFourPartDecimal(text)) {
    throw new TypeError(
      `${JSON.stringify(text)} is no IP address. Give one as 192.0.2.1 or 2001:db8::1.`,
    );
  }
  return ipaddr.process(text);
}

export function isIp4(address: Address): address is ipaddr.IPv4 {
  return address.kind() === "ipv4";
}

/** Whether the leading bits of both are the same. Addresses of different families never match. */
export function inNetwork(address: Address, network: string, lengths: PrefixLengths): boolean {
  if (address instanceof ipaddr.IPv4) {
    return ipaddr.IPv4.isValid(network) && address.match(ipaddr.IPv4.parse(network), lengths.ip4);
  }
  return ipaddr.IPv6.isValid(network) && address.match(ipaddr.IPv6.parse(network), lengths.ip6);
}

/** `192.0.2.1`, or the 32 nibbles of an IPv6 address with dots between them (section 7.3, "i"). */
export function dottedAddress(address: Address): string {
  if (isIp4(address)) return address.toString();
  const hex = address
    .toByteArray()
    .map((byte) => byte.toString(16).padStart(2, "0"))
    .join("");
  return hex.toUpperCase().split("").join(".");
}

/** The readable form (section 7.3, "c"). */
export function readableAddress(address: Address): string {
  return isIp4(address) ? address.toString() : address.toRFC5952String();
}

/** The zone of reverse DNS (section 7.3, "v"). */
export function reverseZone(address: Address): "in-addr" | "ip6" {
  return isIp4(address) ? "in-addr" : "ip6";
}

/** The name whose PTR records name the address. */
export function reverseName(address: Address): string {
  return `${dottedAddress(address).split(".").toReversed().join(".")}.${reverseZone(address)}.arpa`;
}
