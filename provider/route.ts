/**
 * The resource `Route`: what the gateway knows of one domain. Its delete lets the route leave by its times.
 *
 * Wiring only: what to do next is decided in mail/route-steps.ts, who may do it in mail/route-claim.ts.
 */
import { formatClaim, parseClaim } from "../mail/journal.ts";
import type { RouteRecord } from "../mail/route.ts";
import type { RouteStore } from "../store/route-store.ts";
import { relaySecretName } from "../store/secrets.ts";
import { applyRouteSteps, observeRoute, refuseHeld, releaseRoute } from "./apply-route-steps.ts";
import { newClaim } from "./claims.ts";
import { withRouteStore } from "./open-route-store.ts";
import { type Call, type ResourceKind, Unfinished } from "./resource.ts";
import { previewRoute, sayExcluded, sayRelease } from "./route-preview.ts";
import { importRoute, refreshRoute } from "./route-read.ts";
import {
  type RouteInputs as Inputs,
  type RouteOutputs as Outputs,
  PASSWORD,
  routeInputs,
  routeOutputs,
  type StorePlace,
} from "./route-schema.ts";
import { goalOf, outputsOf, routeInputChanges, type Standing, standingOf } from "./route-state.ts";

export const route: ResourceKind<Inputs, Outputs> = {
  type: "mxhero:index:Route",
  inputs: routeInputs,
  outputs: routeOutputs,
  secrets: [PASSWORD],
  replaceOn: ["domain"],

  diff(old, news) {
    const changes = routeInputChanges(old, news);
    const isOwn = old.version === old.ownVersion;
    return isOwn ? changes : [...changes, { path: "version", kind: "update" }];
  },

  async create(inputs, call) {
    const standing = { claim: formatClaim(newClaim(call.urn)), mayClaim: true };
    return { id: inputs.domain, outputs: await change(inputs, call, standing) };
  },

  async read(id, old, call) {
    return old === undefined ? importRoute(id, call) : refreshRoute(old, call);
  },

  async update(_id, old, news, call) {
    return change(news, call, standingOf(old, news));
  },

  async delete(_id, old, call) {
    for (const place of [...(old.formerStores ?? []), old.store]) await release(place, old, call);
  },
};

/** The route leaves a gateway, and its password goes with it. */
async function release(place: StorePlace, held: Outputs, call: Call): Promise<void> {
  const { domain, claim } = held;
  const released = await withRouteStore(place, async (store) => {
    const result = await releaseRoute(store, domain, parseClaim(claim));
    if (typeof result !== "string") await letPasswordExpire(store, result, held);
    return result;
  });
  sayRelease({ domain, store: place }, released, call);
}

/**
 * A slot that is new may need the password as long as the route is there. Then nothing has to run: the parameter
 * store deletes it. That needs its value, which the state has, unless the route was imported.
 */
async function letPasswordExpire(
  store: RouteStore,
  record: RouteRecord,
  { domain, relayServer, secretVersion }: Outputs,
): Promise<void> {
  if (secretVersion === undefined) return;
  const name = relaySecretName(domain, secretVersion);
  const password = relayServer?.login?.password;
  if (!secretsOf(record).includes(name)) await store.deleteSecret(name);
  else if (password !== undefined) await store.putSecret(name, password, record.leaving?.expires);
}

async function change(inputs: Inputs, call: Call, standing: Standing): Promise<Partial<Outputs>> {
  if (call.preview) return previewRoute(inputs, call, standing);
  // Faults of the route itself are told also where the store cannot be asked.
  goalOf(inputs, standing);
  return withRouteStore(inputs.store, (store) => apply(store, inputs, call, standing));
}

/** Create and update: the former version serves until every slot has proven the new one. */
async function apply(store: RouteStore, inputs: Inputs, call: Call, standing: Standing) {
  const place = { ...inputs, store };
  const before = await observeRoute(place);
  // Nothing is written for a domain that another organisation holds, a password included.
  await refuseHeld(store, before, goalOf(inputs, standing));
  sayExcluded(inputs, call);
  const secretVersion = await storePassword(store, inputs, standing);
  const goal = goalOf(inputs, standing, secretVersion);
  const known = { ...standing, ...(secretVersion !== undefined && { secretVersion }) };
  let written: RouteRecord | undefined;
  try {
    const onWrite = (record: RouteRecord) => {
      written = record;
    };
    const { record, slots } = await applyRouteSteps(place, goal, call, onWrite);
    await deleteFormerPasswords(store, before.record, record);
    await leaveFormerStores(standing, call);
    return outputsOf(inputs, { ...known, formerStores: [] }, record, slots);
  } catch (error) {
    if (written === undefined) throw error;
    const outputs = outputsOf(inputs, known, written, []);
    throw new Unfinished(inputs.domain, outputs, [unfinishedReason(error)], { cause: error });
  }
}

/** Which password lies in the parameter store: that of before, where it is the same one. */
async function storePassword(
  store: RouteStore,
  { domain, relayServer }: Inputs,
  { old, mayClaim }: Standing,
): Promise<number | undefined> {
  const password = relayServer?.login?.password;
  if (password === undefined) return undefined;
  const isKept = !mayClaim && old?.relayServer?.login?.password === password;
  if (isKept && old.secretVersion !== undefined) return old.secretVersion;
  const version = Date.now();
  await store.putSecret(relaySecretName(domain, version), password);
  return version;
}

/** No version names them any more. */
async function deleteFormerPasswords(
  store: RouteStore,
  before: RouteRecord | undefined,
  after: RouteRecord | undefined,
): Promise<void> {
  const kept = secretsOf(after);
  const former = secretsOf(before).filter((name) => !kept.includes(name));
  for (const name of new Set(former)) await store.deleteSecret(name);
}

function secretsOf(record: RouteRecord | undefined): string[] {
  const ways = [record?.active?.route, record?.proposed?.route, record?.formerWay];
  return ways.flatMap((way) => way?.relayServer?.login?.secret ?? []);
}

/** Gateways that the domain was at before: their routes leave, now that this one serves. */
async function leaveFormerStores({ formerStores = [], old }: Standing, call: Call) {
  if (old === undefined) return;
  for (const place of formerStores) await release(place, old, call);
}

function unfinishedReason(error: unknown): string {
  const why = error instanceof Error ? error.message : String(error);
  return `${why} Run pulumi up again to go on.`;
}
