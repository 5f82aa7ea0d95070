/** What is wrong with the next hops of a route: its Server and its Relay Server. */
import { isIP } from "node:net";
import { parseIpAddress, specialAddress } from "./address-scope.ts";
import { parseDomainName } from "./domain-name.ts";
import { faultsOfReading, type MailRuleFault } from "./errors.ts";
import type { GatewayFacts, PartialRoute } from "./partial-route.ts";
import { type RelayServer, TLS_LEVELS } from "./route.ts";

/** Of the Server. */
export function hopFaults(
  { server, mxLookup }: PartialRoute,
  gateway: GatewayFacts,
): MailRuleFault[] {
  if (server === undefined) return [];
  const fix = "Name the system that finally receives the mail.";
  const faults = hostFaults(server, "server", fix, gateway);
  if (mxLookup !== true || isIP(server) === 0) return faults;
  return [
    ...faults,
    {
      code: "mx-lookup-of-address",
      where: "mxLookup",
      value: "true",
      problem: `The Server ${JSON.stringify(server)} is an address, and an address has no MX records.`,
      fix: "Delete mxLookup, or give the Server by name.",
    },
  ];
}

/** Of the Relay Server. */
export function relayServerFaults(
  { relayServer, server, outbound }: PartialRoute,
  gateway: GatewayFacts,
): MailRuleFault[] {
  if (relayServer === undefined) return [];
  const { host } = relayServer;
  const fix = "Name the host behind the gateway, or delete it.";
  const faults = hostFaults(host, "relayServer", fix, gateway);
  if (outbound !== undefined && outbound !== "standard") {
    faults.push({
      code: "outbound-standard-needed",
      where: "relayServer",
      value: host,
      problem: `${JSON.stringify(host)} has no effect with outbound ${JSON.stringify(outbound)}.`,
      fix: "Delete relayServer, or write outbound: standard.",
    });
  }
  if (host === server) {
    faults.push({
      code: "relay-server-is-server",
      where: "relayServer",
      value: host,
      problem: `${JSON.stringify(host)} is the domain's own Server: outbound mail would come back in.`,
      fix: "Delete relayServer. If the mail system is to send the mail itself, write outbound: loopback.",
    });
  }
  return [...faults, ...tlsFaults(relayServer), ...loginFaults(relayServer)];
}

function tlsFaults({ host, tls }: RelayServer): MailRuleFault[] {
  const where = "relayServer.tls";
  if (!TLS_LEVELS.includes(tls)) {
    const problem = `${JSON.stringify(tls)} is not a level of TLS.`;
    const fix = `Write one of: ${TLS_LEVELS.join(", ")}.`;
    return [{ code: "tls-level-unknown", where, value: tls, problem, fix }];
  }
  if (tls !== "verified" || isIP(host) === 0) return [];
  return [
    {
      code: "tls-verified-address",
      where,
      value: tls,
      problem: `The certificate cannot be verified: ${JSON.stringify(host)} is an address, and a certificate is for a name.`,
      fix: "Give the Relay Server by name, or write tls: required.",
    },
  ];
}

function loginFaults({ login, tls }: RelayServer): MailRuleFault[] {
  if (login === undefined) return [];
  const faults: MailRuleFault[] = [];
  // A colon ends the user in Postfix's table of passwords.
  if (!/^[^:\p{C}\s](?:[^:\p{C}]*[^:\p{C}\s])?$/u.test(login.user)) {
    faults.push({
      code: "relay-login-user-malformed",
      where: "relayServer.login.user",
      value: login.user,
      problem: `${JSON.stringify(login.user)} is not a user name that the gateway can log in with.`,
      fix: "Write it without colons and control characters.",
    });
  }
  if (tls === "opportunistic") {
    faults.push({
      code: "relay-login-without-tls",
      where: "relayServer.login",
      value: login.user,
      problem: "The password could cross the network in clear: TLS is opportunistic.",
      fix: "Write tls: required, or better tls: verified, beside the login.",
    });
  }
  return faults;
}

/** Of a host that the gateway is to connect to. */
function hostFaults(
  host: string,
  where: string,
  fix: string,
  { hosts, nextHops }: GatewayFacts,
): MailRuleFault[] {
  if (host === "") {
    const problem =
      "It is empty, so the gateway would deliver to itself by the domain's public MX.";
    return [{ code: "loop-server-empty", where, value: host, problem, fix }];
  }
  const address = parseIpAddress(host);
  if (address === undefined) {
    const faults = faultsOfReading(() => parseDomainName(host), where);
    if (faults.length > 0) return faults;
  }
  if (hosts.has(host)) {
    const problem = `${JSON.stringify(host)} is the gateway itself: mail would go round in a loop.`;
    return [{ code: "loop-through-gateway", where, value: host, problem, fix }];
  }
  const special = nextHops && address && specialAddress(address, nextHops);
  if (special === undefined) return [];
  const problem = `${JSON.stringify(host)} is ${special}, which the gateway does not connect to.`;
  const publicFix = `${fix} Give it by name or by its public address.`;
  return [{ code: "next-hop-special", where, value: host, problem, fix: publicFix }];
}
