/**
 * The resource `Drain`: stands between a domain's MX and its SPF record. Its delete waits until the domain's
 * mail has stopped to go out through the gateway, and its mail system to hand inbound mail over. An update asks
 * for a person's word where the SPF record loses the gateway, and nobody here can see whether mail leaves from it.
 *
 * Wiring only: whether it is quiet is decided in mail/outbound-quiet.ts.
 */
import { parseClaim } from "../mail/journal.ts";
import type { RouteRecord } from "../mail/route.ts";
import { releaseClaim } from "../mail/route-claim.ts";
import { endRefusal, type MailDirection, routeInForce, stageRefusal } from "../mail/route-life.ts";
import type { RouteStore } from "../store/route-store.ts";
import { drainInputs, type DrainInputs as Inputs } from "./drain-schema.ts";
import { askForMx, withFormerStore } from "./former-gateways.ts";
import { refuseLostUnseen } from "./former-term.ts";
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
      "replacements",
      "gatewayHosts",
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
    refuseLostUnseen(old, news, call);
    return Promise.resolve(news);
  },

  async delete(_id, old, call) {
    const { store: place, quietSeconds } = old;
    if (place === undefined) return quietSeconds === 0 ? undefined : refuseUnconfirmed(old, call);
    const isAsked = quietSeconds > 0 && !isConfirmed(old, call);
    if (!isAsked) return warnOfQueue(place, old, call);
    const { handsOverTo: _, ...rest } = old;
    for (const { store: each, ...sending } of old.former) {
      const wait = (store: RouteStore) => untilLeft(store, { ...rest, ...sending }, call);
      await withFormerStore(each, old.domain, call, wait);
    }
    await withRouteStore(place, (store) => untilLeft(store, old, call));
  },
};

async function untilLeft(store: RouteStore, inputs: Inputs, call: Call): Promise<void> {
  const record = await lastToLeave(store, inputs);
  if (record === undefined) return;
  // What is refused already need not be quiet; what came before is still delivered.
  const secondsFor = (direction: MailDirection) =>
    stageRefusal(record, direction, new Date())?.action === "refuse" ? 0 : inputs.quietSeconds;
  await untilQuiet(store, inputs, { quietSeconds: secondsFor("outbound") }, call);
  const { handsOverTo } = inputs;
  if (handsOverTo === undefined || (await isLedHere(inputs, call))) return;
  const goal = { quietSeconds: secondsFor("inbound"), direction: "inbound" } as const;
  await untilQuiet(store, { ...inputs, relay: handsOverTo }, goal, call);
}

/** Whether the domain's MX name the gateway by now: then inbound mail comes by them. */
async function isLedHere({ domain, gatewayHosts = [] }: Inputs, call: Call): Promise<boolean> {
  const served = gatewayHosts.length === 0 ? [] : await askForMx(domain, call);
  return served.some((records) => records?.some(({ exchange }) => gatewayHosts.includes(exchange)));
}

/** The route, where the gateway takes or delivers mail of the domain for this resource alone: it stops with it. */
async function lastToLeave(
  store: RouteStore,
  { domain, claim }: Inputs,
): Promise<RouteRecord | undefined> {
  const { record } = await store.readDomain(domain);
  const now = new Date();
  if (record === undefined || routeInForce(record, now) === undefined) return undefined;
  if (endRefusal(record, "outbound", now)?.action === "refuse") return undefined;
  const isLast = claim === undefined || releaseClaim(record, parseClaim(claim)).kind === "last";
  return isLast ? record : undefined;
}
