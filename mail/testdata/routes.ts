/** Routes for tests: a tenant's domain with everything that a route needs. */
import type { Route, RouteRecord } from "../route.ts";

export const NOW = new Date("2026-11-26T12:00:00.000Z");

export function routeOf(domain: string, changes: Partial<Route> = {}): Route {
  return {
    domain,
    server: `mail.${domain}`,
    mxLookup: false,
    rcptLookup: { kind: "off" },
    inbound: true,
    outbound: "standard",
    identities: [{ kind: "network", network: "192.0.2.7/32" }],
    probeRecipient: `postmaster@${domain}`,
    fixIt: "https://gateway.example/help",
    ...changes,
  };
}

/** An active route of the organisation. */
export function recordOf(route: Route, organisation = "contoso"): RouteRecord {
  return {
    domain: route.domain,
    holder: { organisation, claims: ["0a1b2c3d.4e5f6071"] },
    revision: 1,
    active: { version: 1, route },
  };
}
