/**
 * The resource `Drain`: stands between a domain's MX and its SPF record. Its delete waits until the domain's
 * mail has stopped to go out through the gateway, and its mail system to hand inbound mail over. An update asks
 * for a person's word where the SPF record loses the gateway, and nobody here can see whether mail leaves from it.
 *
 * Wiring only: whether it is quiet is decided in mail/outbound-quiet.ts.
 */
import { parseClaim } from "../mail/journal.ts";
import { wayUnconfirmed } from "../mail/outbound-words.ts";
import { releaseClaim } from "../mail/route-claim.ts";
import { routeStage } from "../mail/route-life.ts";
import type { RouteStore } from "../store/route-store.ts";
import { drainInputs, type DrainInputs as Inputs } from "./drain-schema.ts";
import { withFormerStore } from "./former-gateways.ts";
import { refuseBlindMove } from "./former-term.ts";
import { inputChange } from "./input-changes.ts";
import { withRouteStore } from "./open-route-store.ts";
import type { Call, ResourceKind } from "./resource.ts";
import { isConfirmed, refuseUnconfirmed, untilQuiet, warnOfQueue } from "./until-quiet.ts";

export const drain: ResourceKind<Inputs, Inputs> = {
  type: "mxhero:index:Drain",
  inputs: drainInputs,
  outputs: drainInputs,
  replaceOn: ["domain"],

  diff(old, news) {
    const keys = [
      "mailSystem",
      "relay",
      "quietSeconds",
      "store",
      "claim",
      "former",
      "include",
      "handsOverTo",
    ] as const;
    const changes = keys.flatMap((key) => inputChange(key, old[key], news[key]));
    if (old.domain === news.domain) return changes;
    return [...changes, { path: "domain", kind: "update", replace: true }];
  },

  create: (inputs) => Promise.resolve({ id: inputs.domain, outputs: inputs }),

  read: (_id, old) =>
    Promise.resolve(old === undefined ? undefined : { inputs: old, outputs: old }),

  update(_id, old, news, call) {
    const lost = news.include === undefined ? old.include : undefined;
    const isBlind = old.store === undefined && news.store === undefined;
    if (lost !== undefined && isBlind && news.quietSeconds > 0 && !isConfirmed(news, call)) {
      throw wayUnconfirmed(news, lost);
    }
    refuseBlindMove(old, news, call);
    return Promise.resolve(news);
  },

  async delete(_id, old, call) {
    const { store: place, quietSeconds } = old;
    if (place === undefined) return quietSeconds === 0 ? undefined : refuseUnconfirmed(old, call);
    const isAsked = quietSeconds > 0 && !isConfirmed(old, call);
    if (!isAsked) return warnOfQueue(place, old, call);
    for (const { relay, store: each } of old.former) {
      const wait = (store: RouteStore) => untilLeft(store, { ...old, relay }, call);
      await withFormerStore(each, old.domain, call, wait);
    }
    await withRouteStore(place, (store) => untilLeft(store, old, call));
  },
};

async function untilLeft(store: RouteStore, inputs: Inputs, call: Call): Promise<void> {
  if (!(await isLastToLeave(store, inputs))) return;
  await untilQuiet(store, inputs, inputs, call);
  const { handsOverTo, quietSeconds } = inputs;
  if (handsOverTo === undefined) return;
  const goal = { quietSeconds, direction: "inbound" } as const;
  await untilQuiet(store, { ...inputs, relay: handsOverTo }, goal, call);
}

/** Whether the gateway takes mail of the domain for this resource alone, so that it stops with it. */
async function isLastToLeave(store: RouteStore, { domain, claim }: Inputs): Promise<boolean> {
  const { record } = await store.readDomain(domain);
  if (record === undefined || !RELAYING.has(routeStage(record, new Date()))) return false;
  return claim === undefined || releaseClaim(record, parseClaim(claim)).kind === "last";
}

/** The stages in which the gateway takes mail of the domain. */
const RELAYING: ReadonlySet<string> = new Set(["active", "leaving"]);
