/**
 * The resource `Drain`: stands between a domain's MX and its SPF record. Its delete waits until the domain's
 * mail has stopped to go out through the gateway; create and update do nothing.
 *
 * Wiring only: whether it is quiet is decided in mail/outbound-quiet.ts.
 */
import { parseClaim } from "../mail/journal.ts";
import { releaseClaim } from "../mail/route-claim.ts";
import { routeStage } from "../mail/route-life.ts";
import type { RouteStore } from "../store/route-store.ts";
import { drainInputs, type DrainInputs as Inputs } from "./drain-schema.ts";
import { inputChange } from "./input-changes.ts";
import { withRouteStore } from "./open-route-store.ts";
import type { ResourceKind } from "./resource.ts";
import { isConfirmed, refuseUnconfirmed, untilQuiet } from "./until-quiet.ts";

export const drain: ResourceKind<Inputs, Inputs> = {
  type: "mxhero:index:Drain",
  inputs: drainInputs,
  outputs: drainInputs,
  replaceOn: ["domain"],

  diff(old, news) {
    const keys = ["mailSystem", "relay", "quietSeconds", "store", "claim", "former"] as const;
    const changes = keys.flatMap((key) => inputChange(key, old[key], news[key]));
    if (old.domain === news.domain) return changes;
    return [...changes, { path: "domain", kind: "update", replace: true }];
  },

  create: (inputs) => Promise.resolve({ id: inputs.domain, outputs: inputs }),

  read: (_id, old) =>
    Promise.resolve(old === undefined ? undefined : { inputs: old, outputs: old }),

  update: (_id, _old, news) => Promise.resolve(news),

  async delete(_id, old, call) {
    if (old.quietSeconds === 0) return;
    const { store: place } = old;
    if (place === undefined) return refuseUnconfirmed(old, call);
    if (isConfirmed(old, call)) return;
    for (const { relay, store: each } of [...old.former, { relay: old.relay, store: place }]) {
      await withRouteStore(each, async (store) => {
        if (await isLastToLeave(store, old)) await untilQuiet(store, { ...old, relay }, old, call);
      });
    }
  },
};

/** Whether the gateway takes mail of the domain for this resource alone, so that it stops with it. */
async function isLastToLeave(store: RouteStore, { domain, claim }: Inputs): Promise<boolean> {
  const { record } = await store.readDomain(domain);
  if (record === undefined || !RELAYING.has(routeStage(record, new Date()))) return false;
  return claim === undefined || releaseClaim(record, parseClaim(claim)).kind === "last";
}

/** The stages in which the gateway takes mail of the domain. */
const RELAYING: ReadonlySet<string> = new Set(["active", "leaving"]);
