/** A domain that is well, for tests of the checks. */
import type { DnsAnswer, DnsType, DnsValue } from "../dns.ts";
import { formatMxJournal, type MxJournal } from "../journal.ts";
import type { Route } from "../route.ts";
import { formatSendingIdentity } from "../sending-identity.ts";
import type { Check, Reading } from "../verify/check.ts";
import type { DomainEvidence, RcptAnswer, RouteStanding, ServerView } from "../verify/evidence.ts";
import { NOW, recordOf, routeOf } from "./routes.ts";

export const DOMAIN = "contoso.test";
export const OLD = { preference: 10, exchange: "mail.contoso.test" };
export const GATEWAY = { preference: 10, exchange: "smtp-in.gateway.test" };
export const SPF = "v=spf1 include:_spf.gateway.test -all";
export const FORMER = [{ ...OLD, ttl: 300 }];

export function read<T>(value: T): Reading<T> {
  return { kind: "read", value };
}

export function unreadable(problem: string): Reading<never> {
  return { kind: "unread", problem };
}

/** As many hours before the time of the tests. */
export function hoursAgo(hours: number): string {
  return new Date(NOW.getTime() - hours * 3_600_000).toISOString();
}

export function answer<T extends DnsType>(records: readonly DnsValue[T][]): DnsAnswer<T> {
  return { status: records.length === 0 ? "nodata" : "ok", records };
}

export function journalTexts(change: Partial<MxJournal> = {}): string[] {
  const journal: MxJournal = {
    holder: "contoso",
    phase: "held",
    claims: [{ resource: "aaaaaaaa", generation: "11111111" }],
    revision: 1,
    server: "cccccccc",
    former: FORMER,
    ...change,
  };
  return formatMxJournal(journal).map(({ text }) => text);
}

export function server(change: Partial<ServerView> = {}, number = 1): ServerView {
  return {
    name: `ns${number}.dns-host.test`,
    address: `192.0.2.${number}`,
    mx: answer<"MX">([GATEWAY]),
    texts: answer<"TXT">(["MS=ms12345678", SPF]),
    journal: answer<"TXT">(journalTexts()),
    ...change,
  };
}

export const accepted: RcptAnswer = {
  host: GATEWAY.exchange,
  address: "192.0.2.11",
  result: { kind: "accepted" },
  steps: [{ action: `RCPT TO:<info@${DOMAIN}>`, outcome: "250 2.1.5 Ok" }],
};

const route = routeOf(DOMAIN);

/** What the state says where it has brought this route about. */
export function standingOf(
  { identities, ...shown }: Route,
  change: Partial<RouteStanding> = {},
): RouteStanding {
  const sendingFrom = identities.map(formatSendingIdentity);
  const stack = { ...shown, sendingFrom };
  return {
    route: stack,
    awaitsSpf: false,
    excludeSlots: [],
    inactive: false,
    former: [],
    ...change,
  };
}

export function slotAnswer(slot: string, change: object = {}) {
  const proof = { version: 1, at: hoursAgo(200), verdict: "proven", steps: [] } as const;
  return { domain: DOMAIN, slot, acknowledged: 1, proof, ...change };
}

/** On the gateway for 200 hours, with mail in both directions an hour ago. */
export function soundEvidence(change: Partial<DomainEvidence> = {}): DomainEvidence {
  return {
    domain: DOMAIN,
    now: NOW,
    inFile: true,
    ownDomains: new Set([DOMAIN]),
    takeover: {
      mx: [GATEWAY],
      bypass: false,
      before: [OLD],
      former: FORMER,
      revision: 1,
      isJournalled: true,
      since: hoursAgo(200),
    },
    spfTerms: ["include:_spf.gateway.test"],
    route: standingOf(route),
    silenceSeconds: 72 * 3_600,
    servers: read([server(), server({}, 2)]),
    zoneMx: read([{ ...GATEWAY, name: DOMAIN }]),
    spfBudget: read({ lookups: 2, voidLookups: 0, size: 40, terms: [], problems: [] }),
    mtaSts: read(undefined),
    loop: read(undefined),
    store: read({
      record: recordOf(route),
      slots: ["a", "b"],
      answers: [
        slotAnswer("a", { lastInbound: { at: hoursAgo(1), from: "198.51.100.1" } }),
        slotAnswer("b", { lastOutbound: { at: hoursAgo(1), from: "192.0.2.7" } }),
      ],
    }),
    rcpt: read({
      recipient: `info@${DOMAIN}`,
      isKnown: true,
      missing: [],
      answers: [accepted, { ...accepted, address: "192.0.2.12" }],
    }),
    ...change,
  };
}

/** Checks that are not well, each as `<id> <status>`. */
export function found(checks: readonly Check[]): string[] {
  return checks.flatMap(({ id, status }) => (status === "well" ? [] : [`${id} ${status}`]));
}
