/** Zones in answers: `GET /zones` with its filters, and the zone's body. */
import { paginate } from "./list.ts";
import type { Zone } from "./zone.ts";

/** Filters of `name`; the operator stands before a colon. */
const operators: Readonly<Record<string, (name: string, wanted: string) => boolean>> = {
  equal: (name, wanted) => name === wanted,
  not_equal: (name, wanted) => name !== wanted,
  starts_with: (name, wanted) => name.startsWith(wanted),
  ends_with: (name, wanted) => name.endsWith(wanted),
  contains: (name, wanted) => name.includes(wanted),
};

export function listZones(zones: readonly Zone[], query: URLSearchParams) {
  const tests = [...query].flatMap(([key, value]) => zoneTest(key, value) ?? []);
  const any = query.get("match") === "any" && tests.length > 0;
  const found = zones.filter((zone) =>
    any ? tests.some((test) => test(zone)) : tests.every((test) => test(zone)),
  );
  const sorted = found.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  if (query.get("direction") === "desc") sorted.reverse();
  return paginate(sorted, query, { size: 20, most: 50 });
}

function zoneTest(key: string, value: string): ((zone: Zone) => boolean) | undefined {
  if (key === "name") {
    const [operator = "", wanted] = value.toLowerCase().split(":");
    const compare = operators[wanted === undefined ? "equal" : operator];
    return ({ name }) => compare?.(name, wanted ?? operator) ?? false;
  }
  if (key === "status") return ({ status }) => status === value;
  if (key === "type") return ({ type }) => value.split(",").includes(type);
  if (key === "account.id") return ({ account }) => account.id === value;
  if (key === "account.name") return ({ account }) => account.name === value;
  return undefined;
}

const planNames = {
  free: "Free Website",
  pro: "Pro Website",
  business: "Business Website",
  enterprise: "Enterprise Website",
};

export function zoneJson(zone: Zone): object {
  const { id, name, status, type, plan, account, nameServers } = zone;
  const created = zone.createdOn.toISOString();
  return {
    id,
    name,
    status,
    paused: false,
    type,
    development_mode: 0,
    name_servers: nameServers,
    original_name_servers: null,
    original_registrar: null,
    original_dnshost: null,
    modified_on: created,
    created_on: created,
    activated_on: status === "active" ? created : null,
    meta: { step: 2, custom_certificate_quota: 0, page_rule_quota: 3, phishing_detected: false },
    owner: { id: null, type: "user", email: null },
    account,
    permissions: ["#zone:read", "#dns_records:read", "#dns_records:edit"],
    plan: { id: plan, name: planNames[plan], legacy_id: plan, is_subscribed: true },
  };
}
