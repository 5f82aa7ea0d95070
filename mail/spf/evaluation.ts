/** What one run of check_host() carries along: the message's identity, DNS, and what was counted. */
import type { DnsAnswer, DnsType, DnsValue, Resolver } from "../dns.ts";
import type { Address } from "./address.ts";
import { isQueryable } from "./domain-name.ts";
import { lookupLimit, voidLookupLimit } from "./limits.ts";

/** Ends a check early with `temperror` or `permerror`. Never leaves this folder. */
export class SpfCheckError extends Error {
  override readonly name = "SpfCheckError";
  readonly result: "temperror" | "permerror";

  constructor(result: "temperror" | "permerror", problem: string, options?: ErrorOptions) {
    super(problem, options);
    this.result = result;
  }
}

/** What reverse DNS says of the client. */
export interface ClientNames {
  /** Names whose addresses include the client's (section 5.5), in the order of the answer. */
  readonly confirmed: readonly string[];
  /** Where the PTR records were looked for, if there are none. */
  readonly missing: string | undefined;
}

export interface Evaluation {
  readonly resolver: Resolver;
  readonly client: Address;
  readonly sender: { readonly local: string; readonly domain: string };
  readonly helo: string;
  readonly receiver: string;
  readonly clientNames: () => Promise<ClientNames>;
  readonly counts: { lookups: number; voidLookups: number };
}

/** Counts a term that queries DNS, before it does. */
export function countLookup({ counts }: Evaluation, term: string, domain: string): void {
  counts.lookups += 1;
  if (counts.lookups <= lookupLimit) return;
  throw new SpfCheckError(
    "permerror",
    `"${term}" in the SPF record of ${domain} is one lookup more than the ${lookupLimit} allowed.`,
  );
}

/** Counts a query that found nothing. */
export function countVoidLookup({ counts }: Evaluation, name: string): void {
  counts.voidLookups += 1;
  if (counts.voidLookups <= voidLookupLimit) return;
  throw new SpfCheckError(
    "permerror",
    `The lookup of ${name} is one more that finds nothing than the ${voidLookupLimit} allowed.`,
  );
}

/** Asks DNS. A name that no query can carry does not exist, and costs nothing. */
export async function ask<T extends DnsType>(
  { resolver }: Evaluation,
  name: string,
  type: T,
): Promise<DnsAnswer<T>> {
  if (!isQueryable(name)) return { status: "nxdomain", records: [] };
  return resolver(name.toLowerCase(), type);
}

/** The records of one RRset. A failure of DNS ends the check with `temperror` (section 5). */
export async function askOrFail<T extends DnsType>(
  evaluation: Evaluation,
  name: string,
  type: T,
): Promise<readonly DnsValue[T][]> {
  const answer = await ask(evaluation, name, type);
  if (answer.status === "servfail" || answer.status === "timeout") {
    const what = answer.status === "timeout" ? "no answer in time" : "a server failure";
    throw new SpfCheckError("temperror", `DNS gave ${what} for ${type} of ${name}.`);
  }
  return answer.records;
}

/** As `askOrFail`, and an answer without records counts as a void lookup (section 4.6.4). */
export async function askAndCount<T extends DnsType>(
  evaluation: Evaluation,
  name: string,
  type: T,
): Promise<readonly DnsValue[T][]> {
  const records = await askOrFail(evaluation, name, type);
  if (records.length === 0 && isQueryable(name)) countVoidLookup(evaluation, name);
  return records;
}
