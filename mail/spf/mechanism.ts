/** Whether a mechanism other than `include` matches the client (RFC 7208, section 5). */
import { inNetwork, isIp4, type PrefixLengths } from "./address.ts";
import { isWithin } from "./domain-name.ts";
import { askAndCount, countVoidLookup, type Evaluation, SpfCheckError } from "./evaluation.ts";
import { exchangeLimit } from "./limits.ts";
import { expandDomain } from "./macro.ts";
import type { SpfMechanism } from "./term.ts";

export async function matchMechanism(
  evaluation: Evaluation,
  domain: string,
  mechanism: Exclude<SpfMechanism, { readonly kind: "include" }>,
): Promise<boolean> {
  const { client } = evaluation;
  const { kind } = mechanism;
  if (kind === "all") return true;
  if (kind === "ip4" || kind === "ip6") {
    const { network, length } = mechanism;
    return inNetwork(client, network, { ip4: length, ip6: length });
  }
  const spec = mechanism.domain;
  const target = spec === undefined ? domain : await expandDomain(evaluation, domain, spec);
  if (kind === "a") return matchHost(evaluation, target, mechanism.lengths);
  if (kind === "mx") return matchExchanges(evaluation, target, mechanism.lengths);
  if (kind === "ptr") return matchClientName(evaluation, target);
  return (await askAndCount(evaluation, target, "A")).length > 0;
}

async function matchHost(
  evaluation: Evaluation,
  host: string,
  lengths: PrefixLengths,
): Promise<boolean> {
  const { client } = evaluation;
  const addresses = await askAndCount<"A" | "AAAA">(evaluation, host, isIp4(client) ? "A" : "AAAA");
  return addresses.some((address) => inNetwork(client, address, lengths));
}

async function matchExchanges(
  evaluation: Evaluation,
  target: string,
  lengths: PrefixLengths,
): Promise<boolean> {
  const exchanges = await askAndCount(evaluation, target, "MX");
  if (exchanges.length > exchangeLimit) {
    throw new SpfCheckError(
      "permerror",
      `${target} has ${exchanges.length} MX records; "mx" allows ${exchangeLimit}.`,
    );
  }
  for (const { exchange } of exchanges) {
    if (await matchHost(evaluation, exchange, lengths)) return true;
  }
  return false;
}

async function matchClientName(evaluation: Evaluation, target: string): Promise<boolean> {
  const { confirmed, missing } = await evaluation.clientNames();
  // Only the PTR query counts: the names behind it are the client's, not the domain owner's.
  if (missing !== undefined) countVoidLookup(evaluation, missing);
  return confirmed.some((name) => isWithin(name, target));
}
