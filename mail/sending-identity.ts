/**
 * By what a sending mail system is recognised: its network, or its client certificate.
 *
 * An identity belongs to one organisation, so whatever many organisations share is refused.
 */
import ipaddr from "ipaddr.js";
import { type NextHops, parseIpAddress, specialAddress } from "./address-scope.ts";
import { MailRuleError } from "./errors.ts";
import type { SendingIdentity } from "./route.ts";
import { SHARED_NETWORKS } from "./shared-networks.ts";
import type { Address } from "./spf/address.ts";

/** The widest networks: what one organisation may have of its own, and one block of the route store. */
const WIDEST = { ipv4: 16, ipv6: 32 } as const;

/** Octets of the digests that people mistake for SHA-256. */
const OTHER_DIGESTS: Readonly<Record<number, string>> = { 16: "MD5", 20: "SHA-1", 64: "SHA-512" };

/** What stands in front of a fingerprint: `SHA256:`, or OpenSSL's `sha256 Fingerprint=`. */
const DIGEST_NAME = /^\s*(?:sha-?256\s*(?:fingerprint)?\s*[:=])\s*/i;

/**
 * Reads what a person writes: `192.0.2.7`, `192.0.2.0/24`, `2001:db8:1::/48`, or a certificate's SHA-256
 * fingerprint as 64 hex digits, with or without colons or spaces.
 *
 * @param nextHops `private` admits addresses of private networks, for a gateway inside one.
 * @throws {MailRuleError} with a code that starts with `identity-`.
 */
export function parseSendingIdentity(text: string, nextHops: NextHops): SendingIdentity {
  const hex = text.replace(DIGEST_NAME, "").replaceAll(/[\s:-]/g, "");
  const isNetwork = /[./]/.test(text) || parseIpAddress(text) !== undefined;
  if (isNetwork || !/^[0-9a-f]{32,}$/i.test(hex)) return parseNetwork(text, nextHops);
  return { kind: "certificate", fingerprint: parseFingerprint(text, hex) };
}

/** The identity as people write it: a network of one address without its length. */
export function formatSendingIdentity(identity: SendingIdentity): string {
  if (identity.kind === "certificate") return identity.fingerprint;
  return identity.network.replace(/^([\d.]+)\/32$|^([\da-f:]+)\/128$/, "$1$2");
}

/** Whether one client can be both. */
export function identitiesOverlap(a: SendingIdentity, b: SendingIdentity): boolean {
  if (a.kind === "certificate" || b.kind === "certificate") {
    return formatSendingIdentity(a) === formatSendingIdentity(b);
  }
  return networksOverlap(a.network, b.network);
}

/**
 * Where the route store keeps who has the identity: identities that overlap have the same block. It is the
 * IPv4 /16 or IPv6 /32 around a network (none is wider), or the fingerprint.
 */
export function identityBlock(identity: SendingIdentity): string {
  if (identity.kind === "certificate") return identity.fingerprint;
  const [address] = ipaddr.parseCIDR(identity.network);
  return networkOf(address, WIDEST[address.kind()]);
}

/** The network that has the address in it, in normal form: `networkOf(192.0.2.7, 24)` is `192.0.2.0/24`. */
export function networkOf(address: Address, length: number): string {
  const cidr = `${address.toString()}/${length}`;
  const first =
    address.kind() === "ipv4"
      ? ipaddr.IPv4.networkAddressFromCIDR(cidr)
      : ipaddr.IPv6.networkAddressFromCIDR(cidr);
  return `${first.toString()}/${length}`;
}

function parseNetwork(text: string, nextHops: NextHops): SendingIdentity {
  const [, addressText = "", lengthText] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(text.trim()) ?? [];
  const address = parseIpAddress(addressText);
  if (address === undefined) throw malformed(text);
  const bits = address.kind() === "ipv4" ? 32 : 128;
  const length = lengthText === undefined ? bits : Number(lengthText);
  if (length > bits) throw malformed(text);
  if (length < WIDEST[address.kind()]) throw tooWide(text, address, length);
  const network = networkOf(address, length);
  const special = [address, lastAddress(network)].map((end) => specialAddress(end, nextHops));
  const word = special.find((found) => found !== undefined);
  if (word !== undefined || isGatewayItself(network)) {
    throw specialNetwork(text, word ?? "the gateway host's own loopback address");
  }
  if (!network.startsWith(`${address.toString()}/`)) throw hostBits(text, address, network);
  const shared = SHARED_NETWORKS.find(({ networks }) =>
    networks.some((other) => networksOverlap(network, other)),
  );
  if (shared !== undefined) throw sharedNetwork(text, shared.service);
  return { kind: "network", network };
}

function parseFingerprint(text: string, hex: string): string {
  if (hex.length === 64) return hex.toLowerCase().match(/../g)?.join(":") ?? "";
  const digest = OTHER_DIGESTS[hex.length / 2];
  throw fault(
    "identity-fingerprint-malformed",
    text,
    digest === undefined
      ? `has ${hex.length} hex digits, and a SHA-256 fingerprint has 64`
      : `is as long as a fingerprint of ${digest}, and SHA-256 is needed`,
    "Take it from openssl x509 -noout -fingerprint -sha256 -in <certificate>.",
  );
}

function networksOverlap(a: string, b: string): boolean {
  const [[addressA, lengthA], [addressB, lengthB]] = [ipaddr.parseCIDR(a), ipaddr.parseCIDR(b)];
  if (addressA.kind() !== addressB.kind()) return false;
  const common = Math.min(lengthA, lengthB);
  return networkOf(addressA, common) === networkOf(addressB, common);
}

function lastAddress(network: string): Address {
  return network.includes(":")
    ? ipaddr.IPv6.broadcastAddressFromCIDR(network)
    : ipaddr.IPv4.broadcastAddressFromCIDR(network);
}

/** Whatever runs on the gateway host must not be taken for a tenant. */
function isGatewayItself(network: string): boolean {
  return networksOverlap(network, "127.0.0.1/32") || networksOverlap(network, "::1/128");
}

function malformed(text: string): MailRuleError {
  return fault(
    "identity-malformed",
    text,
    "is neither an address, nor a network, nor a certificate's fingerprint",
    "Write 192.0.2.7, 192.0.2.0/24, 2001:db8:1::/48, or the SHA-256 fingerprint of the client certificate.",
  );
}

function specialNetwork(text: string, word: string): MailRuleError {
  return fault(
    "identity-network-special",
    text,
    `is ${word}, from which no mail can come here`,
    "Write the public address from which the mail system sends.",
  );
}

function tooWide(text: string, address: Address, length: number): MailRuleError {
  const widest = WIDEST[address.kind()];
  return fault(
    "identity-network-too-wide",
    text,
    `is a /${length}, and the widest network that is accepted is /${widest}`,
    "Name the addresses from which the mail system sends, each by itself or as narrow networks.",
  );
}

function hostBits(text: string, address: Address, network: string): MailRuleError {
  return fault(
    "identity-network-host-bits",
    text,
    "is an address inside of a network, with the network's length",
    `Write ${network} for the network, or ${address.toString()} for the address.`,
  );
}

function sharedNetwork(text: string, service: string): MailRuleError {
  return fault(
    "identity-network-shared",
    text,
    `belongs to ${service}, where all tenants send from the same addresses: any of them could send as yours`,
    "Such a system needs a header with a secret of its tenant, which the gateway does not check yet. Until then " +
      "send through a host or with a certificate of your own, or write outbound: none.",
  );
}

function fault(code: string, value: string, problem: string, fix: string): MailRuleError {
  return new MailRuleError({ code, problem: `${JSON.stringify(value)} ${problem}.`, fix, value });
}
