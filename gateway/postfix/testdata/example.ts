/** An example host, and routes that have every directive, in every stage. */

import type { Route, RouteRecord } from "../../../mail/route.ts";
import { leavingTimes } from "../../../mail/route-life.ts";
import { type GatewayHostConfig, parseHostConfig } from "../../host-config.ts";

/** Addresses are those that documents may use (RFC 5737). */
export function exampleHost(more: Partial<GatewayHostConfig> = {}): GatewayHostConfig {
  const config = {
    slot: "a",
    gateway: "example",
    smtpIn: "smtp-in.gateway.example",
    smtpRelay: "smtp-relay.gateway.example",
    inbound: { address: "10.20.0.11", publicAddress: "192.0.2.11" },
    relay: { address: "10.20.0.12", publicAddress: "192.0.2.12" },
    peers: [{ slot: "b", inboundAddress: "10.20.1.11" }],
    store: { table: "mxhero-example", region: "eu-central-1", secretPrefix: "/mxhero/example" },
    bundle: "0".repeat(64),
    networkTls: {
      certificateSecret: "/mxhero/example/certificate",
      keySecret: "/mxhero/example/key",
    },
    ...more,
  };
  return parseHostConfig(JSON.stringify(config));
}

/** The instant of the examples. */
export const now = new Date("2026-06-01T12:00:00Z");

/** A route of a domain: inbound, to its own mail host, and nothing else, if nothing else is said. */
export function exampleRoute(domain: string, more: Partial<Route> = {}): Route {
  return {
    domain,
    server: `mail.${domain}`,
    mxLookup: false,
    rcptLookup: { kind: "off" },
    inbound: true,
    outbound: "none",
    identities: [],
    probeRecipient: `info@${domain}`,
    fixIt: "https://help.example/leaving",
    ...more,
  };
}

/** A route that serves. `leftDaysAgo`: it was given up then. */
export function exampleRecord(route: Route, leftDaysAgo?: number): RouteRecord {
  const holder = { organisation: "contoso", claims: ["contoso.1"] };
  const record = { domain: route.domain, holder, revision: 1, active: { version: 1, route } };
  if (leftDaysAgo === undefined) return record;
  const since = new Date(now.getTime() - leftDaysAgo * 86_400_000);
  return { ...record, leaving: leavingTimes(since) };
}

/** Passwords that the secret store would have. */
export function passwordOf({ secret }: { readonly secret: string }): string | undefined {
  return secret === "late" ? undefined : `secret-of-${secret}`;
}

const network = "198.51.100.0/28";
const sends = { outbound: "standard", identities: [{ kind: "network", network }] } as const;
const login = (secret: string) => ({ user: `gateway@${secret}`, secret, secretVersion: 1 });
const relay = { host: "relay.example", port: 25, tls: "opportunistic" } as const;

export const exampleRecords: readonly RouteRecord[] = [
  exampleRecord(exampleRoute("by-name.example")),
  exampleRecord(exampleRoute("by-ipv4.example", { server: "192.0.2.80" })),
  exampleRecord(exampleRoute("by-ipv6.example", { server: "2001:db8::80" })),
  exampleRecord(exampleRoute("mx-lookup.example", { server: "mx.example", mxLookup: true })),
  exampleRecord(exampleRoute("probe.example", { rcptLookup: { kind: "probe" } })),
  exampleRecord(
    exampleRoute("list.example", {
      rcptLookup: { kind: "list", recipients: ["info@list.example", "o'neil@list.example"] },
    }),
  ),
  exampleRecord(
    exampleRoute("xn--bcher-kva.example", {
      ...sends,
      rcptLookup: { kind: "list", recipients: ["info@xn--bcher-kva.example"] },
      relayServer: relay,
    }),
  ),
  exampleRecord(exampleRoute("outbound-only.example", { ...sends, inbound: false })),
  exampleRecord(
    exampleRoute("relay-port.example", { ...sends, relayServer: { ...relay, port: 2525 } }),
  ),
  exampleRecord(
    exampleRoute("relay-required.example", {
      ...sends,
      relayServer: { ...relay, port: 587, tls: "required", login: login("relay-required.example") },
    }),
  ),
  exampleRecord(
    exampleRoute("relay-verified.example", {
      ...sends,
      relayServer: { ...relay, port: 587, tls: "verified", login: login("relay-verified.example") },
    }),
  ),
  exampleRecord(
    exampleRoute("relay-late.example", {
      ...sends,
      relayServer: { ...relay, tls: "required", login: login("late") },
    }),
  ),
  {
    ...exampleRecord(exampleRoute("relay-ended.example")),
    formerWay: {
      outbound: "standard",
      relayServer: { ...relay, tls: "required", login: login("relay-ended.example") },
    },
  },
  {
    ...exampleRecord(exampleRoute("inbound-just-ended.example", { inbound: false })),
    formerServer: {
      server: "old.example",
      mxLookup: true,
      until: "2026-06-07T12:00:00.000Z",
      accepts: { rcptLookup: { kind: "probe" }, until: "2026-06-01T12:00:01.000Z" },
    },
  },
  {
    ...exampleRecord(exampleRoute("inbound-ended.example", { inbound: false })),
    formerServer: {
      server: "old.example",
      mxLookup: true,
      until: "2026-06-01T12:00:01.000Z",
      accepts: { rcptLookup: { kind: "off" }, until: "2026-06-01T12:00:00.000Z" },
    },
  },
  {
    ...exampleRecord(exampleRoute("inbound-long-ended.example", { inbound: false })),
    formerServer: { server: "old.example", mxLookup: true, until: "2026-06-01T12:00:00.000Z" },
  },
  {
    ...exampleRecord(exampleRoute("loopback-ended.example")),
    formerWay: { outbound: "loopback" },
  },
  exampleRecord(exampleRoute("loopback.example", { ...sends, outbound: "loopback" })),
  exampleRecord(exampleRoute("leaving.example", sends), 1),
  exampleRecord(exampleRoute("deferring.example", { ...sends, relayServer: relay }), 8),
  exampleRecord(exampleRoute("refusing.example", { ...sends, relayServer: relay }), 10),
  exampleRecord(exampleRoute("expired.example", sends), 100),
];
