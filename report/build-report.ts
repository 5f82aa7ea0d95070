/** From a preview to the report on a stack. Pure. */
import { createHash } from "node:crypto";
import { MailRuleError } from "../mail/errors.ts";
import { changesOf } from "./domain-change.ts";
import { diffOf } from "./domain-diff.ts";
import { displayNameOf } from "./domain-facts.ts";
import { stepsOf } from "./domain-steps.ts";
import { wordsOf } from "./domain-words.ts";
import { gatewayRisks, gatewaySummary } from "./gateway-words.ts";
import { domainOf, domainsOf, type MailDomain } from "./mail-domain.ts";
import type { StackPreview } from "./preview-reader.ts";
import { risksOf } from "./risk-finders.ts";
import { faultOf, faultsOf, unreadOf } from "./said.ts";
import type { DomainReport, Fault, Risk, StackReport, StackStatus } from "./stack-report.ts";
import { isTouched, technicalOf } from "./technical.ts";

export interface ReportContext {
  readonly stack: string;
  readonly kind: "tenant" | "gateway";
  /** So many domains may leave a gateway without that being a risk. @default 1 */
  readonly offboardAtMost?: number;
}

export function buildReport(preview: StackPreview, context: ReportContext): StackReport {
  const { stack, kind, offboardAtMost = 1 } = context;
  const domains = reportsOf(preview);
  const faults = stackFaults(preview);
  const report = {
    stack,
    kind,
    ...organisationOf(preview),
    status: statusOf(preview, faults, domains),
    isDestroyed: isDestroyed(preview),
    domains,
    faults,
    risks: kind === "gateway" ? gatewayRisks(preview) : leavingRisks(domains, offboardAtMost),
    technical: technicalOf(preview),
    changeDigest: digestOf(preview),
  };
  return { ...report, summary: summaryOf(report, preview) };
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

const FAILED = "There is no preview of this stack: nobody knows what would happen to its mail.";

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

/** What is not a domain's. Of a run that failed without an event, what it printed. */
function stackFaults({ outcome, said }: StackPreview): Fault[] {
  const errors = said.filter(({ severity }) => severity === "error");
  const own = errors.filter(({ urn }) => domainOf(urn) === undefined);
  if (outcome.exitCode === 0 || errors.length > 0) return own.flatMap(({ text }) => listed(text));
  const text = outcome.text === "" ? "The preview was stopped before its end." : outcome.text;
  return [faultOf(text)];
}

/** A stack's file has its faults in one message, a line each with `- ` in front. */
function listed(text: string): Fault[] {
  const [first = "", ...lines] = text.split("\n- ");
  if (lines.length === 0) return [faultOf(first)];
  return lines.map((line) => {
    const [, where, problem = line] =
      /^(stacks\/\S+: config [^\s:]+(?::[^\s:]+)*): ([^]*)$/.exec(line) ?? [];
    return { ...(where !== undefined && { where }), problem };
  });
}

function statusOf(
  { outcome, resources }: StackPreview,
  faults: readonly Fault[],
  domains: readonly DomainReport[],
): StackStatus {
  if (outcome.exitCode !== 0 || faults.length > 0) return "failed";
  if (domains.some(({ unread }) => unread.length > 0)) return "incomplete";
  return resources.some(isTouched) ? "changed" : "unchanged";
}

function isDestroyed({ resources }: StackPreview): boolean {
  return resources.some(({ type, op }) => type === "pulumi:pulumi:Stack" && op === "delete");
}

function organisationOf({ organisation }: StackPreview): Pick<StackReport, "organisation"> {
  return organisation === undefined ? {} : { organisation };
}

function leavingRisks(domains: readonly DomainReport[], atMost: number): Risk[] {
  const leaving = domains.filter(({ change }) => change === "offboard");
  if (leaving.length <= atMost) return [];
  return [
    {
      id: "many-domains-leave",
      level: "high",
      text: `${leaving.length} domains would leave the gateway at once.`,
      fix: `See that all of them are meant. A run lets at most ${atMost} leave, unless it is told otherwise (--offboard-at-most ${leaving.length}).`,
    },
  ];
}

function digestOf({ resources }: StackPreview): string {
  const done = resources.filter(isTouched).map(({ digest }) => digest);
  return createHash("sha256").update(done.join("\n")).digest("hex");
}

function summaryOf(report: Omit<StackReport, "summary">, preview: StackPreview): string {
  const { kind, status, domains } = report;
  if (status === "failed") {
    return domains.length === 0
      ? FAILED
      : "The preview of this stack failed: a run would stop, too, before or in the middle of its work.";
  }
  if (status === "incomplete") {
    return "Not everything could be read, so nobody knows whether this change is safe.";
  }
  if (kind === "gateway") return gatewaySummary(preview);
  const changed = domains.filter(({ change }) => change !== "unchanged").length;
  const all = domains.length === 1 ? "1 domain" : `${domains.length} domains`;
  if (report.isDestroyed) {
    return `The whole stack would be destroyed, and ${all} would leave the gateway. To merge the removal of its file does not do that: the destroy is a step of its own, with an approval of its own.`;
  }
  if (status === "unchanged") return `Nothing changes for ${all}.`;
  return `${changed} of ${all} ${changed === 1 ? "changes" : "change"}.`;
}
