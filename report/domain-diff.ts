/** What differs of a domain: its mail paths, its MX and SPF records, and what the gateway does with its mail. */
import { hasChanged, opOf } from "./domain-change.ts";
import { isKnown, type KeptValues, type MxRecords } from "./kept-values.ts";
import type { MailDomain } from "./mail-domain.ts";
import { type DomainReport, SECRET, UNKNOWN } from "./stack-report.ts";

type Report = NonNullable<NonNullable<KeptValues["component"]>["report"]>;
type Diff = Pick<
  DomainReport,
  "inboundPath" | "outboundPath" | "mx" | "spf" | "spfLookups" | "settings" | "isFromState"
>;

export function diffOf(domain: MailDomain): Diff {
  const inboundPath = pathOf(domain, "inboundPath");
  const outboundPath = pathOf(domain, "outboundPath");
  const mx = mxOf(domain);
  const spf = spfOf(domain);
  const spfLookups = lookupsOf(domain);
  return {
    ...(inboundPath && { inboundPath }),
    ...(outboundPath && { outboundPath }),
    ...(mx && { mx }),
    ...(spf && { spf }),
    ...(spfLookups && { spfLookups }),
    settings: settingsOf(domain),
    isFromState: GOING.some((part) => opOf(domain, part) === "delete"),
  };
}

/** For a part that is to be deleted a preview asks the provider nothing. */
const GOING = ["component", "mx", "spf", "route"] as const;

/** Stands where `isFromState` is true. */
export const NOT_READ_NOW =
  "DNS was not read for this preview: what goes is shown as the last run left it, not as it is in DNS and at the gateway now. The run reads both before it changes anything.";

/** A domain that is new or leaves has both in one report; of one that changes the former report has the present path. */
function pathOf({ old, new: next }: MailDomain, key: "inboundPath" | "outboundPath") {
  const [was, will] = [old.component?.report?.[key], next.component?.report?.[key]];
  if (was === undefined && will === undefined) return undefined;
  const before = was === undefined ? will?.before : refused(was.after, old);
  const after = will === undefined ? was?.before : refused(will.after, next);
  return { before: before ?? UNKNOWN, after: after ?? UNKNOWN };
}

/** An inactive domain's mail still finds its way to the gateway, and no further. */
function refused(path: string | undefined, { route }: KeptValues): string | undefined {
  const isRefused =
    route?.inactive === true && isKnown(path) && /\bgateway \(|→ gateway\b/.test(path);
  return isRefused ? `${path} (inactive: the gateway refuses it)` : path;
}

function mxOf(domain: MailDomain): DomainReport["mx"] | undefined {
  const { mx: was } = domain.old;
  const { mx: will } = domain.new;
  if (was === undefined && will === undefined) return undefined;
  if (was === undefined) {
    const present = will?.former ?? will?.before;
    // Where the zone was not read, what is planned is known all the same.
    const planned = will?.after ?? (will?.bypass === true ? undefined : will?.mx);
    return { before: mxWords(present), after: mxWords(planned) };
  }
  const after = opOf(domain, "mx") === "delete" ? was.before : will?.after;
  return { before: mxWords(was.after), after: mxWords(after) };
}

/** The form of dig, without the dot at the end. */
export function mxWords(records: MxRecords | undefined): string[] {
  if (records === undefined) return [UNKNOWN];
  if (!isKnown(records)) return [records];
  return records.map((mx) => {
    if (!isKnown(mx)) return mx;
    return mx.exchange === ""
      ? `${mx.preference} . (accepts no mail)`
      : `${mx.preference} ${mx.exchange}`;
  });
}

function spfOf(domain: MailDomain): DomainReport["spf"] | undefined {
  const { spf: was } = domain.old;
  const { spf: will } = domain.new;
  if (was === undefined && will === undefined) return undefined;
  if (was === undefined) {
    return { before: will?.before ?? UNKNOWN, after: will?.after ?? UNKNOWN };
  }
  const after = opOf(domain, "spf") === "delete" ? was.before : will?.after;
  return { before: was.after ?? UNKNOWN, after: after ?? UNKNOWN };
}

/** `2 of 10 lookups: include:_spf.example.com 1, mx 1`, as mail/spf/budget.ts writes it. */
function lookupsOf({ new: next }: MailDomain): DomainReport["spfLookups"] | undefined {
  const { lookups, lookupsByTerm } = next.spf ?? {};
  if (!isKnown(lookups) || !isKnown(lookupsByTerm)) return undefined;
  const counted = /^\d+ of 10 lookups(?:: (.*))?$/.exec(lookupsByTerm);
  // Of a faulty record nobody can count them.
  if (counted === null) return undefined;
  const [, list = ""] = counted;
  const byTerm = list.split(", ").flatMap((entry) => {
    const [, term, count] = /^(.+) (\d+)$/.exec(entry) ?? [];
    return term === undefined ? [] : [{ term, lookups: Number(count) }];
  });
  return { used: lookups, limit: 10, byTerm };
}

/** In the words of the gateway's directives. */
const SETTINGS: readonly (readonly [name: string, of: (report: Report) => unknown])[] = [
  ["Gateway", ({ gateway }) => gateway],
  ["Mail system", ({ mailSystem }) => explained(MAIL_SYSTEMS, mailSystem)],
  ["Server", ({ directives }) => directives?.server],
  ["Relay Server", ({ directives }) => directives?.relayServer],
  ["Rcpt Lookup", ({ directives }) => explained(RCPT_LOOKUPS, directives?.rcptLookup)],
  ["MX Lookup", ({ directives }) => onOff(directives?.mxLookup)],
  ["Mail to it", ({ inbound }) => explained(INBOUND, inbound)],
  ["Mail from it", ({ outbound }) => explained(OUTBOUND, outbound)],
  ["Who may send", ({ route }) => listed(route?.sendingFrom)],
  ["DNS", ({ dns }) => (dns === "manual" ? "manual: a person changes the records" : undefined)],
];

const MAIL_SYSTEMS: Words = {
  microsoft365: "Microsoft 365",
  google: "Google Workspace",
  exchange: "Exchange",
  other: "another one",
};
const RCPT_LOOKUPS: Words = {
  off: "off: mail for mailboxes that do not exist is taken, too",
  probe: "on: the Server is asked for each mailbox",
};
const INBOUND: Words = {
  border: "border: it arrives at the gateway first",
  loopback: "loopback: the mail system passes it through the gateway",
  none: "none: it does not pass the gateway",
};
const OUTBOUND: Words = {
  standard: "standard: it leaves through the gateway",
  loopback: "loopback: it passes the gateway, and leaves from the mail system",
  none: "none: it does not pass the gateway",
};
type Words = Readonly<Record<string, string>>;

function explained(words: Words, value: unknown): unknown {
  return typeof value === "string" ? (words[value] ?? value) : value;
}

/** A new domain's settings have nothing before them, one that leaves has nothing behind. */
function settingsOf(domain: MailDomain): DomainReport["settings"] {
  const was = domain.old.component?.report;
  const will = domain.new.component?.report;
  const changed = SETTINGS.flatMap(([name, of]) => {
    const [before, after] = [textOf(was && of(was)), textOf(will && of(will))];
    return before === after ? [] : [{ name, before, after }];
  });
  const isLeaving = opOf(domain, "component") === "delete";
  return isLeaving ? [] : [...changed, ...passwordOf(domain)];
}

function passwordOf(domain: MailDomain): DomainReport["settings"] {
  const isNew = domain.parts.some(({ changes }) =>
    changes.some(({ path }) => path === "relayServer.login.password"),
  );
  const name = "Relay Server's password";
  return isNew ? [{ name, before: SECRET, after: `another ${SECRET}` }] : [];
}

function onOff(value: unknown): unknown {
  return typeof value === "boolean" ? (value ? "on" : "off") : value;
}

function listed(value: unknown): unknown {
  return Array.isArray(value) ? value.join(", ") || "nobody" : value;
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** Whether the state was found otherwise than this stack had left it. */
export function isDrifted(domain: MailDomain): boolean {
  return hasChanged(domain, ["mx", "spf"], ["after"]) || hasChanged(domain, ["route"], ["version"]);
}
