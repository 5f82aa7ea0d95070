/**
 * A mail server of few rules, for what a good one would not do or not show: it keeps messages as the bytes
 * that came over the wire, answers what it is told to, and can hang.
 */
import { once } from "node:events";
import { createServer, type Socket } from "node:net";

/** A message as it came. */
export interface PlainMessage {
  /** What the client called itself. */
  readonly hello: string;
  /** As sent, with its parameters: `<a@sender.test> SIZE=100`. */
  readonly sender: string;
  readonly recipients: readonly string[];
  /** Everything between the reply to DATA and CRLF.CRLF, the last CRLF included; dots still doubled. */
  readonly wire: Buffer;
  readonly clientAddress: string;
}

export interface PlainServerOptions {
  readonly name: string;
  readonly address: string;
  /** @default 25 */
  readonly port?: number;
  /** Announced in EHLO. @default 8BITMIME, SMTPUTF8, SIZE */
  readonly keywords?: readonly string[];
  /**
   * The reply to a command (`BANNER` when a client connects, `END` at the end of a message);
   * `hang`: none, ever. @default all is well
   */
  answer?(verb: string, argument: string): string | undefined;
}

export interface PlainMailServer extends AsyncDisposable {
  readonly address: string;
  /** Everything that arrived, oldest first. */
  readonly messages: readonly PlainMessage[];
  /** How many clients have connected. */
  readonly connections: number;
}

const endOfData = Buffer.from("\r\n.\r\n");

export async function startPlainMailServer(options: PlainServerOptions): Promise<PlainMailServer> {
  const messages: PlainMessage[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => undefined);
    new Dialogue(socket, options, (message) => messages.push(message)).start();
  });
  server.listen(options.port ?? 25, options.address);
  await once(server, "listening");
  return {
    address: options.address,
    messages,
    get connections() {
      return connections;
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

class Dialogue {
  readonly #socket: Socket;
  readonly #options: PlainServerOptions;
  readonly #keep: (message: PlainMessage) => void;
  #hello = "";
  #sender = "";
  #recipients: string[] = [];
  /** Bytes that were not yet read; while a message comes, its parts. */
  #pending: Buffer[] = [];
  #inData = false;

  constructor(socket: Socket, options: PlainServerOptions, keep: (message: PlainMessage) => void) {
    this.#socket = socket;
    this.#options = options;
    this.#keep = keep;
  }

  start(): void {
    this.#socket.on("data", (chunk: Buffer) => this.#take(chunk));
    this.#reply("BANNER", "", `220 ${this.#options.name} ESMTP`);
  }

  #take(chunk: Buffer): void {
    this.#pending.push(chunk);
    for (;;) {
      // Only the end of a message is looked for: a large one is not searched again with every part.
      const end = this.#inData ? this.#tailEnds() : this.#joined().indexOf("\r\n");
      if (end === -1) return;
      const all = this.#joined();
      this.#pending = [all.subarray(end + (this.#inData ? endOfData.length : 2))];
      if (this.#inData) this.#endMessage(all.subarray(0, end + 2));
      else this.#command(all.subarray(0, end).toString("latin1"));
    }
  }

  #tailEnds(): number {
    const length = this.#pending.reduce((sum, part) => sum + part.length, 0);
    const tail = Buffer.concat(this.#pending.slice(-2)).subarray(-endOfData.length);
    return tail.equals(endOfData) ? length - endOfData.length : -1;
  }

  #joined(): Buffer {
    const all = Buffer.concat(this.#pending);
    this.#pending = [all];
    return all;
  }

  #command(line: string): void {
    const [verb = "", argument = ""] = /^(EHLO|HELO|MAIL FROM:|RCPT TO:|\S+) ?(.*)$/i
      .exec(line)
      ?.slice(1) ?? [line];
    const name = verb.toUpperCase().replace(/ .*/, "");
    if (name === "EHLO" || name === "HELO") this.#hello = argument;
    if (name === "MAIL") [this.#sender, this.#recipients] = [argument, []];
    const accepted = this.#reply(name, argument, this.#usual(name));
    if (accepted && name === "RCPT") this.#recipients.push(argument);
    if (accepted && name === "DATA") this.#inData = true;
    if (name === "QUIT") this.#socket.end();
  }

  #usual(verb: string): string {
    if (verb === "DATA") return "354 go on";
    if (verb !== "EHLO") return "250 2.0.0 fine";
    const { name, keywords = ["8BITMIME", "SMTPUTF8", "SIZE"] } = this.#options;
    const lines = [name, ...keywords];
    return lines.map((text, i) => `250${i === lines.length - 1 ? " " : "-"}${text}`).join("\r\n");
  }

  #endMessage(wire: Buffer): void {
    this.#inData = false;
    if (this.#reply("END", "", "250 2.0.0 kept")) {
      const [hello, sender, recipients] = [this.#hello, this.#sender, this.#recipients];
      const clientAddress = this.#socket.remoteAddress ?? "";
      this.#keep({ hello, sender, recipients, wire, clientAddress });
    }
  }

  /** Whether the reply was a good one. */
  #reply(verb: string, argument: string, usual: string): boolean {
    const reply = this.#options.answer?.(verb, argument) ?? usual;
    if (reply !== "hang") this.#socket.write(`${reply}\r\n`);
    return /^[23]/.test(reply);
  }
}
