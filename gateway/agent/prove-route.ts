/**
 * Tries a proposed route once: real SMTP to its Server and its Relay Server, from the addresses that mail
 * will come from. Nothing is sent: each dialogue ends after RCPT.
 */
import { randomBytes } from "node:crypto";
import { isIPv6 } from "node:net";
import { type NextHops, parseIpAddress, specialAddress } from "../../mail/address-scope.ts";
import {
  type ProofStep,
  type RelayServer,
  type Route,
  type RouteProof,
  SMTP_PORT,
  type TlsLevel,
} from "../../mail/route.ts";
import {
  chooseLogin,
  judgeFailure,
  judgeLogin,
  judgeProbeRecipient,
  judgeSession,
  judgeTlsOffer,
  judgeUnknownRecipient,
  PROOF_FAULTS,
  type ProofCode,
  type ProofFinding,
} from "../../mail/route-proof.ts";
import { errorText } from "./faults.ts";
import { findNextHops, type NextHop, NextHopError, normalAddress } from "./next-hops.ts";
import { type LinesReply, SmtpDialogue, SmtpFailure } from "./smtp-dialogue.ts";

/** From where a slot proves routes, and what it may use. */
export interface Prover {
  readonly inbound: ProverSide;
  readonly relay: ProverSide;
  /** All addresses of the fleet: a host that has one of them is the gateway itself. */
  fleetAddresses(): Promise<readonly string[]>;
  /** Which addresses the hosts may have. */
  readonly nextHops: NextHops;
  /** PEM of the authorities that Postfix trusts. */
  readonly authorities: string;
  /** The value of a secret. */
  readSecret(name: string): Promise<string>;
  readonly connectMilliseconds: number;
  readonly replyMilliseconds: number;
}

/** As which host, and from which address, an instance of Postfix speaks to others. */
export interface ProverSide {
  readonly name: string;
  readonly address: string;
}

/** What one attempt found. */
export type ProofOutcome = Pick<RouteProof, "verdict" | "steps" | "code">;

/** One party of the route that is tried. */
interface Party {
  readonly host: string;
  readonly mxLookup: boolean;
  readonly port: number;
  readonly tls: TlsLevel;
  readonly login?: { readonly user: string; readonly password: string };
  readonly from: ProverSide;
  readonly sender: string;
  readonly recipient: string;
  /** A recipient that cannot exist, and whether it must be refused. */
  readonly unknownRecipient?: { readonly address: string; readonly mustBeRefused: boolean };
}

/** Ends a proof. */
class ProofEnd extends Error {
  readonly finding: ProofFinding;

  constructor(finding: ProofFinding) {
    super(finding.code);
    this.finding = finding;
  }
}

/** Never throws. */
export async function proveRoute(route: Route, prover: Prover): Promise<ProofOutcome> {
  const steps: ProofStep[] = [];
  try {
    for (const party of await partiesOf(route, prover, steps))
      await proveParty(party, prover, steps);
    return { verdict: "proven", steps };
  } catch (error) {
    if (!(error instanceof ProofEnd)) {
      steps.push({ action: "prove the route", outcome: String(error) });
      return { verdict: "trying", steps, code: "proof-aborted" };
    }
    const { verdict, code } = error.finding;
    return { verdict, steps, code };
  }
}

async function partiesOf(route: Route, prover: Prover, steps: ProofStep[]): Promise<Party[]> {
  const { server, mxLookup, probeRecipient: recipient, outbound, relayServer } = route;
  const toServer = {
    host: server,
    mxLookup,
    port: SMTP_PORT,
    tls: "opportunistic",
    recipient,
  } as const;
  const parties: Party[] = [];
  if (route.inbound) {
    const unknown = `no-such-user-${randomBytes(8).toString("hex")}@${route.domain}`;
    parties.push({
      ...toServer,
      from: prover.inbound,
      // As Postfix probes for recipients (`address_verify_sender`).
      sender: `double-bounce@${prover.inbound.name}`,
      unknownRecipient: {
        address: unknown,
        mustBeRefused: route.rcptLookup.kind === "probe",
      },
    });
  }
  const fromRelay = { from: prover.relay, sender: recipient };
  if (outbound === "loopback") parties.push({ ...toServer, ...fromRelay });
  if (outbound === "standard" && relayServer !== undefined) {
    parties.push({
      ...fromRelay,
      ...(await relayParty(relayServer, prover, steps)),
      recipient,
    });
  }
  return parties;
}

async function relayParty(
  { host, port, tls, login }: RelayServer,
  prover: Prover,
  steps: ProofStep[],
): Promise<Pick<Party, "host" | "port" | "tls" | "mxLookup" | "login">> {
  const party = { host, port, tls, mxLookup: false };
  if (login === undefined) return party;
  try {
    return {
      ...party,
      login: { user: login.user, password: await prover.readSecret(login.secret) },
    };
  } catch (error) {
    // The secret's name is no secret.
    steps.push({ action: `read the secret ${login.secret}`, outcome: errorText(error) });
    throw new ProofEnd({ verdict: "trying", code: "proof-secret-unreadable" });
  }
}

/** Tries the hosts in turn, as Postfix does: the first one that decides ends it. */
async function proveParty(party: Party, prover: Prover, steps: ProofStep[]): Promise<void> {
  let last: ProofEnd | undefined;
  for (const hop of await hopsOf(party, prover, steps)) {
    try {
      await proveHop(hop, party, prover, steps);
      return;
    } catch (error) {
      if (!(error instanceof ProofEnd) || error.finding.verdict === "failed") throw error;
      last = error;
    }
  }
  if (last !== undefined) throw last;
}

async function hopsOf(party: Party, prover: Prover, steps: ProofStep[]): Promise<NextHop[]> {
  const action = `look up ${party.host}${party.mxLookup ? " (MX)" : ""}`;
  try {
    const hops = await findNextHops(party.host, party.mxLookup);
    const own = new Set((await prover.fleetAddresses()).map(normalAddress));
    for (const { host, address } of hops)
      checkAddress(`${action}: ${host}`, address, own, prover, steps);
    return hops;
  } catch (error) {
    if (!(error instanceof NextHopError)) throw error;
    steps.push({ action, outcome: error.message });
    throw new ProofEnd({ verdict: "trying", code: error.code });
  }
}

function checkAddress(
  action: string,
  address: string,
  own: ReadonlySet<string>,
  { nextHops }: Prover,
  steps: ProofStep[],
): void {
  const end = (code: ProofCode, outcome: string) => {
    steps.push({ action, outcome });
    return new ProofEnd({ verdict: "failed", code });
  };
  if (own.has(normalAddress(address))) {
    throw end("proof-host-is-gateway", `${address} is an address of the gateway itself`);
  }
  const parsed = parseIpAddress(address);
  const objection = parsed && specialAddress(parsed, nextHops);
  if (objection !== undefined) throw end("proof-address-not-public", `${address} is ${objection}`);
}

async function proveHop(
  { host, address }: NextHop,
  party: Party,
  prover: Prover,
  steps: ProofStep[],
): Promise<void> {
  const talk = new Talk(party, host, prover, steps);
  try {
    using dialogue = await talk.connect(address);
    const extensions = await talk.secure(dialogue, await talk.greet(dialogue));
    if (party.login !== undefined) await talk.login(dialogue, extensions, party.login);
    await talk.envelope(dialogue);
  } catch (error) {
    if (!(error instanceof SmtpFailure)) throw error;
    const finding = judgeFailure(error.kind, party.port);
    steps.push({
      action: talk.action,
      outcome: `${error.message}. ${PROOF_FAULTS[finding.code].problem}`,
    });
    throw new ProofEnd(finding);
  }
}

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}

/** The dialogue with one host. Notes every step, and ends the proof where a reply demands it. */
class Talk {
  /** What is under way. */
  action = "";
  readonly #party: Party;
  readonly #host: string;
  readonly #prover: Prover;
  readonly #steps: ProofStep[];

  constructor(party: Party, host: string, prover: Prover, steps: ProofStep[]) {
    this.#party = party;
    this.#host = host;
    this.#prover = prover;
    this.#steps = steps;
  }

  async connect(address: string): Promise<SmtpDialogue> {
    const { port, from } = this.#party;
    const { connectMilliseconds, replyMilliseconds } = this.#prover;
    this.action = `connect ${this.#host} (${address}) port ${port}`;
    const isSameFamily = isIPv6(address) === isIPv6(from.address);
    return SmtpDialogue.connect({
      address,
      port,
      ...(isSameFamily && { localAddress: from.address }),
      connectMilliseconds,
      replyMilliseconds,
    });
  }

  /** @returns the extensions that the host offers */
  async greet(dialogue: SmtpDialogue): Promise<readonly string[]> {
    this.#check(await this.#noted(dialogue.reply()), judgeSession);
    return this.#hello(dialogue);
  }

  async #hello(dialogue: SmtpDialogue): Promise<readonly string[]> {
    const reply = await this.#say(dialogue, `EHLO ${this.#party.from.name}`);
    this.#check(reply, judgeSession);
    return reply.lines.slice(1);
  }

  /** Goes on under TLS where it is offered. @returns the extensions that are offered then */
  async secure(dialogue: SmtpDialogue, extensions: readonly string[]): Promise<readonly string[]> {
    const { tls } = this.#party;
    const isOffered = extensions.some((line) => line.toUpperCase() === "STARTTLS");
    this.#end(judgeTlsOffer(tls, isOffered));
    if (!isOffered) return extensions;
    const reply = await this.#say(dialogue, "STARTTLS");
    if (reply.code !== 220) {
      this.#end(judgeTlsOffer(tls, false));
      return extensions;
    }
    this.action = "TLS handshake";
    const { authorities } = this.#prover;
    const host = this.#host;
    await dialogue.secure(tls === "verified" ? { host, authorities } : { host });
    this.#steps.push({ action: this.action, outcome: "done" });
    return this.#hello(dialogue);
  }

  async login(
    dialogue: SmtpDialogue,
    extensions: readonly string[],
    { user, password }: { readonly user: string; readonly password: string },
  ): Promise<void> {
    const offered = extensions.flatMap(
      (line) => /^AUTH[ =](.*)$/i.exec(line)?.[1]?.split(" ") ?? [],
    );
    // Postfix gives a password over TLS only.
    const mechanism = dialogue.isSecured ? chooseLogin(offered) : undefined;
    if (mechanism === undefined) {
      this.#end({ verdict: "failed", code: "proof-login-not-offered" });
      return;
    }
    this.action = `AUTH ${mechanism} as ${user}`;
    const lines =
      mechanism === "PLAIN"
        ? [`AUTH PLAIN ${base64(`\0${user}\0${password}`)}`]
        : ["AUTH LOGIN", base64(user), base64(password)];
    let reply = await dialogue.command(lines[0] ?? "");
    for (const line of lines.slice(1)) {
      if (reply.code === 334) reply = await dialogue.command(line);
    }
    // A host may repeat what it was told: its text stays out of the steps.
    this.#steps.push({
      action: this.action,
      outcome: `${reply.code} ${reply.status ?? ""}`.trim(),
    });
    this.#check(reply, judgeLogin);
  }

  async envelope(dialogue: SmtpDialogue): Promise<void> {
    const { sender, recipient, unknownRecipient } = this.#party;
    this.#check(await this.#say(dialogue, `MAIL FROM:<${sender}>`), judgeSession);
    this.#check(await this.#say(dialogue, `RCPT TO:<${recipient}>`), judgeProbeRecipient);
    if (unknownRecipient !== undefined) {
      const reply = await this.#say(dialogue, `RCPT TO:<${unknownRecipient.address}>`);
      if (unknownRecipient.mustBeRefused) this.#check(reply, judgeUnknownRecipient);
    }
    // Politeness: whatever is answered changes nothing.
    await dialogue.command("QUIT").catch(() => undefined);
  }

  #say(dialogue: SmtpDialogue, line: string): Promise<LinesReply> {
    this.action = line;
    return this.#noted(dialogue.command(line));
  }

  async #noted(waiting: Promise<LinesReply>): Promise<LinesReply> {
    const reply = await waiting;
    const status = reply.status === undefined ? "" : ` ${reply.status}`;
    this.#steps.push({
      action: this.action,
      outcome: `${reply.code}${status} ${reply.text}`.trim(),
    });
    return reply;
  }

  #check(reply: LinesReply, judge: (reply: LinesReply) => ProofFinding | undefined): void {
    this.#end(judge(reply));
  }

  #end(finding: ProofFinding | undefined): void {
    if (finding !== undefined) throw new ProofEnd(finding);
  }
}
