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

/** Never throws for what the server or the network does. */
export async function transact(transaction: Transaction): Promise<TransactionResult> {
  const connection = connect(transaction);
  // Failures of the connection are events; the callbacks tell only what the server said.
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => undefined);
  connection.on("error", failed.reject);
  connection.on("end", () => failed.reject(new Error("The connection was closed")));
  try {
    await Promise.race([promisify(connection.connect.bind(connection))(), failed.promise]);
  } catch (error) {
    return { outcome: "temporary", reply: replyOf(error) };
  }
  try {
    const envelope = { from: transaction.sender, to: transaction.recipient };
    const send = promisify(connection.send.bind(connection));
    const sent = await Promise.race([send(envelope, transaction.content), failed.promise]);
    return { outcome: "delivered", reply: sent.response };
  } catch (error) {
    const reply = replyOf(error);
    return { outcome: reply.startsWith("5") ? "permanent" : "temporary", reply };
  } finally {
    connection.quit();
  }
}

function connect({ address, localAddress, name, verify }: Transaction): SMTPConnection {
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
