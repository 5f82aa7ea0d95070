/** Every record of the tenants' zones, to tell whether they are what they were. */

import { formatMx } from "../../mail/mx.ts";
import { createResolver } from "../../provider/dns.ts";
import type { RecordSpec } from "../cloudflare/index.ts";
import type { World } from "../world.ts";

/** One line for each record at Cloudflare and for each answer of a name server. */
export interface Census {
  readonly atCloudflare: readonly string[];
  readonly served: readonly string[];
}

/** @param names what the name servers are asked for besides the names that Cloudflare has */
export async function takeCensus(
  { cloudflare, zoneIds, dns }: World,
  names: Iterable<string> = [],
): Promise<Census> {
  const records = [...zoneIds.values()].flatMap((id) => cloudflare.snapshot(id));
  const asked = new Set([...records.map(({ name }) => name), ...names]);
  const served = await Promise.all(
    dns.nameServers.map(async ({ name, address }) => {
      const answers = await Promise.all([...asked].map((record) => answersOf(address, record)));
      return answers.flat().map((answer) => `${name}: ${answer}`);
    }),
  );
  return { atCloudflare: records.map(recordLine), served: served.flat() };
}

/** The names of all records at Cloudflare now. */
export function recordNames({ cloudflare, zoneIds }: World): string[] {
  return [...zoneIds.values()].flatMap((id) => cloudflare.snapshot(id)).map(({ name }) => name);
}

/** What was and is no longer, then what is and was not; empty if both hold the same. */
export function differences(before: Census, now: Census): string[] {
  return [
    ...missing(before.atCloudflare, now.atCloudflare).map((line) => `- ${line}`),
    ...missing(now.atCloudflare, before.atCloudflare).map((line) => `+ ${line}`),
    ...missing(before.served, now.served).map((line) => `- ${line}`),
    ...missing(now.served, before.served).map((line) => `+ ${line}`),
  ];
}

/** The same line twice counts twice. */
function missing(from: readonly string[], others: readonly string[]): string[] {
  const left = [...others];
  return from.filter((line) => {
    const index = left.indexOf(line);
    if (index !== -1) left.splice(index, 1);
    return index === -1;
  });
}

function recordLine({ name, type, ...values }: RecordSpec): string {
  return `${name} ${type} ${JSON.stringify(values)}`;
}

/** One name server's answers for the types that the example zones hold, in a fixed order. */
async function answersOf(server: string, name: string): Promise<string[]> {
  const ask = createResolver([server]);
  const [mx, txt, a] = await Promise.all([ask(name, "MX"), ask(name, "TXT"), ask(name, "A")]);
  const refused = [mx, txt, a].find(({ status }) => status === "servfail" || status === "timeout");
  if (refused !== undefined)
    throw new Error(`${server} does not answer for ${name}: ${refused.status}`);
  return [
    ...mx.records.map((record) => `${name} MX ${formatMx(record)}`),
    ...txt.records.map((text) => `${name} TXT ${JSON.stringify(text)}`),
    ...a.records.map((address) => `${name} A ${address}`),
  ].toSorted();
}
