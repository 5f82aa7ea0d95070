/**
 * SPF (RFC 7208): check_host(), record selection, editing, the lookup budget, and who relies on MX.
 *
 * DNS comes in as a `Resolver` (mail/dns.ts), a function of a name and a record type:
 *
 *     type Resolver = <T extends DnsType>(name: string, type: T) => Promise<DnsAnswer<T>>;
 *     type DnsType = "A" | "AAAA" | "CNAME" | "MX" | "NS" | "PTR" | "TXT";
 *     interface DnsAnswer<T> {
 *       status: "ok" | "nodata" | "nxdomain" | "servfail" | "timeout";
 *       records: readonly DnsValue[T][]; // empty unless the status is "ok"
 *     }
 *
 * Records are strings, but for MX: `{ preference: 10, exchange: "mx1.example.com" }`. The value of a
 * TXT record is its character strings joined without anything between them, one UTF-16 unit a byte
 * (latin1). Names in records are lower case without trailing dot; the resolver follows CNAMEs and
 * does not throw for a failure of DNS. It is asked for names in lower case without trailing dot,
 * which may hold any ASCII character from space to "~", since records and macros make them up.
 *
 * @example
 * const zone: { [T in DnsType]?: Record<string, DnsValue[T][]> } = {
 *   TXT: { "example.com": ["v=spf1 ip4:192.0.2.0/24 -all"] },
 * };
 * const resolver: Resolver = async (name, type) => {
 *   const records = zone[type]?.[name] ?? [];
 *   return { status: records.length > 0 ? "ok" : "nxdomain", records };
 * };
 * await checkHost({
 *   ip: "192.0.2.1",
 *   domain: "example.com",
 *   sender: "user@example.com",
 *   helo: "mail.example.com",
 *   resolver,
 * }); // { result: "pass" }
 */
export {
  describeBudget,
  type MeasureBudgetArgs,
  measureBudget,
  type SpfBudget,
} from "./budget.ts";
export type { SpfTermBudget } from "./budget-tree.ts";
export { type CheckHostArgs, checkHost, type SpfOutcome, type SpfResult } from "./check-host.ts";
export { findTerm, insertTerms, removeTerms } from "./edit.ts";
export {
  type FindLostSendersArgs,
  findLostSenders,
  type LostSender,
  suggestReplacements,
} from "./mx-reliance.ts";
export type { SpfProblem, SpfProblemCode } from "./problem.ts";
export { parseRecord, type SpfSelection, selectSpf } from "./record.ts";
export { SpfSyntaxError } from "./syntax-error.ts";
export type { SpfDirective, SpfMechanism, SpfModifier, SpfQualifier, SpfTerm } from "./term.ts";
