/** What a tenant leaves in DNS, in the route store and among its passwords, in a form that two lives share. */
import { DynamoDBClient, paginateScan } from "@aws-sdk/client-dynamodb";
import { DescribeParametersCommand, GetParametersCommand, SSMClient } from "@aws-sdk/client-ssm";
import { expect, vi } from "vitest";
import type { LabRouteStore } from "../lab/aws/route-table.ts";
import { RouteStore } from "../store/route-store.ts";
import { comparable } from "./crash-points.ts";
import type { CrashPlace, CrashTenant } from "./crash-tenant.ts";
import { tenantStack } from "./tenant.ts";

export interface Traces {
  readonly zone: readonly string[];
  /** Every item of the route table that names the domain or its organisation. */
  readonly items: readonly string[];
  readonly passwords: readonly string[];
  /** The entries of all slots' maps. Where the slots are acted: none. */
  readonly maps?: readonly string[];
  /** The types of what the state has, in order, with what is unfinished or pending of it. */
  readonly state: readonly string[];
}

/** @param slots those that must have taken over what the record says; waits for it */
export async function tracesOf(
  place: CrashPlace,
  options: LabRouteStore,
  tenant: CrashTenant,
  slots: readonly string[],
): Promise<Traces> {
  await untilAcknowledged(options, tenant, slots);
  return {
    zone: comparable(tenant.zone.snapshot()).map((record) =>
      sharedText(tenant, JSON.stringify(record)),
    ),
    items: await itemsOf(options, tenant),
    passwords: await passwordsOf(options, tenant),
    state: await stateOf(place, tenant),
  };
}

/** Every slot has the record as it is, and has proven the version that serves. */
async function untilAcknowledged(
  options: LabRouteStore,
  { domain }: CrashTenant,
  slots: readonly string[],
): Promise<void> {
  using store = new RouteStore(options);
  const seen = async () => {
    const { record, answers } = await store.readDomain(domain);
    return slots.map((slot) => {
      const answer = answers.find((one) => one.slot === slot);
      return {
        slot,
        acknowledged: answer?.acknowledged === record?.revision,
        proven: answer?.proof?.version === record?.active?.version && answer?.proof?.verdict,
      };
    });
  };
  const all = slots.map((slot) => ({ slot, acknowledged: true, proven: "proven" }));
  // Not a poll of expect: a life may begin before the first test.
  const check = async () => expect(await seen()).toEqual(all);
  await vi.waitFor(check, { timeout: 60_000, interval: 50 });
}

async function itemsOf(options: LabRouteStore, tenant: CrashTenant): Promise<string[]> {
  const { endpoint, region, table } = options;
  const client = new DynamoDBClient({ endpoint, region });
  const texts: string[] = [];
  for await (const { Items = [] } of paginateScan({ client }, { TableName: table })) {
    texts.push(...Items.map((item) => JSON.stringify(item)));
  }
  client.destroy();
  const own = texts.filter(
    (text) => text.includes(tenant.domain) || text.includes(tenant.organisation),
  );
  return own.map((text) => sharedText(tenant, text)).toSorted();
}

async function passwordsOf(options: LabRouteStore, tenant: CrashTenant): Promise<string[]> {
  const { endpoint, region, secretPrefix } = options;
  const client = new SSMClient({ endpoint, region });
  const Values = [`${secretPrefix}/relay/${tenant.domain}/`];
  const ParameterFilters = [{ Key: "Name", Option: "BeginsWith", Values }];
  const { Parameters = [] } = await client.send(
    new DescribeParametersCommand({ ParameterFilters }),
  );
  const texts = Parameters.map(async ({ Name = "", Policies = [] }) => {
    const command = new GetParametersCommand({ Names: [Name], WithDecryption: true });
    const { Parameters: [found] = [] } = await client.send(command);
    return `${sharedText(tenant, Name)} = ${found?.Value}${Policies.length > 0 ? ", expires" : ""}`;
  });
  const all = await Promise.all(texts);
  client.destroy();
  return all.toSorted();
}

async function stateOf({ lab }: CrashPlace, { stack }: CrashTenant): Promise<string[]> {
  const resources = await tenantStack(lab.project, stack).resources();
  const ours = resources.filter(({ type }) => type.startsWith("mxhero:index:"));
  return ours.map(({ type, initErrors = [] }) => [type, ...initErrors].join(" "));
}

/** Without what differs from life to life, or by how many writes it took: names, numbers and times. */
export function sharedText({ domain, organisation, number }: CrashTenant, text: string): string {
  return (
    text
      .replaceAll(domain, "tenant.test")
      .replaceAll(organisation, "tenant")
      .replaceAll(`11.${number}.`, "11.0.")
      .replaceAll(/relay\/tenant\.test\/\d+/g, "relay/tenant.test/…")
      .replaceAll(/(\\?"(?:revision|version|secretVersion)\\?":)\d+/g, "$1…")
      .replaceAll(/("(?:revision|sequence|acknowledged|expires)":\{"N":)"\d+"/g, "$1…")
      // The mailbox that a proof makes up.
      .replaceAll(/no-such-user-[0-9a-f]{16}@/g, "no-such-user-…@")
      // A hash, which has the domain in it.
      .replaceAll(/ server=[0-9a-f]{8}\b/g, " server=…")
      .replaceAll(/("claims\\?":\[)[^\]]*\]/g, "$1…]")
      .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "…")
  );
}
