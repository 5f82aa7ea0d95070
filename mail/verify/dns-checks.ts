/** Whether DNS is as the stack says, on every name server that the zone is delegated to. */
import type { DnsAnswer, MxRecord } from "../dns.ts";
import { MailRuleError } from "../errors.ts";
import { type Journal, type MxJournal, parseJournal, sameFormerMx } from "../journal.ts";
import { formatMxSet, includesMx, sameMxSet } from "../mx.ts";
import { type Check, judged, notice, unread, well, wrong } from "./check.ts";
import type { DomainEvidence, NamedMx, ServerView, TakeoverStanding } from "./evidence.ts";

/** An answer that proves what stands, or that nothing does (RFC 2308). */
export function isProof({ status }: Pick<DnsAnswer<"TXT">, "status">): boolean {
  return status === "ok" || status === "nodata" || status === "nxdomain";
}

/** Name servers that answered nothing usable. What the others say is judged all the same. */
export function checkNameServers({ servers }: DomainEvidence): readonly Check[] {
  return judged("name-servers", servers, (views) => {
    const silent = views.filter(({ mx, texts, journal }) => ![mx, texts, journal].every(isProof));
    if (silent.length === 0)
      return [well("name-servers", `Asked: ${views.map(nameOf).join(", ")}.`)];
    return silent.map((server) =>
      unread(
        "name-servers",
        `${nameOf(server)} gives no usable answer (${[...new Set([server.mx, server.texts, server.journal].map(({ status }) => status))].join(", ")}).`,
        `Look at "dig @${server.address} MX <domain>"; a part of the senders asks this server.`,
      ),
    );
  });
}

/** The gateway's MX where the domain is with it; the former ones during a bypass. */
export function checkMx({ takeover, servers }: DomainEvidence): readonly Check[] {
  if (takeover === undefined || servers.kind !== "read") return [];
  const expected = takeover.bypass ? takeover.before : takeover.mx;
  const answered = servers.value.filter(({ mx }) => isProof(mx));
  const wrongOnes = answered.filter(({ mx }) =>
    takeover.bypass
      ? !sameMxSet(mx.records, expected)
      : !expected.every((each) => includesMx(mx.records, each)),
  );
  if (answered.length === 0) return [];
  if (wrongOnes.length === 0) {
    return [well("mx", `Served by ${countOf(answered)}: ${formatMxSet(expected)}`)];
  }
  return wrongOnes.map((server) =>
    wrong(
      "mx",
      `${nameOf(server)} answers ${formatMxSet(server.mx.records)}; the stack says ${formatMxSet(expected)}`,
      "Run pulumi up --refresh. If only some servers differ, wait for the zone to reach them all, then verify again.",
    ),
  );
}

/** Former MX beside the gateway's: a part of the mail goes around it. */
export function checkOldMx({ takeover, servers }: DomainEvidence): readonly Check[] {
  if (takeover === undefined || takeover.bypass || servers.kind !== "read") return [];
  const former = new Set(takeover.former.map(({ exchange }) => exchange));
  const old = foreign(takeover, servers.value).filter(({ exchange }) => former.has(exchange));
  if (old.length === 0) return [well("mx-old", "No former MX is left at the domain.")];
  return [
    wrong(
      "mx-old",
      `The former MX still stand beside the gateway's: ${formatMxSet(old)}`,
      "Remove them, unless a run is under way that has not removed them yet: then wait for its end.",
    ),
  ];
}

/** MX of anyone else beside the gateway's. */
export function checkMxAround({ takeover, servers }: DomainEvidence): readonly Check[] {
  if (takeover === undefined || takeover.bypass || servers.kind !== "read") return [];
  const former = new Set(takeover.former.map(({ exchange }) => exchange));
  const others = foreign(takeover, servers.value).filter(({ exchange }) => !former.has(exchange));
  if (others.length === 0) return [well("mx-around", "Nobody else's MX stand at the domain.")];
  return [
    wrong(
      "mx-around",
      `MX that are neither the gateway's nor the former ones stand at the domain: ${formatMxSet(others)}`,
      "Find out who added them; mail that they receive does not pass the gateway. Remove them.",
    ),
  ];
}

/** Other names of the zone whose MX are the domain's old ones: senders of mail to these go around the gateway. */
export function checkSubdomainMx(evidence: DomainEvidence): readonly Check[] {
  const { takeover, zoneMx, domain, ownDomains } = evidence;
  if (takeover === undefined || takeover.bypass) return [];
  return judged("mx-subdomains", zoneMx, (records) => {
    const former = new Set(takeover.former.map(({ exchange }) => exchange));
    const left = records.filter(
      ({ name, exchange }) => name !== domain && !ownDomains.has(name) && former.has(exchange),
    );
    if (left.length === 0) {
      return [well("mx-subdomains", "No other name of the zone has the former MX.")];
    }
    return [...Map.groupBy(left, ({ name }: NamedMx) => name)].map(([name, mx]) =>
      notice(
        "mx-subdomains",
        `${name} still has the former MX (${formatMxSet(mx)}): its mail does not pass the gateway.`,
        `Add ${name} to the stack's file as a domain, or remove its MX if nobody is written to there.`,
      ),
    );
  });
}

/** The journal is what puts the former MX back, months later, by whoever finds it. */
export function checkJournal({ takeover, servers }: DomainEvidence): readonly Check[] {
  if (takeover === undefined || servers.kind !== "read") return [];
  if (!takeover.isJournalled) {
    return [well("journal", "A person keeps the DNS: the former MX are in the state alone.")];
  }
  if (takeover.revision === 0) return [];
  const answered = servers.value.filter(({ journal }) => isProof(journal));
  const faults = answered.flatMap((server) => journalFault(server, takeover) ?? []);
  if (answered.length === 0 || faults.length > 0) return faults;
  return [
    well("journal", `Served by ${countOf(answered)}; to put back: ${formatMxSet(takeover.former)}`),
  ];
}

/** @throws MailRuleError `journal-damaged` */
export function journalOf({ journal }: ServerView): Journal {
  return parseJournal(journal.records.map((text, index) => ({ id: `${index}`, text })));
}

function journalFault(server: ServerView, takeover: TakeoverStanding): Check | undefined {
  const place = nameOf(server);
  try {
    const { mx } = journalOf(server);
    if (mx === undefined) {
      return wrong(
        "journal",
        `${place} has no journal of the MX; the state remembers ${formatMxSet(takeover.former)}`,
        "Change overlapSeconds of the domain and run pulumi up: it writes the journal again from the state.",
      );
    }
    return differing(mx, takeover, place);
  } catch (error) {
    if (!(error instanceof MailRuleError)) throw error;
    return wrong("journal", `${place}: ${error.problem}`, error.fix);
  }
}

function differing(mx: MxJournal, takeover: TakeoverStanding, place: string): Check | undefined {
  const phase = takeover.bypass ? "bypassed" : "held";
  if (mx.phase !== phase) {
    return wrong(
      "journal",
      `${place} has the journal in the phase ${mx.phase}; the stack says ${phase}.`,
      "A run is under way, or was cut short: npm run leftovers names the command that goes on.",
    );
  }
  if (mx.revision === takeover.revision && sameFormerMx(mx.former, takeover.former)) {
    return undefined;
  }
  return wrong(
    "journal",
    `${place} would put back ${formatMxSet(mx.former)} (revision ${mx.revision}); the state remembers ${formatMxSet(takeover.former)} (revision ${takeover.revision}).`,
    "The state is older than the zone, or someone edited the journal: run pulumi up --refresh, and find out which is right before a destroy.",
  );
}

/** MX that any server answers and that are not the gateway's. */
function foreign({ mx }: TakeoverStanding, servers: readonly ServerView[]): readonly MxRecord[] {
  const found = servers.flatMap((server) => server.mx.records);
  const gateway = new Set(mx.map(({ exchange }) => exchange));
  return found.filter(
    (record, index) =>
      !gateway.has(record.exchange) &&
      found.findIndex((other) => includesMx([other], record)) === index,
  );
}

/** Only an address tells two machines of one name apart. */
export function nameOf({ name, address }: Pick<ServerView, "name" | "address">): string {
  return `${name} (${address})`;
}

export function countOf(servers: readonly unknown[]): string {
  return servers.length === 1 ? "1 name server" : `${servers.length} name servers`;
}
