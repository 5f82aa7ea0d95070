/** Finds the Server values that send a domain's mail back to the gateway it just came from. */

import { isIP } from "node:net";
import ipaddr from "ipaddr.js";
import type { DnsValue, Resolver } from "./dns.ts";
import { MailRuleError } from "./errors.ts";

export interface LoopQuestion {
  /** The domain's Server: a host name as `parseDomainName` returns it, an IP address, or `""`. */
  readonly server: string;
  /** Every host name of the gateway: its MX targets, smtp-in, smtp-relay and their aliases. */
  readonly gatewayHosts: readonly string[];
  /** Domains whose MX the gateway takes over. Their public MX may still be the old one. */
  readonly takenOverDomains?: readonly string[];
  /** MX Lookup: the next hop is found by the MX records of Server; without any, by its addresses. */
  readonly mxLookup: boolean;
  readonly resolver: Resolver;
}

export interface Loop {
  readonly code:
    | "loop-server-empty"
    | "loop-server-is-gateway"
    | "loop-server-address-is-gateway"
    | "loop-server-domain-is-taken-over"
    | "loop-mx-of-server-is-gateway";
  /** One sentence in plain words, with the values that show the loop. */
  readonly description: string;
}

/**
 * Looks for a loop.
 *
 * @returns the first loop found, or `undefined` where none is.
 * @throws {MailRuleError} `loop-lookup-failed` where a DNS answer that decides is missing.
 */
export async function findLoop(question: LoopQuestion): Promise<Loop | undefined> {
  return loopByName(question) ?? (await loopByDns(question));
}

function loopByName(question: LoopQuestion): Loop | undefined {
  const { server, gatewayHosts, takenOverDomains = [], mxLookup } = question;
  if (server === "") {
    return {
      code: "loop-server-empty",
      description:
        "Server is empty, so the gateway would deliver by the domain's public MX, which points at the gateway itself.",
    };
  }
  if (gatewayHosts.includes(server)) {
    return {
      code: "loop-server-is-gateway",
      description: `Server "${server}" is a host of the gateway itself.`,
    };
  }
  if (mxLookup && takenOverDomains.includes(server)) {
    return {
      code: "loop-server-domain-is-taken-over",
      description: `MX Lookup is on and Server "${server}" is a domain whose MX the gateway takes over, so its mail would come back.`,
    };
  }
  return undefined;
}

async function loopByDns(question: LoopQuestion): Promise<Loop | undefined> {
  const { server, gatewayHosts, resolver } = question;
  const resolved = await Promise.all(
    gatewayHosts.map(async (host) =>
      (await addressesOf(host, resolver)).map((address) => [address, host] as const),
    ),
  );
  const gatewayAddresses = new Map(resolved.flat());
  for (const hop of await nextHops(question)) {
    const shared = (await addressesOf(hop, resolver)).find((found) => gatewayAddresses.has(found));
    const meeting = gatewayHosts.includes(hop)
      ? "which is a host of the gateway"
      : shared &&
        `which has the address ${shared} of the gateway's "${gatewayAddresses.get(shared)}"`;
    if (meeting !== undefined)
      return hop === server ? addressLoop(server, meeting) : mxLoop(server, hop, meeting);
  }
  return undefined;
}

/** The hosts that the gateway would connect to: RFC 5321 section 5.1, or Server alone without MX Lookup. */
async function nextHops({ server, mxLookup, resolver }: LoopQuestion): Promise<string[]> {
  if (!mxLookup || isIP(server) !== 0) return [server];
  const mx = await look(resolver, server, "MX");
  if (mx.length === 0) return [server];
  return mx.map(({ exchange }) => exchange).filter((exchange) => exchange !== "");
}

/** The addresses of a host name or address literal, each in its one canonical form. */
async function addressesOf(host: string, resolver: Resolver): Promise<string[]> {
  const addresses =
    isIP(host) === 0
      ? (await Promise.all([look(resolver, host, "A"), look(resolver, host, "AAAA")])).flat()
      : [host];
  return addresses.map((address) => ipaddr.process(address).toString());
}

async function look<T extends "A" | "AAAA" | "MX">(
  resolver: Resolver,
  name: string,
  type: T,
): Promise<readonly DnsValue[T][]> {
  const { status, records } = await resolver(name, type);
  if (status === "servfail" || status === "timeout") {
    throw new MailRuleError({
      code: "loop-lookup-failed",
      problem: `Whether mail would loop is not known: the ${type} lookup of "${name}" ended with ${status}.`,
      fix: "Check the name and its name servers, and try again.",
      value: name,
    });
  }
  return records;
}

function addressLoop(server: string, meeting: string): Loop {
  return {
    code: "loop-server-address-is-gateway",
    description: `The gateway would deliver to Server "${server}", ${meeting}.`,
  };
}

function mxLoop(server: string, exchange: string, meeting: string): Loop {
  return {
    code: "loop-mx-of-server-is-gateway",
    description: `MX Lookup is on and the MX of Server "${server}" names "${exchange}", ${meeting}.`,
  };
}
