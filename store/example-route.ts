/** For tests: a route with all that a route may have, and what a store is filled with. */

import type { Route } from "../mail/route.ts";
import type { RouteContent } from "../mail/route-changes.ts";

export function exampleRoute(route: Partial<Route> = {}): Route {
  return {
    domain: "contoso.test",
    server: "mail.contoso.test",
    mxLookup: false,
    rcptLookup: { kind: "off" },
    inbound: true,
    outbound: "standard",
    relayServer: {
      host: "relay.contoso.test",
      port: 587,
      tls: "verified",
      login: { user: "contoso", secret: "relay/contoso.test", secretVersion: 1 },
    },
    identities: [{ kind: "network", network: "192.0.2.7/32" }],
    probeRecipient: "info@contoso.test",
    fixIt: "https://help.example.com/leave",
    ...route,
  };
}

/** A record with this route as its active version. */
export function activeRecord(route: Partial<Route> = {}, organisation = "contoso"): RouteContent {
  const whole = exampleRoute(route);
  const holder = { organisation, claims: ["0123abcd.00000001"] };
  return { domain: whole.domain, holder, active: { version: 1, route: whole } };
}
