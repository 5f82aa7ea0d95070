/** Domains for the figures of large tenants: each a zone of its own, with an MX, an SPF record and one mail host. */
import type { World } from "../world.ts";

/** A mail host of the example world. */
const server = "mail.fabrikam.test";

/** Adds zones of these names to the world, as they are before onboarding; the gateway knows the domains. */
export async function addDomains(world: World, names: readonly string[]): Promise<void> {
  for (const name of names) {
    world.gateway?.routes.set(name, { server });
    const id = await world.cloudflare.addZone({ name });
    await world.cloudflare.seed(id, [
      { name, type: "MX", content: server, priority: 10 },
      { name, type: "TXT", content: `"v=spf1 a:${server} -all"` },
    ]);
  }
}

/** The configuration of a stack that brings the domains onto the world's gateway, without waits for time. */
export function tenantOf(names: readonly string[]): Readonly<Record<string, unknown>> {
  return {
    "mail:organisation": "many",
    "mail:gateway": {
      mx: [{ exchange: "smtp-in.gateway.test", preference: 10 }],
      smtpIn: "smtp-in.gateway.test",
      smtpRelay: "smtp-relay.gateway.test",
      spfInclude: "_spf.gateway.test",
    },
    "mail:domains": names.map((name) => ({
      name,
      mailSystem: "exchange",
      server,
      inbound: "border",
      outbound: "standard",
      overlapSeconds: 0,
    })),
  };
}

/** Names of domains that no other figure uses. */
export function namesOf(figure: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${figure}-${index + 1}.test`);
}
