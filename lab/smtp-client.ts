/** One message, one recipient, one server: an SMTP transaction, and what the server said. */
import { promisify } from "node:util";
import SMTPConnection from "nodemailer/lib/smtp-connection";

export interface Transaction {
  /** The server, and the address of ours to connect from. */
  readonly address: string;
  readonly localAddress: string;
  /** Said in EHLO. */
  readonly name: string;
  /** Envelope addresses. */
  readonly sender: string;
  readonly recipient: string;
  readonly content: string;
  /**
   * Demand TLS with a certificate for this host name, signed by this authority (PEM). Without it,
   * TLS is used if offered, and the certificate is not looked at.
   */
  readonly verify?: { readonly host: string; readonly ca: string };
}

/**
 * - `delivered`: the server took responsibility.
 * - `temporary`: refused with 4yz, or the server could not be reached or greeted with an error.
 * - `permanent`: refused with 5yz.
 */
export type Outcome = "delivered" | "temporary" | "permanent";

export interface TransactionResult {
  readonly outcome: Outcome;
  /** The server's last reply, or why there is none. */
  readonly reply: string;
}

/** Where a session leads, and what is said there at its start. */
export type SessionOptions = Pick<Transaction, "address" | "localAddress" | "name" | "verify">;

/** Never throws for what the server or the network does. */
export async function transact(transaction: Transaction): Promise<TransactionResult> {
  const opened = await SmtpSession.open(transaction);
  if (!(opened instanceof SmtpSession)) return opened;
  try {
    return await opened.deliver(transaction);
  } finally {
    opened.close();
  }
}

/** A connection that can take one message after the other. */
export class SmtpSession {
  readonly #connection: SMTPConnection;
  readonly #failed: Promise<never>;

  private constructor(connection: SMTPConnection, failed: Promise<never>) {
    this.#connection = connection;
    this.#failed = failed;
  }

  /** The session after EHLO, with TLS where it is offered; or why there is none. Never throws. */
  static async open(options: SessionOptions): Promise<SmtpSession | TransactionResult> {
    const connection = connect(options);
    // Failures of the connection are events; the callbacks tell only what the server said.
    const failed = Promise.withResolvers<never>();
    failed.promise.catch(() => undefined);
    connection.on("error", failed.reject);
    connection.on("end", () => failed.reject(new Error("The connection was closed")));
    try {
      await Promise.race([promisify(connection.connect.bind(connection))(), failed.promise]);
      return new SmtpSession(connection, failed.promise);
    } catch (error) {
      return { outcome: "temporary", reply: replyOf(error) };
    }
  }

  /** After anything but `delivered` the session is of no more use. Never throws. */
  async deliver({
    sender,
    recipient,
    content,
  }: Pick<Transaction, "sender" | "recipient" | "content">): Promise<TransactionResult> {
    try {
      const send = promisify(this.#connection.send.bind(this.#connection));
      const sent = send({ from: sender, to: recipient }, content);
      return { outcome: "delivered", reply: (await Promise.race([sent, this.#failed])).response };
    } catch (error) {
      const reply = replyOf(error);
      return { outcome: reply.startsWith("5") ? "permanent" : "temporary", reply };
    }
  }

  close(): void {
    this.#connection.quit();
  }
}

function connect({ address, localAddress, name, verify }: SessionOptions): SMTPConnection {
  return new SMTPConnection({
    host: address,
    port: 25,
    localAddress,
    name,
    connectionTimeout: 2000,
    greetingTimeout: 5000,
    socketTimeout: 10_000,
    socketCloseTimeout: 0,
    ...(verify === undefined
      ? { opportunisticTLS: true, tls: { rejectUnauthorized: false } }
      : { requireTLS: true, servername: verify.host, tls: { ca: verify.ca } }),
  });
}

function replyOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return "response" in error && typeof error.response === "string" ? error.response : error.message;
}
