/** check_host() of RFC 7208, section 4. */
import type { Resolver } from "../dns.ts";
import { parseAddress } from "./address.ts";
import { findClientNames } from "./client-names.ts";
import { isMailDomain, toAscii } from "./domain-name.ts";
import { askOrFail, countLookup, type Evaluation, SpfCheckError } from "./evaluation.ts";
import { findExplanation } from "./explanation.ts";
import { queriesDns } from "./limits.ts";
import { expandDomain } from "./macro.ts";
import { matchMechanism } from "./mechanism.ts";
import { parseRecord, selectSpf } from "./record.ts";
import { SpfSyntaxError } from "./syntax-error.ts";
import { isDirective, type SpfDirective, type SpfQualifier, type SpfTerm } from "./term.ts";

export interface CheckHostArgs {
  /** The client's address, IPv4 or IPv6. An IPv4-mapped IPv6 address counts as IPv4. */
  readonly ip: string;
  /** The domain whose record is checked: that of MAIL FROM, or the HELO name. */
  readonly domain: string;
  /** MAIL FROM, or `postmaster@<helo>` for a null reverse-path. Without "@" it is a domain. */
  readonly sender: string;
  /** The HELO or EHLO name, for the macro `%{h}`. @default "unknown" */
  readonly helo?: string | undefined;
  readonly resolver: Resolver;
  /** The receiving host's name, for the macro `%{r}`. @default "unknown" */
  readonly receiver?: string | undefined;
}

export type SpfResult =
  | "none"
  | "neutral"
  | "pass"
  | "fail"
  | "softfail"
  | "temperror"
  | "permerror";

export interface SpfOutcome {
  readonly result: SpfResult;
  /** With `fail`: the domain's own explanation, if it gives a usable one. Foreign text. */
  readonly explanation?: string;
  /** With `temperror` and `permerror`: why, in one sentence. */
  readonly problem?: string;
}

const resultOf: Readonly<Record<SpfQualifier, SpfResult>> = {
  "+": "pass",
  "-": "fail",
  "~": "softfail",
  "?": "neutral",
};

/**
 * Whether a client may send mail for a domain (RFC 7208, section 4).
 * @throws TypeError when `ip` is no IP address. Faults of DNS and of records are results.
 */
export async function checkHost(args: CheckHostArgs): Promise<SpfOutcome> {
  try {
    return await checkDomain(startEvaluation(args), toAscii(args.domain));
  } catch (error) {
    if (error instanceof SpfCheckError) return { result: error.result, problem: error.message };
    throw error;
  }
}

function startEvaluation(args: CheckHostArgs): Evaluation {
  const { ip, sender, helo = "unknown", receiver = "unknown", resolver } = args;
  const client = parseAddress(ip);
  const at = sender.lastIndexOf("@");
  let names: ReturnType<typeof findClientNames> | undefined;
  return {
    resolver,
    client,
    sender: {
      local: sender.slice(0, Math.max(at, 0)) || "postmaster",
      domain: toAscii(sender.slice(at + 1) || args.domain),
    },
    helo: toAscii(helo),
    receiver,
    clientNames: () => (names ??= findClientNames(resolver, client)),
    counts: { lookups: 0, voidLookups: 0 },
  };
}

async function checkDomain(evaluation: Evaluation, domain: string): Promise<SpfOutcome> {
  if (!isMailDomain(domain)) return { result: "none" };
  const selection = selectSpf(await askOrFail(evaluation, domain, "TXT"));
  if (selection.status === "none") return { result: "none" };
  if (selection.status === "several") {
    const count = selection.records.length;
    throw new SpfCheckError("permerror", `${domain} has ${count} SPF records; one is allowed.`);
  }
  const terms = parsePublished(selection.record, domain);
  for (const directive of terms.filter(isDirective)) {
    if (await matchDirective(evaluation, domain, directive)) {
      const result = resultOf[directive.qualifier];
      const explanation =
        result === "fail" ? await findExplanation(evaluation, domain, terms) : undefined;
      return explanation === undefined ? { result } : { result, explanation };
    }
  }
  return followRedirect(evaluation, domain, terms);
}

function parsePublished(record: string, domain: string): readonly SpfTerm[] {
  try {
    return parseRecord(record);
  } catch (cause) {
    if (!(cause instanceof SpfSyntaxError)) throw cause;
    throw new SpfCheckError("permerror", `${domain}: ${cause.message}`, { cause });
  }
}

async function matchDirective(
  evaluation: Evaluation,
  domain: string,
  directive: SpfDirective,
): Promise<boolean> {
  if (queriesDns(directive.kind)) countLookup(evaluation, directive.text, domain);
  if (directive.kind !== "include") return matchMechanism(evaluation, domain, directive);
  return (await checkReferred(evaluation, domain, directive)).result === "pass";
}

async function followRedirect(
  evaluation: Evaluation,
  domain: string,
  terms: readonly SpfTerm[],
): Promise<SpfOutcome> {
  const redirect = terms.find((term) => term.kind === "redirect");
  if (redirect === undefined) return { result: "neutral" };
  countLookup(evaluation, redirect.text, domain);
  return checkReferred(evaluation, domain, redirect);
}

/** The check of the domain that an `include` or `redirect` names, which must have a record. */
async function checkReferred(
  evaluation: Evaluation,
  domain: string,
  term: { readonly text: string; readonly domain: string },
): Promise<SpfOutcome> {
  const target = await expandDomain(evaluation, domain, term.domain);
  const outcome = await checkDomain(evaluation, target);
  if (outcome.result !== "none") return outcome;
  throw new SpfCheckError(
    "permerror",
    `"${term.text}" in the SPF record of ${domain} names ${target}, which has no SPF record.`,
  );
}
