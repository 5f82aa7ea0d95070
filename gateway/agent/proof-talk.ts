/** The dialogue of a proof with one host, from connect to RCPT. */
import { isIPv6 } from "node:net";
import type { ProofStep } from "../../mail/route.ts";
import {
  chooseLogin,
  judgeLogin,
  judgeProbeRecipient,
  judgeSession,
  judgeTlsOffer,
  judgeUnknownRecipient,
  type ProofFinding,
} from "../../mail/route-proof.ts";
import { type LinesReply, SmtpDialogue } from "../../smtp/dialogue.ts";
import { type Party, ProofEnd, type Prover } from "./proof-party.ts";

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}

/** Notes every step, and ends the proof where a reply demands it. Every method throws ProofEnd and SmtpFailure. */
export class Talk {
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
