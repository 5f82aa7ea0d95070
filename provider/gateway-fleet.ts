/**
 * The resource `GatewayFleet`: stands above everything that a fleet consists of, so that a destroy comes to
 * it first. It refuses while the fleet is protected or tenants' mail still goes through it.
 */
import type { z } from "zod";
import { MailRuleError } from "../mail/errors.ts";
import { lifeStage } from "../mail/route-life.ts";
import type { RouteStore } from "../store/route-store.ts";
import { gatewayFleetInputs } from "./gateway-schema.ts";
import { inputChange } from "./input-changes.ts";
import { withRouteStore } from "./open-route-store.ts";
import type { ResourceKind } from "./resource.ts";

type Inputs = z.output<typeof gatewayFleetInputs>;

/** How many domains a refusal names. */
const NAMED_DOMAINS = 50;

export const gatewayFleet: ResourceKind<Inputs, Inputs> = {
  type: "mxhero:index:GatewayFleet",
  inputs: gatewayFleetInputs,
  outputs: gatewayFleetInputs,

  diff(old, news) {
    const keys = ["gateway", "store", "deletionProtection"] as const;
    return keys.flatMap((key) => inputChange(key, old[key], news[key]));
  },

  create: (inputs) => Promise.resolve({ id: inputs.gateway, outputs: inputs }),

  read: (_id, old) =>
    Promise.resolve(old === undefined ? undefined : { inputs: old, outputs: old }),

  update: (_id, _old, news) => Promise.resolve(news),

  async delete(_id, { gateway, deletionProtection, store }) {
    if (deletionProtection) throw isProtected(gateway);
    const domains = await withRouteStore(store, servedDomains);
    if (domains.length > 0) throw hasRoutes(gateway, domains);
  },
};

/** The domains whose mail goes through the fleet, or is about to, sorted. */
export async function servedDomains(store: RouteStore): Promise<string[]> {
  const now = new Date();
  const { pages } = await store.allRoutes();
  const domains: string[] = [];
  for await (const records of pages) {
    const served = records.filter((record) => SERVED.has(lifeStage(record, now)));
    domains.push(...served.map(({ domain }) => domain));
  }
  return domains.toSorted();
}

/** Of those that are inactive, too: they come back, and their MX point here meanwhile. */
const SERVED: ReadonlySet<string> = new Set(["proposed", "active", "leaving"]);

/** The first of them by their names. */
export function servedWords(domains: readonly string[]): string {
  const others = domains.length - NAMED_DOMAINS;
  const count = domains.length === 1 ? "1 domain" : `${domains.length} domains`;
  return `Mail of ${count} goes through it: ${namedOf(domains)}${others > 0 ? ` and ${others} more` : ""}.`;
}

function namedOf(domains: readonly string[]): string {
  return domains.slice(0, NAMED_DOMAINS).join(", ");
}

function isProtected(gateway: string): MailRuleError {
  return new MailRuleError({
    code: "fleet-protected",
    where: `gateway ${gateway}`,
    problem: "Its deletionProtection is on. Nothing was changed.",
    fix: 'Write "gateway:deletionProtection: false", run pulumi up, then destroy.',
  });
}

function hasRoutes(gateway: string, domains: readonly string[]): MailRuleError {
  return new MailRuleError({
    code: "fleet-has-routes",
    where: `gateway ${gateway}`,
    value: namedOf(domains),
    problem: `${servedWords(domains)} Nothing was changed.`,
    fix: "Destroy the tenants' stacks, or move them to another gateway, and wait until their routes no longer deliver; then run the same command again.",
  });
}
