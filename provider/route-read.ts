/** How `Route` reads a domain: for a refresh, and for an import. */
import { MailRuleError } from "../mail/errors.ts";
import { formatClaim, parseClaim } from "../mail/journal.ts";
import type { RouteRecord } from "../mail/route.ts";
import { releaseClaim } from "../mail/route-claim.ts";
import { routeStage } from "../mail/route-life.ts";
import { withRouteStore } from "./open-route-store.ts";
import { type Call, type Found, Unfinished } from "./resource.ts";
import { type RouteInputs, type RouteOutputs, routeInputs } from "./route-schema.ts";
import { inputsOf, outputsOf, standingOf } from "./route-state.ts";

type FoundRoute = Found<RouteInputs, RouteOutputs>;

/** The resource as the store has it; `undefined` where a delete would have nothing left to do. */
export async function refreshRoute(old: RouteOutputs, call: Call): Promise<FoundRoute | undefined> {
  const { domain, store: place } = old;
  const { record } = await withRouteStore(place, (store) => store.readDomain(domain));
  if (record === undefined || isGivenUp(record)) {
    return old.formerGateways.length === 0 ? undefined : { inputs: asInputs(old), outputs: old };
  }
  if (releaseClaim(record, parseClaim(old.claim)).kind === "not-held") {
    call.warn(
      `Route of ${domain}: this resource does not hold it any more; a delete would change nothing.`,
    );
    return { inputs: asInputs(old), outputs: old };
  }
  const { version } = outputsOf(old, standingOf(old, old), record, old.slots);
  const outputs = { ...old, version, inactive: record.inactive !== undefined };
  if (record.proposed !== undefined) {
    const reason = `Version ${record.proposed.version} of the route of ${domain} is proposed, and not proven by every slot: run pulumi up to go on.`;
    throw new Unfinished(domain, outputs, [reason]);
  }
  return { inputs: asInputs(old), outputs };
}

function isGivenUp(record: RouteRecord): boolean {
  const isEnding = record.leaving !== undefined && record.proposed === undefined;
  return isEnding || routeStage(record, new Date()) === "expired";
}

function asInputs(old: RouteOutputs): RouteInputs {
  return routeInputs.strip().parse(old);
}

/**
 * An import names the domain and the gateway's store: `<domain>/<region>/<table>/<secret prefix>`, for example
 * `contoso.com/eu-central-1/mxhero-example-routes/mxhero/example`. The password of a Relay Server is not read.
 *
 * @throws MailRuleError `import-without-store`, `import-without-route`
 */
export async function importRoute(id: string, call: Call): Promise<FoundRoute> {
  const [domain = "", region, table, ...prefix] = id.split("/");
  if (region === undefined || table === undefined || prefix.length === 0) throw withoutStore(id);
  const store = { table, region, secretPrefix: `/${prefix.join("/")}` };
  const { record } = await withRouteStore(store, (opened) => opened.readDomain(domain));
  const [claim, ...others] = record?.holder.claims ?? [];
  const active = record?.leaving === undefined ? record?.active : undefined;
  if (record === undefined || active === undefined || claim === undefined || others.length > 0) {
    throw withoutRoute(domain, record);
  }
  const { organisation } = record.holder;
  const inactive = record.inactive !== undefined;
  const inputs = inputsOf(active.route, { organisation, store, inactive });
  call.warn(
    `The route of ${domain} is imported with the claim ${formatClaim(parseClaim(claim))}, which is the one of the stack that made it. If that stack still exists, remove the route from its state (pulumi state delete): else a destroy of either gives the route up.`,
  );
  const outputs = outputsOf(inputs, { claim, mayClaim: false }, record, []);
  return { id: domain, inputs, outputs };
}

function withoutStore(id: string): MailRuleError {
  return new MailRuleError({
    code: "import-without-store",
    where: "Route",
    value: id,
    problem: `${JSON.stringify(id)} does not say in which gateway's store the route is.`,
    fix: "Import <domain>/<region>/<table>/<secret prefix>, as the gateway's stack has them as outputs.",
  });
}

function withoutRoute(domain: string, record: RouteRecord | undefined): MailRuleError {
  const claims = record?.holder.claims ?? [];
  const why =
    claims.length > 1
      ? `Several resources hold it (${claims.join(", ")}).`
      : "No route of the domain serves there.";
  return new MailRuleError({
    code: "import-without-route",
    where: `Route of ${domain}`,
    value: domain,
    problem: why,
    fix: "Write the resource into the program instead and run pulumi up: it adopts what is there.",
  });
}
