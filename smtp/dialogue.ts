/**
 * A dialogue with an SMTP server, command by command (RFC 5321, RFC 3207 for STARTTLS, RFC 4954 for AUTH).
 *
 * Libraries send whole messages; a proof stops after RCPT, and has to tell each reply.
 */
import { connect as connectTcp, isIP, type Socket } from "node:net";
import { connect as connectTls, TLSSocket } from "node:tls";
import type { SmtpFailureKind, SmtpReply } from "../mail/route-proof.ts";

export interface DialogueOptions {
  /** The server, and the address of ours to connect from. */
  readonly address: string;
  readonly port: number;
  readonly localAddress?: string;
  readonly connectMilliseconds: number;
  readonly replyMilliseconds: number;
}

/** How the certificate is looked at: not at all, or as Postfix's level `secure` does. */
export interface TlsCheck {
  readonly host: string;
  /** PEM of the authorities; `undefined`: any certificate will do. */
  readonly authorities?: string;
}

/** A reply with its lines, which matter for EHLO. */
export interface LinesReply extends SmtpReply {
  readonly lines: readonly string[];
}

/** There is no reply, or no protected connection. */
export class SmtpFailure extends Error {
  override readonly name = "SmtpFailure";
  readonly kind: SmtpFailureKind;

  constructor(kind: SmtpFailureKind, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.kind = kind;
  }
}

/** More than any reply needs (RFC 5321 section 4.5.3.1.5: 512 octets a line). */
const MAXIMUM_REPLY = 64 * 1024;

export class SmtpDialogue implements Disposable {
  #socket: Socket;
  readonly #options: DialogueOptions;
  #received = "";
  #failure: SmtpFailure | undefined;
  #wake: () => void = () => undefined;

  private constructor(socket: Socket, options: DialogueOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#listen();
  }

  /** @throws SmtpFailure */
  static async connect(options: DialogueOptions): Promise<SmtpDialogue> {
    const { address, port, localAddress } = options;
    const socket = connectTcp({ host: address, port, ...(localAddress && { localAddress }) });
    await settled(socket, "connect", options.connectMilliseconds, (error) =>
      error === undefined
        ? new SmtpFailure(
            "connectTimeout",
            `timed out after ${options.connectMilliseconds / 1000} s`,
          )
        : new SmtpFailure("unreachable", error.message, error),
    );
    return new SmtpDialogue(socket, options);
  }

  /** Waits for a reply, the greeting for one. @throws SmtpFailure */
  async reply(): Promise<LinesReply> {
    const until = performance.now() + this.#options.replyMilliseconds;
    for (;;) {
      const reply = takeReply(this.#received);
      if (reply !== undefined) {
        this.#received = reply.rest;
        return reply.reply;
      }
      if (this.#received.length > MAXIMUM_REPLY) throw garbage(this.#received);
      if (this.#failure !== undefined) throw this.#failure;
      await this.#moreBefore(until);
    }
  }

  /** @throws SmtpFailure */
  async command(line: string): Promise<LinesReply> {
    this.#socket.write(`${line}\r\n`);
    return this.reply();
  }

  /** Goes on under TLS, after the server's 220 to STARTTLS. @throws SmtpFailure */
  async secure({ host, authorities }: TlsCheck): Promise<void> {
    this.#socket.removeAllListeners();
    // What came before the handshake is an injection by someone in between, not a reply.
    this.#received = "";
    const secured = connectTls({
      socket: this.#socket,
      // SNI takes no address (RFC 6066 section 3).
      ...(isIP(host) === 0 ? { servername: host } : { host }),
      minVersion: "TLSv1.2",
      rejectUnauthorized: authorities !== undefined,
      ...(authorities !== undefined && { ca: authorities }),
    });
    this.#socket = secured;
    await settled(secured, "secureConnect", this.#options.replyMilliseconds, (error) =>
      tlsFailure(secured, error),
    );
    this.#listen();
  }

  get isSecured(): boolean {
    return this.#socket instanceof TLSSocket;
  }

  /** The address of ours from which the connection comes. */
  get localAddress(): string | undefined {
    return this.#socket.localAddress;
  }

  /** When the server's certificate ends; `undefined` without TLS. */
  get certificateEnd(): Date | undefined {
    if (!(this.#socket instanceof TLSSocket)) return undefined;
    return new Date(this.#socket.getPeerCertificate().valid_to);
  }

  [Symbol.dispose](): void {
    this.#socket.on("error", () => undefined);
    this.#socket.destroy();
  }

  #listen(): void {
    this.#socket.setEncoding("utf8");
    this.#socket.on("data", (chunk: string) => {
      this.#received += chunk;
      this.#wake();
    });
    this.#socket.on("error", (error) => this.#fail(error.message, error));
    this.#socket.on("close", () => this.#fail("the host closed the connection"));
  }

  #fail(message: string, cause?: unknown): void {
    this.#failure ??= new SmtpFailure("closed", message, cause);
    this.#wake();
  }

  async #moreBefore(until: number): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const limit = this.#options.replyMilliseconds / 1000;
    const timer = setTimeout(
      () => reject(new SmtpFailure("silent", `no reply within ${limit} s`)),
      Math.max(0, until - performance.now()),
    );
    this.#wake = resolve;
    try {
      await promise;
    } finally {
      clearTimeout(timer);
    }
  }
}

/** Waits for an event of a socket; destroys it otherwise. @param fault given no error at a time-out */
async function settled(
  socket: Socket,
  event: "connect" | "secureConnect",
  milliseconds: number,
  fault: (error: Error | undefined) => SmtpFailure,
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const timer = setTimeout(() => reject(fault(undefined)), milliseconds);
  const onError = (error: Error) => reject(fault(error));
  const onClose = () => reject(fault(new Error("the host closed the connection")));
  socket.once(event, resolve).once("error", onError).once("close", onClose);
  try {
    await promise;
    socket.off("error", onError).off("close", onClose);
  } catch (error) {
    socket.on("error", () => undefined).destroy();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

function tlsFailure(socket: TLSSocket, error: Error | undefined): SmtpFailure {
  if (error === undefined) return new SmtpFailure("silent", "no answer to the TLS handshake");
  // Set by Node where the handshake itself went well.
  const kind = socket.authorizationError ? "certificate" : "tls";
  return new SmtpFailure(kind, error.message, error);
}

function garbage(received: string): SmtpFailure {
  return new SmtpFailure("garbage", `not an SMTP reply: ${JSON.stringify(received.slice(0, 80))}`);
}

const REPLY_LINE = /^([2-5]\d\d)([ -]|$)(.*)$/;

/**
 * Takes the first whole reply out of what was received (RFC 5321 section 4.2.1).
 *
 * @throws SmtpFailure where it is none
 */
function takeReply(received: string): { reply: LinesReply; rest: string } | undefined {
  const lines: string[] = [];
  let start = 0;
  for (;;) {
    const end = received.indexOf("\n", start);
    if (end === -1) return undefined;
    const line = received.slice(start, end).replace(/\r$/, "");
    start = end + 1;
    const [, code, separator, text] = REPLY_LINE.exec(line) ?? [];
    if (code === undefined || text === undefined) throw garbage(line);
    lines.push(text);
    if (separator !== "-")
      return { reply: toReply(Number(code), lines), rest: received.slice(start) };
  }
}

function toReply(code: number, lines: readonly string[]): LinesReply {
  const [, status] = /^([245]\.\d{1,3}\.\d{1,3})(?: |$)/.exec(lines[0] ?? "") ?? [];
  const own = status === undefined ? 0 : status.length;
  const text = lines
    .map((line) =>
      (status !== undefined && line.startsWith(status) ? line.slice(own) : line).trim(),
    )
    .join(" ")
    .trim();
  return { code, ...(status !== undefined && { status }), text, lines };
}
