/** The domain's SPF record: one, with the stack's terms, within the limits of receivers (RFC 7208). */
import {
  describeBudget,
  findTerm,
  type SpfBudget,
  SpfSyntaxError,
  selectSpf,
} from "../spf/index.ts";
import { lookupLimit, voidLookupLimit } from "../spf/limits.ts";
import { type Check, judged, notice, unread, well, wrong } from "./check.ts";
import { countOf, isProof, nameOf } from "./dns-checks.ts";
import type { DomainEvidence, ServerView } from "./evidence.ts";

/** Each server has one record that holds the stack's terms. */
export function checkSpf({ spfTerms, servers }: DomainEvidence): readonly Check[] {
  if (spfTerms === undefined || servers.kind !== "read") return [];
  const answered = servers.value.filter(({ texts }) => isProof(texts));
  const faults = answered.flatMap((server) => spfFault(server, spfTerms) ?? []);
  if (answered.length === 0 || faults.length > 0) return faults;
  return [well("spf", `Served by ${countOf(answered)}: one record, with ${spfTerms.join(" ")}.`)];
}

function spfFault(server: ServerView, terms: readonly string[]): Check | undefined {
  const spf = selectSpf(server.texts.records);
  if (spf.status === "several") return undefined;
  const fix = "Run pulumi up --refresh: it puts the terms in again.";
  if (spf.status === "none") return wrong("spf", `${nameOf(server)} has no SPF record.`, fix);
  const { record } = spf;
  try {
    const missing = terms.filter((term) => findTerm(record, term) === undefined);
    if (missing.length === 0) return undefined;
    const text = `${nameOf(server)} has "${record}", without ${missing.join(" ")}: receivers distrust what leaves through the gateway.`;
    return wrong("spf", text, fix);
  } catch (error) {
    if (!(error instanceof SpfSyntaxError)) throw error;
    return wrong("spf", `${nameOf(server)}: ${error.problem}`, error.fix);
  }
}

/** Two records are none: receivers answer permerror (section 4.5). */
export function checkSecondSpf({ servers }: DomainEvidence): readonly Check[] {
  if (servers.kind !== "read") return [];
  const answered = servers.value.filter(({ texts }) => isProof(texts));
  const several = answered.flatMap((server) => {
    const spf = selectSpf(server.texts.records);
    return spf.status === "several" ? [{ server, records: spf.records }] : [];
  });
  if (answered.length === 0) return [];
  if (several.length === 0) return [well("spf-second", "There is no second SPF record.")];
  return several.map(({ server, records }) =>
    wrong(
      "spf-second",
      `${nameOf(server)} has ${records.length} SPF records (${records.map((record) => `"${record}"`).join(", ")}): receivers take that for a fault of all.`,
      "Merge them into one, and delete the rest.",
    ),
  );
}

/** From so many on the next sender that someone adds may be one too many. */
const NEAR_LOOKUPS = lookupLimit - 1;
const NEAR_VOID_LOOKUPS = voidLookupLimit;

export function checkSpfBudget({ spfBudget }: DomainEvidence): readonly Check[] {
  return judged("spf-budget", spfBudget, (budget) => {
    const faults = budgetFaults(budget);
    if (faults.length > 0) return faults;
    const used = describeBudget(budget);
    if (budget.voidLookups >= NEAR_VOID_LOOKUPS) {
      const text = `${budget.voidLookups} names of the record have no records, and receivers allow ${voidLookupLimit} (${used}).`;
      return [notice("spf-budget", text, "Remove the terms whose names no longer exist.")];
    }
    if (budget.lookups < NEAR_LOOKUPS) return [well("spf-budget", used)];
    return [
      notice(
        "spf-budget",
        `${used}: near the limit.`,
        "Remove senders that are no longer used before another one is added, or name them with ip4: and ip6:.",
      ),
    ];
  });
}

function budgetFaults({ problems }: SpfBudget): readonly Check[] {
  return problems
    .filter(({ severity }) => severity === "error")
    .map(({ code, where, problem, fix }) => {
      const text = `${where}: ${problem}`;
      return code === "spf-dns-unanswered"
        ? unread("spf-budget", text, fix)
        : wrong("spf-budget", text, fix);
    });
}
