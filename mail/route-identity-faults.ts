/** What is wrong with the sending identities of a route. */
import { parseIpAddress } from "./address-scope.ts";
import { faultsOfReading, type MailRuleFault } from "./errors.ts";
import type { GatewayFacts, PartialRoute } from "./partial-route.ts";
import type { SendingIdentity } from "./route.ts";
import {
  formatSendingIdentity,
  identitiesOverlap,
  networkOf,
  parseSendingIdentity,
} from "./sending-identity.ts";

/**
 * How many identities a route may have. One write of the store has at most 100 items (DynamoDB,
 * `TransactWriteItems`), and takes one for each block of the identities before and after.
 */
const MAXIMUM = 40;

export function identityFaults(
  { identities, outbound }: PartialRoute,
  { nextHops = "public", hosts }: GatewayFacts,
): MailRuleFault[] {
  if (identities === undefined) return [];
  return [
    ...necessityFaults(identities, outbound),
    ...identities.flatMap((identity, index) => {
      const where = `identities[${index}]`;
      const text = formatSendingIdentity(identity);
      const faults = [
        ...faultsOfReading(() => parseSendingIdentity(text, nextHops), where),
        ...gatewayFaults(identity, hosts, where),
      ];
      const earlier = identities.slice(0, index);
      return faults.length > 0 ? faults : overlapFaults(identity, earlier, where);
    }),
  ];
}

/** Mail of other tenants comes from the gateway, too: whoever had it as an identity could not be told from them. */
function gatewayFaults(
  identity: SendingIdentity,
  hosts: ReadonlySet<string>,
  where: string,
): MailRuleFault[] {
  const own = [...hosts].find((host) => {
    const address = parseIpAddress(host);
    if (address === undefined) return false;
    const network = networkOf(address, address.kind() === "ipv4" ? 32 : 128);
    return identitiesOverlap(identity, { kind: "network", network });
  });
  if (own === undefined) return [];
  const value = formatSendingIdentity(identity);
  return [
    {
      code: "identity-is-gateway",
      where,
      value,
      problem: `${JSON.stringify(value)} has the gateway's own address ${own} in it.`,
      fix: "Name the addresses from which the mail system itself sends.",
    },
  ];
}

function necessityFaults(
  identities: readonly SendingIdentity[],
  outbound: PartialRoute["outbound"],
): MailRuleFault[] {
  const where = "identities";
  if (outbound === "none" && identities.length > 0) {
    return [
      {
        code: "identity-without-outbound",
        where,
        value: identities.map(formatSendingIdentity).join(", "),
        problem:
          'It has no effect with outbound "none": no mail of the domain leaves through the gateway.',
        fix: "Delete it, or write outbound: standard or outbound: loopback.",
      },
    ];
  }
  if (identities.length > MAXIMUM) {
    const problem = `There are ${identities.length} of them, and ${MAXIMUM} are possible.`;
    const fix = "Name networks instead of single addresses, or a client certificate.";
    return [{ code: "identity-too-many", where, problem, fix }];
  }
  if (outbound === undefined || outbound === "none" || identities.length > 0) return [];
  return [
    {
      code: "identity-missing",
      where,
      problem: "Nobody may send as the domain, and its mail is to leave through the gateway.",
      fix: "Name the addresses or the client certificate of the mail system, or write outbound: none.",
    },
  ];
}

/** Within one route it does no harm, and shows a misunderstanding. */
function overlapFaults(
  identity: SendingIdentity,
  earlier: readonly SendingIdentity[],
  where: string,
): MailRuleFault[] {
  const other = earlier.find((one) => identitiesOverlap(one, identity));
  if (other === undefined) return [];
  const value = formatSendingIdentity(identity);
  const problem = `${JSON.stringify(value)} overlaps with ${JSON.stringify(formatSendingIdentity(other))} of the same list.`;
  return [{ code: "identity-twice", where, value, problem, fix: "Delete the narrower one." }];
}
