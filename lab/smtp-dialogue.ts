/** An SMTP session, command by command: for tests that look at single replies, or say what no client says. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import {
  type ConnectionOptions,
  connect as connectTls,
  type PeerCertificate,
  TLSSocket,
} from "node:tls";

export interface DialogueOptions {
  readonly address: string;
  /** @default 25 */
  readonly port?: number;
  /** The address of ours to connect from. */
  readonly localAddress: string;
}

/** Seconds after which a server that says nothing has failed the test. */
const patienceSeconds = 30;

/** Connects, and says EHLO unless the greeting is a refusal. */
export async function openSession(options: DialogueOptions): Promise<SmtpDialogue> {
  const dialogue = await SmtpDialogue.open(options);
  if (dialogue.greeting.startsWith("220")) await dialogue.hello();
  return dialogue;
}

export class SmtpDialogue implements AsyncDisposable {
  #socket: Socket;
  #received = "";
  #ended = false;
  #wake: () => void = () => undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.#listen(socket);
  }

  /** Connects and reads the greeting. @throws if the connection is refused */
  static async open({ address, port = 25, localAddress }: DialogueOptions): Promise<SmtpDialogue> {
    const socket = connect({ host: address, port, localAddress });
    await once(socket, "connect");
    const dialogue = new SmtpDialogue(socket);
    dialogue.greeting = await dialogue.reply();
    return dialogue;
  }

  /** What the server said first. */
  greeting = "";
  /** What it said to the last EHLO. */
  offers = "";

  #listen(socket: Socket): void {
    socket.setEncoding("utf8");
    socket.on("data", (chunk: string) => {
      this.#received += chunk;
      this.#wake();
    });
    const end = () => {
      this.#ended = true;
      this.#wake();
    };
    socket.on("close", end).on("end", end).on("error", end);
  }

  /** The next reply, its lines joined with `\n`; empty if the server has hung up. */
  async reply(): Promise<string> {
    const deadline = Date.now() + patienceSeconds * 1000;
    for (;;) {
      const found = /^(?:\d{3}-.*\r\n)*\d{3}(?: .*)?\r\n/.exec(this.#received)?.[0];
      if (found !== undefined) {
        this.#received = this.#received.slice(found.length);
        return found.trimEnd().replaceAll("\r\n", "\n");
      }
      if (this.#ended) return "";
      if (Date.now() > deadline) throw new Error(`No reply within ${patienceSeconds} s`);
      await this.#something();
    }
  }

  #something(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, 1000);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** Sends bytes as they are. */
  write(bytes: string | Uint8Array): void {
    this.#socket.write(bytes);
  }

  /** A command, without its line end, and the reply. */
  async say(command: string): Promise<string> {
    this.write(`${command}\r\n`);
    return this.reply();
  }

  async hello(name = "client.test"): Promise<string> {
    this.offers = await this.say(`EHLO ${name}`);
    return this.offers;
  }

  /**
   * STARTTLS, whatever the server's certificate; then EHLO again.
   *
   * @param options such as a certificate of ours @throws if there is no TLS
   */
  async startTls(options?: ConnectionOptions): Promise<PeerCertificate> {
    const go = await this.say("STARTTLS");
    if (!go.startsWith("220")) throw new Error(`STARTTLS was refused: ${go}`);
    this.#socket.removeAllListeners("data");
    const socket = connectTls({ socket: this.#socket, rejectUnauthorized: false, ...options });
    await once(socket, "secureConnect");
    this.#socket = socket;
    this.#listen(socket);
    await this.hello();
    return socket.getPeerCertificate();
  }

  /** E.g. `TLSv1.3`; `undefined` in clear. */
  get tlsVersion(): string | undefined {
    return this.#socket instanceof TLSSocket
      ? (this.#socket.getProtocol() ?? undefined)
      : undefined;
  }

  /** The replies to MAIL FROM and RCPT TO; the transaction is given up. */
  async ask(sender: string, recipient: string): Promise<{ mail: string; rcpt: string }> {
    const mail = await this.say(`MAIL FROM:<${sender}>`);
    const rcpt = await this.say(`RCPT TO:<${recipient}>`);
    await this.say("RSET");
    return { mail, rcpt };
  }

  /** A whole transaction; the reply that decided. @param content with CRLF line ends */
  async deliver(sender: string, recipient: string, content: string): Promise<string> {
    for (const command of [`MAIL FROM:<${sender}>`, `RCPT TO:<${recipient}>`, "DATA"]) {
      const reply = await this.say(command);
      if (!/^[23]/.test(reply)) return reply;
    }
    this.write(`${content.replaceAll(/^\./gm, "..")}.\r\n`);
    return this.reply();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.destroy();
  }
}

export interface Envelope {
  readonly sender: string;
  readonly recipient: string;
  /** Of MAIL FROM, with the space in front: ` SMTPUTF8`. @default none */
  readonly parameters?: string;
}

/**
 * A session with one message, whose bytes go out as they are, and the end of a message behind them.
 *
 * @returns the reply that decided: to RCPT if it was refused, else to the message
 */
export async function deliver(
  options: DialogueOptions,
  { sender, recipient, parameters = "" }: Envelope,
  content: string | Uint8Array,
): Promise<string> {
  await using session = await openSession(options);
  const replies = [
    await session.say(`MAIL FROM:<${sender}>${parameters}`),
    await session.say(`RCPT TO:<${recipient}>`),
  ];
  const refused = replies.find((reply) => !reply.startsWith("250 "));
  if (refused !== undefined) return refused;
  const go = await session.say("DATA");
  if (!go.startsWith("354 ")) return go;
  session.write(content);
  session.write("\r\n.\r\n");
  return await session.reply();
}
