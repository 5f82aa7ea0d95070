/**
 * Gateways that a domain was at before. They go on serving it until nobody is led there any more and nothing
 * goes out through them: when that is so is decided in mail/departure.ts.
 */
import { type Departure, type DepartureWorld, decideDeparture } from "../mail/departure.ts";
import { MailRuleError } from "../mail/errors.ts";
import { outboundState } from "../mail/outbound-quiet.ts";
import type { MailDirection } from "../mail/route-life.ts";
import { insertTerms, measureBudget, selectSpf } from "../mail/spf/index.ts";
import type { RouteStore } from "../store/route-store.ts";
import { createResolver, findApex, findNameServers } from "./dns.ts";
import { withRouteStore } from "./open-route-store.ts";
import type { Call } from "./resource.ts";
import type { FormerGateway, RouteInputs, StorePlace } from "./route-schema.ts";
import { includesOf } from "./route-state.ts";
import { observeOutbound } from "./until-quiet.ts";

/** What becomes of one of them. */
export interface Parting {
  readonly gateway: FormerGateway;
  readonly departure: Departure;
}

/** Looks at each former gateway, and says what keeps the domain there. */
export async function partFromFormer(
  inputs: RouteInputs,
  formers: readonly FormerGateway[],
  call: Call,
): Promise<readonly Parting[]> {
  if (formers.length === 0) return [];
  const served = await askForMx(inputs.domain, call);
  const partings: Parting[] = [];
  for (const gateway of formers) {
    const departure = await partFrom(gateway, served, inputs, call);
    partings.push({ gateway, departure });
    if (departure.kind === "stays") sayStays(inputs, gateway, departure.why, call);
  }
  return partings;
}

/** A gateway that cannot be asked is no hindrance to the present one. */
async function partFrom(
  gateway: FormerGateway,
  served: DepartureWorld["served"],
  inputs: RouteInputs,
  call: Call,
): Promise<Departure> {
  const formerHosts = gateway.hosts.filter((host) => !inputs.gatewayHosts.includes(host));
  const { mxGoneSince } = gateway;
  try {
    const traffic = await trafficAt(gateway, inputs, call);
    return decideDeparture({ served, formerHosts, mxGoneSince, ...traffic }, new Date());
  } catch (error) {
    if (!(error instanceof MailRuleError)) throw error;
    return { kind: "stays", why: error.message, ...(mxGoneSince && { mxGoneSince }) };
  }
}

/**
 * Does something at a former gateway. One whose table is gone serves nobody: then there is nothing to do.
 *
 * @returns undefined where there is no such table
 */
export async function withFormerStore<T>(
  place: StorePlace,
  domain: string,
  call: Call,
  work: (store: RouteStore) => Promise<T>,
): Promise<T | undefined> {
  try {
    return await withRouteStore(place, work);
  } catch (error) {
    const isGone = error instanceof MailRuleError && error.code === "route-table-missing";
    if (!isGone) throw error;
    call.warn(
      `Route of ${domain}: the former gateway's table ${place.table} in ${place.region} is not there any more, so that nothing is left to give up. If it is in another AWS account, give the route up there.`,
    );
    return undefined;
  }
}

/** Those that the domain stays at, with what the next run is to know. */
export function staying(partings: readonly Parting[]): FormerGateway[] {
  return partings.flatMap(({ gateway, departure }) => {
    if (departure.kind === "leaves") return [];
    const { store, hosts, sending } = gateway;
    const { mxGoneSince } = departure;
    return [{ store, hosts, ...(sending && { sending }), ...(mxGoneSince && { mxGoneSince }) }];
  });
}

/**
 * Both gateways' terms must fit into the SPF record, or nothing may be begun.
 *
 * @throws MailRuleError the first fault of the record with both
 */
export async function refuseFullSpf(
  inputs: RouteInputs,
  formers: readonly FormerGateway[],
  call: Call,
): Promise<void> {
  const { domain, sending } = inputs;
  const others = includesOf(formers, inputs);
  if (sending?.include === undefined || others.length === 0) return;
  const resolver = createResolver(call.settings.resolvers);
  const { records } = await resolver(domain, "TXT");
  const spf = selectSpf(records);
  // Any other fault of the record is SpfInclude's to refuse.
  if (spf.status !== "one") return;
  const terms = [sending.include, ...others].map((include) => `include:${include}`);
  const record = insertTerms(spf.record, terms);
  const { problems } = await measureBudget({ domain, record, resolver });
  const fault = problems.find(({ severity }) => severity === "error");
  if (fault === undefined) return;
  const { code, problem, fix } = fault;
  throw new MailRuleError({
    code,
    where: `SPF of ${domain}`,
    value: record,
    problem: `While the domain moves, its SPF record has the terms of both gateways. ${problem}`,
    fix,
  });
}

function sayStays({ domain }: RouteInputs, { store }: FormerGateway, why: string, call: Call) {
  call.info(
    `Route of ${domain}: it stays at the former gateway (${store.table}), too: ${why}. A later pulumi up lets it leave.`,
  );
}

/** What each delegated name server answers; `undefined`: it gave no answer. None: nobody could be asked. */
export async function askForMx(domain: string, call: Call): Promise<DepartureWorld["served"]> {
  const resolver = createResolver(call.settings.resolvers);
  try {
    const servers = await findNameServers(resolver, await findApex(resolver, domain));
    const answers = servers.map(({ address }) => createResolver([address])(domain, "MX"));
    return (await Promise.all(answers)).map(({ status, records }) =>
      status === "servfail" || status === "timeout" ? undefined : records,
    );
  } catch (error) {
    if (error instanceof MailRuleError) return [];
    throw error;
  }
}

/** What still passes there, in both directions. */
async function trafficAt(
  { store: place, sending }: FormerGateway,
  { domain }: RouteInputs,
  call: Call,
): Promise<Pick<DepartureWorld, "outbound" | "inbound">> {
  if (sending === undefined || sending.quietSeconds === 0) return {};
  if (call.settings.outboundStopped.includes(domain)) return {};
  const observe = (store: RouteStore) => observeOutbound(store, domain);
  const world = await withFormerStore(place, domain, call, observe);
  if (world === undefined) return {};
  const { quietSeconds, handsOverTo } = sending;
  const stateOf = (direction: MailDirection) =>
    outboundState(world, { quietSeconds, direction }, new Date());
  const inbound = handsOverTo === undefined ? undefined : stateOf("inbound");
  return { outbound: stateOf("outbound"), inbound };
}
