/**
 * The resource `Route`: what the gateway knows of one domain. Its delete lets the route leave by its times.
 *
 * Wiring only: what to do next is decided in mail/route-steps.ts, who may do it in mail/route-claim.ts.
 */
import { formatClaim, parseClaim } from "../mail/journal.ts";
import type { RouteRecord } from "../mail/route.ts";
import type { RouteGoal, RouteWorld } from "../mail/route-steps.ts";
import type { RouteStore } from "../store/route-store.ts";
import { applyRouteSteps, observeRoute, refuseHeld, releaseRoute } from "./apply-route-steps.ts";
import { newClaim } from "./claims.ts";
import { partFromFormer, refuseFullSpf, staying, withFormerStore } from "./former-gateways.ts";
import { refuseLostTerms } from "./former-term.ts";
import { refuseEndWhileNamed, refuseWhileLedHere } from "./inbound-end.ts";
import { withRouteStore } from "./open-route-store.ts";
import { type Call, type ResourceKind, Unfinished } from "./resource.ts";
import { untilNobodyIsLost } from "./route-losses.ts";
import { previewRoute, sayExcluded, sayRelease } from "./route-preview.ts";
import { importRoute, refreshRoute } from "./route-read.ts";
import {
  type FormerGateway,
  type RouteInputs as Inputs,
  type RouteOutputs as Outputs,
  PASSWORD,
  routeInputs,
  routeOutputs,
  type StorePlace,
} from "./route-schema.ts";
import { deleteFormerPasswords, releasePasswords, storePassword } from "./route-secrets.ts";
import { goalOf, outputsOf, routeInputChanges, type Standing, standingOf } from "./route-state.ts";
import { keepWayOut } from "./spf-first.ts";

export const route: ResourceKind<Inputs, Outputs> = {
  type: "mxhero:index:Route",
  inputs: routeInputs,
  outputs: routeOutputs,
  secrets: [PASSWORD],
  replaceOn: ["domain"],

  diff(old, news) {
    const changes = routeInputChanges(old, news);
    if (old.version !== old.ownVersion) changes.push({ path: "version", kind: "update" });
    // Each run looks whether the domain may leave them by now, and whether SPF names the gateway.
    if (old.formerGateways.length > 0) changes.push({ path: "formerGateways", kind: "update" });
    if (old.awaitsSpf) changes.push({ path: "awaitsSpf", kind: "update" });
    return changes;
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
    await withRouteStore(old.store, (store) =>
      refuseEndWhileNamed(store, old.gatewayHosts, old, call),
    );
    for (const { store, hosts } of old.formerGateways) {
      await withFormerStore(store, old.domain, call, (former) =>
        refuseEndWhileNamed(former, hosts, old, call),
      );
    }
    for (const { store } of old.formerGateways) await releaseFormer(store, old, call);
    await withRouteStore(old.store, (store) => release(store, old.store, old, call));
  },
};

/** The route leaves a gateway, and its passwords go with it. */
async function release(
  store: RouteStore,
  place: StorePlace,
  held: Outputs,
  call: Call,
): Promise<void> {
  const { domain, claim } = held;
  const released = await releaseRoute(store, domain, parseClaim(claim));
  const record = typeof released === "string" ? undefined : released;
  if (record !== undefined) await store.endAnswers(record);
  if (record !== undefined || released === "gone") {
    await releasePasswords({ store, place, domain, call, hasFailed: false }, record, held);
  }
  sayRelease({ domain, store: place }, released, call);
}

async function releaseFormer(place: StorePlace, held: Outputs, call: Call): Promise<void> {
  const { domain } = held;
  await withFormerStore(place, domain, call, (store) => release(store, place, held, call));
}

async function change(inputs: Inputs, call: Call, standing: Standing): Promise<Partial<Outputs>> {
  const { formerGateways = [], old } = standing;
  // Where the gateway's own term stands in SPF it is edited, also by what an earlier version has kept.
  const editedSpf = old?.editsSpf === true || old?.sending?.include !== undefined;
  refuseLostTerms(inputs, formerGateways, editedSpf, call);
  if (call.preview) return previewRoute(inputs, call, standing);
  // Faults of the route itself are told also where the store cannot be asked.
  goalOf(inputs, standing);
  return withRouteStore(inputs.store, (store) => apply(store, inputs, call, standing));
}

/** Create and update: the former version serves until every slot has proven the new one. */
async function apply(store: RouteStore, inputs: Inputs, call: Call, standing: Standing) {
  const place = { ...inputs, store };
  const before = await observeRoute(place);
  const { formerGateways = [], old } = standing;
  // Nothing is written for a domain that another organisation holds, a password included.
  const planned = goalOf(inputs, standing);
  await refuseHeld(store, before, planned);
  await refuseFullSpf(inputs, formerGateways, call);
  await refuseWhileLedHere(before.record, inputs, call);
  const { record: former } = before;
  await untilNobodyIsLost(store, { record: former, after: planned.route, inputs, old }, call);
  sayExcluded(inputs, call);
  const secretVersion = await storePassword(store, inputs, standing, before.record);
  const meant = goalOf(inputs, standing, secretVersion);
  const forNow = await keepWayOut(before.record, meant.route, inputs, call);
  const goal = { ...meant, route: forNow.route };
  // Until mail leaves elsewhere, the Relay Server's password is in use.
  const inUse = secretVersion ?? (forNow.awaitsSpf ? old?.secretVersion : undefined);
  const known = { ...standing, awaitsSpf: forNow.awaitsSpf };
  return carryOut(store, inputs, call, { before, goal, known, inUse });
}

interface Work {
  readonly before: RouteWorld;
  readonly goal: RouteGoal;
  readonly known: Standing;
  /** The version of the password that is in use, or will be. */
  readonly inUse: number | undefined;
}

async function carryOut(store: RouteStore, inputs: Inputs, call: Call, work: Work) {
  const { before, goal, known, inUse } = work;
  const { formerGateways = [], old } = known;
  const passwords = { store, place: inputs.store, domain: inputs.domain, call };
  let written: RouteRecord | undefined;
  let isApplied = false;
  const onWrite = (record: RouteRecord) => {
    written = record;
  };
  const deleteFormer = async () => {
    // A run that was killed after its last write has left its predecessor's password.
    const now = written ?? before.record;
    const own = { ...passwords, hasFailed: !isApplied };
    if (now !== undefined) await deleteFormerPasswords(own, before.record, old, now);
  };
  try {
    const { record, slots } = await applyRouteSteps({ ...inputs, store }, goal, call, onWrite);
    const left = await leaveFormer(inputs, formerGateways, old, call);
    isApplied = true;
    await deleteFormer();
    return outputsOf(
      inputs,
      { ...known, ...knownPassword(inUse), formerGateways: left },
      record,
      slots,
    );
  } catch (error) {
    if (!isApplied) await deleteFormer();
    if (written === undefined) throw error;
    // By the former version the next run knows of a password that is still to be deleted.
    const state = { ...known, ...knownPassword(inUse ?? old?.secretVersion) };
    const outputs = outputsOf(inputs, state, written, []);
    throw new Unfinished(inputs.domain, outputs, [unfinishedReason(error)], { cause: error });
  }
}

function knownPassword(secretVersion: number | undefined): { readonly secretVersion?: number } {
  return secretVersion === undefined ? {} : { secretVersion };
}

/** Now that this gateway serves: the routes of those that nobody needs any more leave. The others stay. */
async function leaveFormer(
  inputs: Inputs,
  formers: readonly FormerGateway[],
  old: Outputs | undefined,
  call: Call,
): Promise<FormerGateway[]> {
  if (old === undefined) return [];
  const partings = await partFromFormer(inputs, formers, call);
  for (const { gateway, departure } of partings) {
    if (departure.kind === "leaves") await releaseFormer(gateway.store, old, call);
  }
  return staying(partings);
}

function unfinishedReason(error: unknown): string {
  const why = error instanceof Error ? error.message : String(error);
  return `${why} Run pulumi up again to go on.`;
}
