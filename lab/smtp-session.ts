/** An SMTP client that says exactly what it is told, byte by byte. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { type ConnectionOptions, connect as connectTls } from "node:tls";

export interface SessionOptions {
  readonly address: string;
  /** @default 25 */
  readonly port?: number;
  /** The address of ours to connect from. */
  readonly localAddress: string;
  /** Said in EHLO. @default "client.test" */
  readonly name?: string;
}

export interface SmtpSession extends AsyncDisposable {
  /** What the server said first. */
  readonly banner: string;
  /** What the server said to EHLO. */
  readonly greeting: string;
  /** Sends a line and gives the reply, its lines joined with `\n`; empty if the connection was closed. */
  say(line: string): Promise<string>;
  /** Sends bytes as they are. */
  write(bytes: string | Uint8Array): void;
  /** The next reply. */
  reply(): Promise<string>;
  /** STARTTLS, then EHLO. The server's certificate is not looked at. @throws if there is no TLS */
  startTls(options?: ConnectionOptions): Promise<void>;
}

/** Connects and says EHLO. */
export async function openSession(options: SessionOptions): Promise<SmtpSession> {
  const { address, port = 25, localAddress, name = "client.test" } = options;
  const socket = connect({ host: address, port, localAddress });
  await once(socket, "connect");
  const session = new Session(socket, name);
  session.banner = await session.reply();
  if (session.banner.startsWith("220")) await session.hello();
  return session;
}

class Session implements SmtpSession {
  banner = "";
  greeting = "";
  readonly #name: string;
  #socket: Socket;
  #lines: AsyncIterator<string>;

  constructor(socket: Socket, name: string) {
    this.#name = name;
    this.#socket = socket;
    this.#lines = linesOf(socket);
  }

  async hello(): Promise<void> {
    this.greeting = await this.say(`EHLO ${this.#name}`);
  }

  write(bytes: string | Uint8Array): void {
    this.#socket.write(bytes);
  }

  say(line: string): Promise<string> {
    this.write(`${line}\r\n`);
    return this.reply();
  }

  async reply(): Promise<string> {
    const lines: string[] = [];
    for (;;) {
      const { value, done } = await this.#lines.next();
      if (done === true) return lines.join("\n");
      lines.push(value);
      if (/^\d\d\d( |$)/.test(value)) return lines.join("\n");
    }
  }

  async startTls(options?: ConnectionOptions): Promise<void> {
    const answer = await this.say("STARTTLS");
    if (!answer.startsWith("220 ")) throw new Error(`STARTTLS was refused: ${answer}`);
    const plain = this.#socket;
    plain.removeAllListeners("data");
    const socket = connectTls({ socket: plain, rejectUnauthorized: false, ...options });
    await once(socket, "secureConnect");
    this.#socket = socket;
    this.#lines = linesOf(socket);
    await this.hello();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.destroy();
    await Promise.resolve();
  }
}

function linesOf(socket: Socket): AsyncIterator<string> {
  const lines = createInterface({ input: socket });
  socket.on("error", () => undefined);
  socket.on("close", () => lines.close());
  return lines[Symbol.asyncIterator]();
}

/** A message to one recipient. The reply that decided: to RCPT if it was refused, else to the message. */
export async function deliver(
  options: SessionOptions,
  envelope: { readonly sender: string; readonly recipient: string; readonly parameters?: string },
  content: string | Uint8Array,
): Promise<string> {
  await using session = await openSession(options);
  const { sender, recipient, parameters = "" } = envelope;
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
