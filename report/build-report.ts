/** From a preview to the report on a stack. Pure. */
import { createHash } from "node:crypto";
import { MailRuleError } from "../mail/errors.ts";
import { textOf } from "./change-digest.ts";
import { changesOf } from "./domain-change.ts";
import { diffOf } from "./domain-diff.ts";
import { displayNameOf } from "./domain-facts.ts";
import { stepsOf } from "./domain-steps.ts";
import { wordsOf } from "./domain-words.ts";
import { gatewayRisks } from "./gateway-words.ts";
import { leavingRisks } from "./leaving.ts";
import { domainsOf, type MailDomain } from "./mail-domain.ts";
import type { StackPreview } from "./preview-reader.ts";
import { settingsRisks } from "./provider-settings.ts";
import { sortRisks } from "./risk.ts";
import { risksOf } from "./risk-finders.ts";
import { faultsOf, unreadOf } from "./said.ts";
import type { DomainReport, Fault, StackReport, StackStatus } from "./stack-report.ts";
import { stackErrors, stackRisks, stackUnread } from "./stack-said.ts";
import { FAILED, stackSummary } from "./stack-summary.ts";
import { isTouched, technicalOf } from "./technical.ts";

export interface ReportContext {
  readonly stack: string;
  readonly kind: "tenant" | "gateway";
  /** So many domains may leave the gateway without that being a risk. @default 1 */
  readonly offboardAtMost?: number;
}

export function buildReport(preview: StackPreview, context: ReportContext): StackReport {
  const { stack, kind, offboardAtMost } = context;
  const domains = reportsOf(preview);
  const errors = stackErrors(preview);
  const unread = stackUnread(preview);
  const isUnread = unread.length > 0 || domains.some((each) => each.unread.length > 0);
  const report = {
    stack,
    kind,
    ...organisationOf(preview),
    status: errors.length > 0 ? "failed" : statusOf(preview, isUnread),
    isDestroyed: isDestroyed(preview),
    domains,
    faults: [...errors, ...unread],
    risks: sortRisks([
      ...leavingRisks([{ domains }], offboardAtMost),
      ...stackRisks(preview),
      ...settingsRisks(preview),
      ...(kind === "gateway" ? gatewayRisks(preview) : []),
    ]),
    technical: technicalOf(preview),
    changeDigest: digestOf(preview),
  };
  return { ...report, summary: stackSummary(report, preview) };
}

/** The report on a stack that could not be previewed at all. */
export function failedReport({ stack, kind }: ReportContext, error: unknown): StackReport {
  return {
    stack,
    kind,
    status: "failed",
    isDestroyed: false,
    summary: FAILED,
    domains: [],
    faults: errorFaults(error),
    risks: [],
    technical: [],
    changeDigest: "",
  };
}

function errorFaults(error: unknown): Fault[] {
  if (error instanceof AggregateError) return error.errors.flatMap(errorFaults);
  if (error instanceof MailRuleError) {
    const { code, where, problem, fix } = error;
    return [{ code, ...(where !== undefined && { where }), problem, fix }];
  }
  return [{ problem: error instanceof Error ? error.message : String(error) }];
}

function reportsOf(preview: StackPreview): DomainReport[] {
  const domains = domainsOf(preview);
  const ownDomains = new Set(domains.map(({ domain }) => domain));
  return domains.map((each) => reportOf(each, ownDomains));
}

function reportOf(domain: MailDomain, ownDomains: ReadonlySet<string>): DomainReport {
  const kinds = changesOf(domain);
  const [change = "unchanged"] = kinds;
  const unread = [...faultsOf(domain.said), ...unreadOf(domain.said)];
  const { notices, ...words } = wordsOf(domain, kinds);
  return {
    domain: domain.domain,
    displayName: displayNameOf(domain),
    change,
    ...words,
    notices: unread.length === 0 ? notices : [NOBODY_KNOWS],
    ...diffOf(domain),
    steps: stepsOf(domain, kinds),
    risks: risksOf({ domain, kinds, ownDomains }),
    unread,
  };
}

const NOBODY_KNOWS = "Nobody knows, as long as not everything was read.";

function statusOf({ outcome, resources, settings }: StackPreview, isUnread: boolean): StackStatus {
  if (outcome.exitCode !== 0) return "failed";
  if (isUnread) return "incomplete";
  return settings !== undefined || resources.some(isTouched) ? "changed" : "unchanged";
}

function isDestroyed({ resources }: StackPreview): boolean {
  return resources.some(({ type, op }) => type === "pulumi:pulumi:Stack" && op === "delete");
}

function organisationOf({ organisation }: StackPreview): Pick<StackReport, "organisation"> {
  return organisation === undefined ? {} : { organisation };
}

function digestOf({ resources, settings }: StackPreview): string {
  const done = resources.filter(isTouched).map(({ digest }) => digest);
  const told = settings === undefined ? [] : [textOf(settings)];
  return createHash("sha256")
    .update([...done, ...told].join("\n"))
    .digest("hex");
}
