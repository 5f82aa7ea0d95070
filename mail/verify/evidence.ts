/** All that is known of one domain when it is verified: what the stack says, and what was seen. */
import type { DnsAnswer, MxRecord } from "../dns.ts";
import type { Drift } from "../dns-drift.ts";
import type { FormerMx } from "../journal.ts";
import type { Loop } from "../loop.ts";
import type { MtaStsPolicy } from "../mta-sts.ts";
import type { ProofStep, Route, RouteRecord, SlotAnswer, SlotReport } from "../route.ts";
import type { SmtpFailureKind, SmtpReply } from "../route-proof.ts";
import type { ShownRelayServer } from "../route-words.ts";
import type { SpfBudget } from "../spf/index.ts";
import type { Reading } from "./check.ts";

export interface DomainEvidence {
  readonly domain: string;
  readonly now: Date;
  /** Whether the stack's file has it; `undefined`: the file could not be read. */
  readonly inFile: boolean | undefined;
  /** All domains of the stack. */
  readonly ownDomains: ReadonlySet<string>;
  /** What the stack has brought about, by its state. Each is missing where the state has no such resource. */
  readonly takeover?: TakeoverStanding;
  readonly spfTerms?: readonly string[];
  readonly route?: RouteStanding;
  /** For how long no mail may come in before that is a fault, in seconds. */
  readonly silenceSeconds: number;
  /** One for each address of each delegated name server. */
  readonly servers: Reading<readonly ServerView[]>;
  /** The MX of the whole zone, with the names at which they stand. */
  readonly zoneMx: Reading<readonly NamedMx[]>;
  readonly spfBudget: Reading<SpfBudget>;
  /** What someone else has changed in the zone since the last run. Missing where the state has no records in it. */
  readonly changes?: Reading<readonly Drift[]>;
  /** Its value is `undefined` where senders know of no policy. */
  readonly mtaSts: Reading<MtaStsPolicy | undefined>;
  /** Its value is `undefined` where there is none. */
  readonly loop: Reading<Loop | undefined>;
  /** Skipped where the gateway keeps its routes elsewhere. */
  readonly store: Reading<StoreView>;
  /** Missing where no mail comes in through the gateway. */
  readonly rcpt?: Reading<RcptView>;
}

/** What the resource `MxTakeover` has brought about. */
export interface TakeoverStanding {
  /** The gateway's MX. */
  readonly mx: readonly MxRecord[];
  readonly bypass: boolean;
  /** What stands during a bypass, and after a hand-back. */
  readonly before: readonly MxRecord[];
  /** Those to put back, as the state remembers them. */
  readonly former: readonly FormerMx[];
  /** The revision of that memory. 0: nothing was ever journalled. */
  readonly revision: number;
  /** The journal lies in DNS. Where a person keeps the DNS, the state alone has it. */
  readonly isJournalled: boolean;
  /** Since when mail comes in through the gateway only, as far as the state tells. ISO 8601, UTC. */
  readonly since?: string;
}

/** What the resource `Route` has told the gateway. */
export interface RouteStanding {
  readonly route: StackRoute;
  /** Mail was to leave as before until the domain's SPF record names the gateway. */
  readonly awaitsSpf: boolean;
  readonly excludeSlots: readonly string[];
  /** The gateway is to refuse the domain's mail. */
  readonly inactive: boolean;
  /** Gateways that the domain has moved away from, where it still is served. */
  readonly former: readonly FormerStanding[];
}

/** A route as far as the state tells it in clear. */
export interface StackRoute
  extends Pick<
    Route,
    "server" | "mxLookup" | "rcptLookup" | "inbound" | "outbound" | "probeRecipient" | "fixIt"
  > {
  readonly relayServer?: ShownRelayServer;
  /** Who may send as the domain, as people write it. */
  readonly sendingFrom: readonly string[];
}

export interface FormerStanding {
  /** The table of its route store. */
  readonly table: string;
  /** Since when the domain's MX do not name it. ISO 8601, UTC. */
  readonly mxGoneSince?: string;
}

/** What one name server answers. */
export interface ServerView {
  readonly name: string;
  readonly address: string;
  readonly mx: DnsAnswer<"MX">;
  /** At the domain. */
  readonly texts: DnsAnswer<"TXT">;
  /** At the journal's name. */
  readonly journal: DnsAnswer<"TXT">;
}

export interface NamedMx extends MxRecord {
  readonly name: string;
}

/** What the gateway's route store has of the domain. */
export interface StoreView {
  readonly record?: RouteRecord;
  readonly answers: readonly SlotAnswer[];
  /** The fleet's slots. */
  readonly slots: readonly string[];
}

/** What the fleet's slots say of themselves. */
export interface FleetView {
  readonly slots: readonly string[];
  readonly reports: readonly SlotReport[];
  /** Those that the stack's file leaves out. */
  readonly excludeSlots: readonly string[];
}

/** What the gateway's addresses answered at RCPT to this machine. */
export interface RcptView {
  readonly recipient: string;
  /** The stack names it as one that exists; otherwise it is a guess. */
  readonly isKnown: boolean;
  /** Hosts of the gateway without an address. */
  readonly missing: readonly string[];
  readonly answers: readonly RcptAnswer[];
}

export interface RcptAnswer {
  readonly host: string;
  readonly address: string;
  /** The slot whose address it is, where that is known and the stack leaves it out. */
  readonly excludedSlot?: string;
  readonly result: RcptResult;
  readonly steps: readonly ProofStep[];
}

export type RcptResult =
  | { readonly kind: "accepted" }
  | { readonly kind: "refused"; readonly atRecipient: boolean; readonly reply: SmtpReply }
  | { readonly kind: "deferred"; readonly reply: SmtpReply }
  | { readonly kind: "failed"; readonly failure: SmtpFailureKind };
