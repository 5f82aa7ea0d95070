/**
 * Asks a mail server, as a sender would, whether it takes mail for a recipient. Nothing is sent: the dialogue
 * ends after RCPT.
 */
import { hostname } from "node:os";
import type { ProofStep } from "../mail/route.ts";
import type { SmtpFailureKind, SmtpReply } from "../mail/route-proof.ts";
import { type DialogueOptions, type LinesReply, SmtpDialogue, SmtpFailure } from "./dialogue.ts";

export interface RecipientQuestion extends DialogueOptions {
  /** The server's name, for the steps. */
  readonly host: string;
  readonly recipient: string;
  /** Ends the dialogue at once. */
  readonly signal: AbortSignal;
}

export type RecipientAnswer =
  | { readonly kind: "accepted" }
  /** 5xx. `atRecipient`: to RCPT; otherwise before, so that it is not about the mailbox. */
  | { readonly kind: "refused"; readonly atRecipient: boolean; readonly reply: SmtpReply }
  /** 4xx. */
  | { readonly kind: "deferred"; readonly reply: SmtpReply }
  | { readonly kind: "failed"; readonly failure: SmtpFailureKind };

export interface AskedRecipient {
  readonly answer: RecipientAnswer;
  /** The dialogue, up to the reply that decided. */
  readonly steps: readonly ProofStep[];
  /** From where the server saw the question come, as far as that is known: our address, and what it greets. */
  readonly seenFrom: readonly string[];
}

/**
 * TLS is used where it is offered, whatever the certificate, and left out where it then fails, as senders do
 * (RFC 7435). Never throws for what the server or the network does.
 */
export async function askRecipient(question: RecipientQuestion): Promise<AskedRecipient> {
  const asked = await new Asking(question).run(true);
  const failedByTls = asked.answer.kind === "failed" && asked.answer.failure === "tls";
  return failedByTls ? new Asking(question).run(false) : asked;
}

/** One connection. */
class Asking {
  readonly #question: RecipientQuestion;
  readonly #steps: ProofStep[] = [];
  readonly #seenFrom = new Set<string>();
  #action = "";

  constructor(question: RecipientQuestion) {
    this.#question = question;
  }

  async run(mayUseTls: boolean): Promise<AskedRecipient> {
    const answer = await this.#answer(mayUseTls);
    return { answer, steps: this.#steps, seenFrom: [...this.#seenFrom] };
  }

  async #answer(mayUseTls: boolean): Promise<RecipientAnswer> {
    const { host, address, port, signal } = this.#question;
    this.#action = `connect ${host} (${address}) port ${port}`;
    try {
      using dialogue = await SmtpDialogue.connect(this.#question);
      const end = () => dialogue[Symbol.dispose]();
      signal.addEventListener("abort", end, { once: true });
      try {
        return await this.#talk(dialogue, mayUseTls);
      } finally {
        signal.removeEventListener("abort", end);
      }
    } catch (error) {
      if (!(error instanceof SmtpFailure)) throw error;
      this.#steps.push({ action: this.#action, outcome: error.message });
      return { kind: "failed", failure: error.kind };
    }
  }

  async #talk(dialogue: SmtpDialogue, mayUseTls: boolean): Promise<RecipientAnswer> {
    const greeting = await this.#noted(dialogue.reply());
    if (greeting.code !== 220) return asAnswer(greeting, false);
    const { localAddress = "" } = dialogue;
    this.#seenFrom.add(localAddress);
    const hello = await this.#hello(dialogue);
    if (hello.code !== 250) return asAnswer(hello, false);
    const offersTls = hello.lines.slice(1).some((line) => line.toUpperCase() === "STARTTLS");
    if (offersTls && mayUseTls) {
      const secured = await this.#secure(dialogue);
      if (secured !== undefined) return secured;
    }
    const sender = await this.#say(dialogue, "MAIL FROM:<>");
    if (!isGood(sender)) return asAnswer(sender, false);
    const { recipient } = this.#question;
    const reply = await this.#say(dialogue, `RCPT TO:<${recipient}>`);
    // Politeness: whatever is answered changes nothing.
    await dialogue.command("QUIT").catch(() => undefined);
    return isGood(reply) ? { kind: "accepted" } : asAnswer(reply, true);
  }

  /** @returns `undefined`: goes on */
  async #secure(dialogue: SmtpDialogue): Promise<RecipientAnswer | undefined> {
    const ready = await this.#say(dialogue, "STARTTLS");
    if (ready.code !== 220) return undefined;
    this.#action = "TLS handshake";
    await dialogue.secure({ host: this.#question.host });
    this.#steps.push({ action: this.#action, outcome: "done" });
    const hello = await this.#hello(dialogue);
    return hello.code === 250 ? undefined : asAnswer(hello, false);
  }

  /** Some servers greet with the address that they see, which behind NAT is another than ours. */
  async #hello(dialogue: SmtpDialogue): Promise<LinesReply> {
    const reply = await this.#say(dialogue, `EHLO ${helloName(dialogue.localAddress)}`);
    const [, ...bracketed] = (reply.lines[0] ?? "").split("[");
    for (const text of bracketed)
      this.#seenFrom.add(text.replace(/^IPv6:/i, "").split("]", 1)[0] ?? "");
    return reply;
  }

  #say(dialogue: SmtpDialogue, line: string): Promise<LinesReply> {
    this.#action = line;
    return this.#noted(dialogue.command(line));
  }

  async #noted(waiting: Promise<LinesReply>): Promise<LinesReply> {
    const reply = await waiting;
    this.#steps.push({ action: this.#action, outcome: formatReply(reply) });
    return reply;
  }
}

/** A name where this machine has one, else its address as a literal (RFC 5321 section 4.1.4). */
function helloName(address = "127.0.0.1"): string {
  const name = hostname();
  if (/^[a-z0-9-]+(?:\.[a-z0-9-]+)+$/i.test(name)) return name;
  return address.includes(":") ? `[IPv6:${address}]` : `[${address}]`;
}

function isGood({ code }: SmtpReply): boolean {
  return code >= 200 && code < 300;
}

function asAnswer(reply: SmtpReply, atRecipient: boolean): RecipientAnswer {
  return reply.code >= 500 ? { kind: "refused", atRecipient, reply } : { kind: "deferred", reply };
}

function formatReply({ code, status = "", text }: SmtpReply): string {
  return [code, status, text].filter((part) => part !== "").join(" ");
}
