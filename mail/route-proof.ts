/**
 * What a slot concludes from the replies that it gets when it tries a proposed route.
 *
 * Replies as in RFC 5321 section 4.2, enhanced status codes as in RFC 3463 and RFC 5248.
 */
import { type RouteProof, SMTP_PORT, type TlsLevel } from "./route.ts";

export interface SmtpReply {
  readonly code: number;
  /** Enhanced status code, where the host gives one: `5.1.1`. */
  readonly status?: string;
  /** Its lines, joined by spaces, without the codes. */
  readonly text: string;
}

/** Why there is no reply, or no protected connection. */
export type SmtpFailureKind =
  /** No answer to the connection attempt. */
  | "connectTimeout"
  /** The connection was refused, or no way leads there. */
  | "unreachable"
  /** The host closed the connection. */
  | "closed"
  /** Connected, and then no reply in time. */
  | "silent"
  /** What came is no SMTP. */
  | "garbage"
  /** The TLS handshake failed. */
  | "tls"
  /** TLS works, and the certificate is not valid for the host. */
  | "certificate";

/** What a proof tells of a fault, and what to do about it. */
export interface ProofFault {
  readonly problem: string;
  readonly fix: string;
}

/** Every code of a proof that does not pass. */
export const PROOF_FAULTS = {
  "proof-host-not-found": {
    problem: "The host's name has no address in DNS.",
    fix: "Correct the name, or publish its address.",
  },
  "proof-dns-unanswered": {
    problem: "DNS did not answer for the host's name.",
    fix: "Check the name servers of its zone.",
  },
  "proof-address-not-public": {
    problem: "The host's name leads to an address that is not public.",
    fix: "Name a host that is reached over the Internet.",
  },
  "proof-host-is-gateway": {
    problem: "The host is the gateway itself, so mail would loop.",
    fix: "Name the organisation's own mail system.",
  },
  "proof-port-25-timeout": {
    problem:
      "The connection to port 25 timed out. Clouds block outbound port 25 until they are asked to open it.",
    fix: "Ask the cloud to open port 25 for the gateway's addresses (on AWS: the form for removing e-mail sending limitations), and check the host's firewall.",
  },
  "proof-host-unreachable": {
    problem: "No connection to the host was possible.",
    fix: "Check the name, the port and the host's firewall.",
  },
  "proof-host-silent": {
    problem: "The host took the connection, and then gave no valid reply.",
    fix: "Check that an SMTP server answers there.",
  },
  "proof-refused-softly": {
    problem: "The host kept answering that it cannot take the mail now (4xx).",
    fix: "Read the reply, and run again once the host accepts.",
  },
  "proof-gateway-refused": {
    problem:
      "The host refuses the gateway by policy (5.7.x): often its address is not allowed there.",
    fix: "Allow the gateway's addresses at the host: in Exchange Online the inbound connector, elsewhere the allow list.",
  },
  "proof-session-refused": {
    problem: "The host refused the gateway before any recipient was named.",
    fix: "Read the reply, and correct it at the host.",
  },
  "proof-recipient-unknown": {
    problem: "The Server does not know the probe recipient.",
    fix: "Name a mailbox that exists as probeRecipient, or correct the Server.",
  },
  "proof-recipient-refused": {
    problem: "The host refused the probe recipient.",
    fix: "Read the reply, and correct it at the host.",
  },
  "proof-rcpt-lookup-without-effect": {
    problem: "Rcpt Lookup asks the Server, and the Server accepts a recipient that does not exist.",
    fix: "Let the Server refuse unknown recipients at RCPT (Microsoft 365: Directory-Based Edge Blocking), give a list, or switch Rcpt Lookup off.",
  },
  "proof-rcpt-lookup-unclear": {
    problem:
      "Rcpt Lookup asks the Server, and its refusal of an unknown recipient does not say that the mailbox is missing (5.1.1), so it cannot be told from a refusal of the gateway.",
    fix: "Let the Server answer 550 5.1.1, give a list, or switch Rcpt Lookup off.",
  },
  "proof-tls-not-offered": {
    problem: "The Relay Server offers no TLS, and the route demands it.",
    fix: "Switch TLS on there, or lower the level.",
  },
  "proof-tls-failed": {
    problem: "The TLS handshake with the Relay Server failed.",
    fix: "Check that it speaks TLS 1.2 or newer.",
  },
  "proof-certificate-not-valid": {
    problem: "The Relay Server's certificate is not valid for its name.",
    fix: "Give it a certificate of a public authority for that name, or lower the level to required.",
  },
  "proof-login-not-offered": {
    problem: "The Relay Server offers no login that the gateway can use: PLAIN or LOGIN, over TLS.",
    fix: "Switch it on there, on the port that the route names, or delete the login.",
  },
  "proof-login-refused": {
    problem: "The Relay Server refused the login.",
    fix: "Correct user and password.",
  },
  "proof-secret-unreadable": {
    problem: "The gateway could not read the login's password.",
    fix: "Check that the secret exists and that the gateway's role may read it.",
  },
  "proof-aborted": {
    problem: "The gateway failed while it tried the route.",
    fix: "Run again, and report it if it happens again.",
  },
} as const satisfies Record<string, ProofFault>;

export type ProofCode = keyof typeof PROOF_FAULTS;

/** Why a proof does not pass now. */
export interface ProofFinding {
  /** `trying`: it may be otherwise soon. `failed`: a person must act. */
  readonly verdict: Exclude<RouteProof["verdict"], "proven">;
  readonly code: ProofCode;
}

/** Tried again, since it may pass by itself. */
function trying(code: ProofCode): ProofFinding {
  return { verdict: "trying", code };
}

function failed(code: ProofCode): ProofFinding {
  return { verdict: "failed", code };
}

function isClass(reply: SmtpReply, first: 2 | 4 | 5): boolean {
  return Math.trunc(reply.code / 100) === first;
}

/** Not a matter of the mailbox but of who asks: RFC 3463 section 3.8, security or policy. */
function isPolicy({ status }: SmtpReply): boolean {
  return status?.startsWith("5.7.") === true;
}

/** "No such mailbox" in the words of servers without enhanced codes: Exim, qmail, and others. */
const UNKNOWN_MAILBOX =
  /no such user|user unknown|unknown user|no mailbox here by that name|unrouteable address/i;

/**
 * "No such mailbox": 5.1.1, 5.1.3 (bad syntax), 5.1.6 (moved) of RFC 3463, and Exchange's 5.1.10 and 5.4.1.
 * What Postfix takes for it when it probes: `gateway/postfix/tables.ts`.
 */
export function isUnknownMailbox({ code, status, text }: SmtpReply): boolean {
  if (status === undefined) return code >= 550 && code <= 553 && UNKNOWN_MAILBOX.test(text);
  if (status === "5.4.1") return text.includes("Recipient address rejected");
  return ["5.1.1", "5.1.3", "5.1.6", "5.1.10"].includes(status);
}

const FAILURES: Readonly<Record<SmtpFailureKind, ProofFinding>> = {
  connectTimeout: trying("proof-host-unreachable"),
  unreachable: trying("proof-host-unreachable"),
  closed: trying("proof-host-silent"),
  silent: trying("proof-host-silent"),
  garbage: trying("proof-host-silent"),
  tls: failed("proof-tls-failed"),
  certificate: failed("proof-certificate-not-valid"),
};

/** @returns what the missing reply means; a time-out on port 25 has a usual cause of its own */
export function judgeFailure(kind: SmtpFailureKind, port: number): ProofFinding {
  const isBlocked = kind === "connectTimeout" && port === SMTP_PORT;
  return isBlocked ? trying("proof-port-25-timeout") : FAILURES[kind];
}

/** Judges the greeting and the replies to EHLO and MAIL. @returns `undefined`: go on */
export function judgeSession(reply: SmtpReply): ProofFinding | undefined {
  if (isClass(reply, 2)) return undefined;
  if (!isClass(reply, 5)) return trying("proof-refused-softly");
  return failed(isPolicy(reply) ? "proof-gateway-refused" : "proof-session-refused");
}

/** Judges the reply to RCPT with a mailbox that exists. @returns `undefined`: accepted */
export function judgeProbeRecipient(reply: SmtpReply): ProofFinding | undefined {
  if (isClass(reply, 2)) return undefined;
  if (!isClass(reply, 5)) return trying("proof-refused-softly");
  if (isPolicy(reply)) return failed("proof-gateway-refused");
  return failed(isUnknownMailbox(reply) ? "proof-recipient-unknown" : "proof-recipient-refused");
}

/**
 * Judges the reply to RCPT with a mailbox that cannot exist, where Rcpt Lookup asks the Server. A Server that
 * accepts it makes Rcpt Lookup useless; the person who asked for Rcpt Lookup is told instead of finding out.
 *
 * @returns `undefined`: refused as it should be
 */
export function judgeUnknownRecipient(reply: SmtpReply): ProofFinding | undefined {
  if (isClass(reply, 2)) return failed("proof-rcpt-lookup-without-effect");
  if (!isClass(reply, 5)) return trying("proof-refused-softly");
  return isUnknownMailbox(reply) ? undefined : failed("proof-rcpt-lookup-unclear");
}

/** Judges whether TLS that the host does or does not offer is enough. @returns `undefined`: go on */
export function judgeTlsOffer(level: TlsLevel, isOffered: boolean): ProofFinding | undefined {
  return level === "opportunistic" || isOffered ? undefined : failed("proof-tls-not-offered");
}

/** Judges the reply to the end of AUTH (RFC 4954 section 6). @returns `undefined`: logged in */
export function judgeLogin(reply: SmtpReply): ProofFinding | undefined {
  if (isClass(reply, 2)) return undefined;
  return isClass(reply, 5) ? failed("proof-login-refused") : trying("proof-refused-softly");
}

/** The login mechanism that is used, of those that the host offers. */
export function chooseLogin(offered: readonly string[]): "PLAIN" | "LOGIN" | undefined {
  const names = offered.map((name) => name.toUpperCase());
  if (names.includes("PLAIN")) return "PLAIN";
  return names.includes("LOGIN") ? "LOGIN" : undefined;
}

/** How often a route is tried before `trying` becomes `failed`. About half an hour, all in all. */
export const PROOF_ATTEMPTS = 24;

/** Greylisting often ends after 1 to 5 minutes, hence the steady end. @param attempt from 1 */
export function secondsToNextAttempt(attempt: number): number {
  return Math.min(5 * 2 ** (attempt - 1), 90);
}
