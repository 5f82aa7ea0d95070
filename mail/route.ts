/**
 * A route: what the gateway must know of a domain, and how far its life is.
 *
 * Plain values only. The route store keeps them, the provider's `Route` writes them, and the gateway's agent
 * makes maps and answers of them.
 */

/**
 * How the connection to a next hop is protected.
 *
 * - `opportunistic`: TLS where the host offers it (RFC 7435).
 * - `required`: TLS, whatever the certificate.
 * - `verified`: TLS, and the certificate must be valid for the host's name.
 */
export const TLS_LEVELS = ["opportunistic", "required", "verified"] as const;
export type TlsLevel = (typeof TLS_LEVELS)[number];

/** The SMTP port (RFC 5321 section 4.5.4.2). */
export const SMTP_PORT = 25;

/** Through which host the domain's outbound mail leaves the gateway. */
export interface RelayServer {
  /** Host name or IP address. */
  readonly host: string;
  readonly port: number;
  readonly tls: TlsLevel;
  /** The login's password lies in the secret store, never in the route. */
  readonly login?: RelayLogin;
}

export interface RelayLogin {
  readonly user: string;
  /** The name of the secret that holds the password. */
  readonly secret: string;
  /** Grows with every new password, so that a change of it is a change of the route. */
  readonly secretVersion: number;
}

/**
 * Which recipients the gateway accepts.
 *
 * - `off`: all of the domain.
 * - `probe`: those that the Server accepts when it is asked.
 * - `list`: those of the list.
 */
export type RcptLookup =
  | { readonly kind: "off" }
  | { readonly kind: "probe" }
  /** Whole addresses of the domain, in lower case. */
  | { readonly kind: "list"; readonly recipients: readonly string[] };

/**
 * By what a mail system that sends through the gateway is recognised. The kinds are an open set: a header
 * with a secret of the tenant, for systems that share their addresses, comes later.
 */
export type SendingIdentity =
  /** An address or network in CIDR notation, normal form: `192.0.2.7/32`, `2001:db8:1::/48`. */
  | { readonly kind: "network"; readonly network: string }
  /** The SHA-256 fingerprint of a client certificate: lower-case hex pairs with colons. */
  | { readonly kind: "certificate"; readonly fingerprint: string };

export const OUTBOUND_FLOWS = ["standard", "loopback", "none"] as const;
export type OutboundFlow = (typeof OUTBOUND_FLOWS)[number];

/** One version of what the gateway must know of a domain. */
export interface Route {
  /** In A-labels, as everywhere. Subdomains are not meant. */
  readonly domain: string;
  /** The system that finally receives the mail: a host name or an IP address. Never empty. */
  readonly server: string;
  /** The Server is found by its MX records instead of its addresses. */
  readonly mxLookup: boolean;
  readonly rcptLookup: RcptLookup;
  /** Whether the gateway accepts mail for the domain. */
  readonly inbound: boolean;
  /**
   * What happens to mail that the domain sends through the gateway: `standard` to the Relay Server or the
   * recipients' MX, `loopback` back to the Server, `none`: it is refused.
   */
  readonly outbound: OutboundFlow;
  /** Only with `standard`. */
  readonly relayServer?: RelayServer;
  /** Who may send as the domain. Empty only where `outbound` is `none`. */
  readonly identities: readonly SendingIdentity[];
  /** A mailbox that exists, which every slot asks the Server for before the route is used. */
  readonly probeRecipient: string;
  /** Where a person learns what to do once mail is refused: a URL or a mail address. Stands in the replies. */
  readonly fixIt: string;
}

/** When a route that was given up changes its behaviour. Instants in ISO 8601, UTC, in this order. */
export interface LeavingTimes {
  /** Since when it is leaving. It still delivers and relays. */
  readonly since: string;
  /** From then on every recipient and sender is refused with 4xx. */
  readonly deferFrom: string;
  /** From then on with 5xx and the fix-it address. */
  readonly refuseFrom: string;
  /** From then on the domain is as unknown as any other, and its ownership is released. */
  readonly expires: string;
}

/** When an inactive route changes its behaviour. Instants in ISO 8601, UTC, in this order. It has no end. */
export interface InactiveTimes {
  /** From then on every recipient and sender is refused with 4xx. */
  readonly since: string;
  /** From then on with 5xx and the fix-it address. */
  readonly refuseFrom: string;
}

/** Who holds a domain. Only the holder's resources change the route. */
export interface RouteHolder {
  /** The organisation. */
  readonly organisation: string;
  /** One for each resource that holds the domain, `<resource>.<generation>`: see the journal's claims. */
  readonly claims: readonly string[];
}

/** Where a domain's outbound mail goes. */
export type OutboundWay = Pick<Route, "outbound" | "relayServer">;

/** Where a domain's inbound mail went, for as long as some of it may be in a queue. */
export interface FormerServer extends Pick<Route, "server" | "mxLookup"> {
  /** ISO 8601, UTC. */
  readonly until: string;
  /** Mail that still comes is taken as before: resolvers may remember the gateway's MX. Missing: none is. */
  readonly accepts?: FormerAcceptance;
}

/** Which mail is still taken of a domain that receives no more. */
export interface FormerAcceptance extends Pick<Route, "rcptLookup"> {
  /** ISO 8601, UTC. */
  readonly until: string;
}

/** A version of a route with its number. */
export interface NumberedRoute {
  readonly version: number;
  readonly route: Route;
}

/** All that the route store knows of a domain. */
export interface RouteRecord {
  readonly domain: string;
  readonly holder: RouteHolder;
  /** Counts up with every write, from 1: a write names the revision that it has read. */
  readonly revision: number;
  /** The version that serves. */
  readonly active?: NumberedRoute;
  /** A version that slots are to prove. The active one serves until all have. */
  readonly proposed?: NumberedRoute;
  /**
   * Where its outbound mail went before the active version stopped it: mail that was accepted by then is still
   * in the queue, and may not pass by a Relay Server that filters or archives.
   */
  readonly formerWay?: OutboundWay;
  /**
   * Where its inbound mail went before the active version stopped it, for mail that is still in the queue, and for
   * what senders still bring in the first day. Not for good: the domain's MX says by now where its mail is to go,
   * bounces to it among that.
   */
  readonly formerServer?: FormerServer;
  /** The route was given up. */
  readonly leaving?: LeavingTimes;
  /** The organisation's subscription has ended, say: its mail is refused, and the domain stays its own. */
  readonly inactive?: InactiveTimes;
}

/**
 * - `proposed`: not yet proven, and nothing serves.
 * - `active`: delivers and relays.
 * - `leaving`: still delivers and relays, and was given up.
 * - `deferring`: refuses softly, with 4xx: it was given up or set inactive.
 * - `refusing`: refuses for good, with 5xx, for the same reasons.
 * - `expired`: not there any more.
 */
export const ROUTE_STAGES = [
  "proposed",
  "active",
  "leaving",
  "deferring",
  "refusing",
  "expired",
] as const;
export type RouteStage = (typeof ROUTE_STAGES)[number];

/** One step of a proof, as the slot saw it. */
export interface ProofStep {
  /** What was tried: `connect mail.contoso.com (192.0.2.7) port 25`, `RCPT TO:<info@contoso.com>`. */
  readonly action: string;
  /** The reply or the failure: `250 2.1.5 OK`, `timed out after 30 s`. */
  readonly outcome: string;
}

/** What a slot found when it tried a proposed version. */
export interface RouteProof {
  readonly version: number;
  /** ISO 8601, UTC. */
  readonly at: string;
  /** `trying`: the answers so far were transient, and it tries again. */
  readonly verdict: "proven" | "trying" | "failed";
  /** The dialogue up to the step that decided. Holds no secret. */
  readonly steps: readonly ProofStep[];
  /** Where it failed: a code of docs/refusals.md. */
  readonly code?: string;
}

/** When mail of a domain last passed a slot, in one direction. */
export interface LastMail {
  /** ISO 8601, UTC. */
  readonly at: string;
  /** The client's address. */
  readonly from: string;
  /** Missing: an agent of an earlier release told it. */
  readonly spell?: MailSpell;
  /** Missing: as above. */
  readonly clients?: LastClients;
}

/** The present spell of traffic: it ends after an hour without mail, as `mail/mail-spell.ts` has it. */
export interface MailSpell {
  /** When it began, as far back as the slot's log reaches. ISO 8601, UTC. */
  readonly since: string;
  /** How many messages passed since then. */
  readonly messages: number;
}

/** Who sent last, whether in the present spell or before. */
export interface LastClients {
  /** Every client that sent after this instant is among the latest ones. ISO 8601, UTC. */
  readonly knownSince: string;
  /** At most 5, the latest first, each with its last message. */
  readonly latest: readonly Pick<LastMail, "at" | "from">[];
}

/** What one slot says of one domain. */
export interface SlotAnswer {
  readonly domain: string;
  readonly slot: string;
  readonly proof?: RouteProof;
  /** The revision of the record that its maps hold. */
  readonly acknowledged?: number;
  /** From when on the answer is not needed, ISO 8601, UTC. Said with `acknowledged`. @default it stays */
  readonly expires?: string;
  readonly lastInbound?: LastMail;
  readonly lastOutbound?: LastMail;
  /** Told once a minute as long as there is any, and when there is none any more. */
  readonly queuedOutbound?: QueuedMail;
}

/** What a slot has accepted from a domain, and not delivered yet: it goes on for up to 5 days. */
export interface QueuedMail {
  /** When the slot looked. ISO 8601, UTC. */
  readonly at: string;
  readonly messages: number;
  /** When the oldest of them came in. ISO 8601, UTC. */
  readonly since: string;
}

/** A slot of the fleet, as its agent last said. */
export interface SlotReport {
  readonly slot: string;
  /** ISO 8601, UTC. */
  readonly heartbeat: string;
  /** SHA-256 of the bundle that it runs. */
  readonly bundle: string;
  readonly healthy: boolean;
  /** What is wrong, in words; empty where all is well. */
  readonly faults: readonly string[];
  /** Messages in the queues of both instances; missing: a queue could not be read. */
  readonly queued?: number;
  /**
   * All outbound mail that passed the slot until then stands in its answers. ISO 8601, UTC. Missing: an agent of an
   * earlier release reports, which tells at most a minute late.
   */
  readonly toldUntil?: string;
  /** It was told to take no more mail; missing: it takes mail. */
  readonly closing?: SlotClosing;
}

/** How far a slot is with taking no more mail. */
export interface SlotClosing {
  /** The mark in the route store by which it was told to. */
  readonly mark: string;
  /** Whether nothing more comes in: what is queued now is all that there will be. */
  readonly isClosed: boolean;
}
