/**
 * The resource `GatewayHosts`: the names by which the world knows a fleet. Its addresses, its records and its slots
 * come after it, so that a run with other names comes to it first. It refuses them while tenants' mail goes through
 * the fleet: their MX and SPF records name the former ones.
 */
import type { z } from "zod";
import { MailRuleError } from "../mail/errors.ts";
import { servedDomains, servedWords } from "./gateway-fleet.ts";
import { gatewayHostsInputs } from "./gateway-schema.ts";
import { inputChange } from "./input-changes.ts";
import { withRouteStore } from "./open-route-store.ts";
import type { ResourceKind } from "./resource.ts";

type Inputs = z.output<typeof gatewayHostsInputs>;

const NAMES = ["smtpIn", "smtpRelay", "smtp", "spf"] as const;

export const gatewayHosts: ResourceKind<Inputs, Inputs> = {
  type: "mxhero:index:GatewayHosts",
  inputs: gatewayHostsInputs,
  outputs: gatewayHostsInputs,

  diff(old, news) {
    const keys = ["gateway", "store", ...NAMES] as const;
    return keys.flatMap((key) => inputChange(key, old[key], news[key]));
  },

  create: (inputs) => Promise.resolve({ id: inputs.gateway, outputs: inputs }),

  read: (_id, old) =>
    Promise.resolve(old === undefined ? undefined : { inputs: old, outputs: old }),

  /** In a preview, too: the store is only read. */
  async update(_id, old, news) {
    const changed = NAMES.filter((name) => old[name] !== news[name]);
    if (changed.length === 0) return news;
    const domains = await withRouteStore(old.store, servedDomains);
    if (domains.length > 0) {
      const renamed = changed.map((name) => `${old[name]} to ${news[name]}`);
      throw isRenamed(old.gateway, renamed.join(", "), domains);
    }
    return news;
  },

  delete: () => Promise.resolve(),
};

function isRenamed(gateway: string, renamed: string, domains: readonly string[]): MailRuleError {
  return new MailRuleError({
    code: "fleet-renamed",
    where: `gateway ${gateway}`,
    value: renamed,
    problem: `Its names would change: ${renamed}. ${servedWords(domains)} Their MX and SPF records name the former ones, which would lead nowhere. Nothing was changed.`,
    fix: 'Write the former names again (gateway:domain, gateway:hosts). Build a second gateway\'s stack with the new ones, and move the tenants to it: README, "To another gateway".',
  });
}
