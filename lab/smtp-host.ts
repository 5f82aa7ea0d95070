/** An SMTP server of the lab: one host name, one or more addresses, STARTTLS, logins if wanted. */
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { SMTPServer, type SMTPServerSession } from "smtp-server";
import type { Certificate } from "./certificates.ts";
import { receivedField } from "./message.ts";

/** A refusal; its message is the reply without the code, e.g. `5.7.51 …`. */
export class SmtpRefusal extends Error {
  override readonly name = "SmtpRefusal";
  readonly responseCode: number;

  /** @param reply code, enhanced code (RFC 3463) and text, e.g. `550 5.1.1 No such user` */
  constructor(reply: string) {
    const [, code = "", message = ""] = /^([45]\d\d) (.+)$/.exec(reply) ?? [];
    if (code === "") throw new RangeError(`Not a refusal of SMTP: ${JSON.stringify(reply)}`);
    super(message);
    this.responseCode = Number(code);
  }
}

/** The steps at which a server may refuse. */
export type SmtpStep = "connect" | "mail" | "recipient" | "data";

/** A message on its way. */
export interface IncomingMessage {
  /** Envelope addresses; `sender` is empty for a bounce. */
  readonly sender: string;
  readonly recipients: readonly string[];
  readonly clientAddress: string;
  /** The address of ours that the client connected to. */
  readonly localAddress: string;
  /** With the trace field of this host on top, CRLF line ends. */
  readonly content: string;
  /** Whether the session was encrypted. */
  readonly secure: boolean;
  /** As whom the client logged in; absent if it did not. */
  readonly user?: string;
}

export interface SmtpHostOptions {
  readonly name: string;
  readonly addresses: readonly string[];
  /** @default 25 */
  readonly port?: number;
  /** @default no TLS is offered */
  readonly certificate?: Certificate;
  /** Passwords by user. Where there are any, who has not logged in is refused. @default no logins */
  readonly logins?: Readonly<Record<string, string>>;
  /** Called at each step; refuses by throwing an `SmtpRefusal`. `recipient` is set at that step only. */
  check(step: SmtpStep, clientAddress: string, recipient: string): void;
  /** Takes responsibility for a message. Refuses by throwing an `SmtpRefusal`. */
  accept(message: IncomingMessage): void | Promise<void>;
}

/** Starts the servers. Disposing closes them and their connections. */
export async function startSmtpHost(options: SmtpHostOptions): Promise<AsyncDisposable> {
  await using servers = new AsyncDisposableStack();
  for (const address of options.addresses) {
    const server = createServer(options);
    const listener = server.listen(options.port ?? 25, address);
    await once(listener, "listening");
    servers.defer(() => new Promise((resolve) => server.close(resolve)));
  }
  return servers.move();
}

type Callback = (error?: Error | null) => void;

function createServer(options: SmtpHostOptions): SMTPServer {
  const checked = (step: SmtpStep, session: SMTPServerSession, to: string, done: Callback) => {
    settle(() => options.check(step, session.remoteAddress, to), done);
  };
  const { certificate, logins } = options;
  const server = new SMTPServer({
    name: options.name,
    banner: "lab",
    ...certificate,
    authOptional: logins === undefined,
    allowInsecureAuth: true,
    disabledCommands: [
      ...(certificate === undefined ? ["STARTTLS"] : []),
      ...(logins === undefined ? ["AUTH"] : []),
    ],
    onAuth: ({ username = "", password = "" }, _session, done) => {
      if (logins?.[username] === password) done(null, { user: username });
      else done(new SmtpRefusal("535 5.7.8 Wrong user or password"));
    },
    disableReverseLookup: true,
    closeTimeout: 50,
    onConnect: (session, done) => checked("connect", session, "", done),
    onMailFrom: (_address, session, done) => checked("mail", session, "", done),
    onRcptTo: ({ address }, session, done) => checked("recipient", session, address, done),
    onData: (stream, session, done) => {
      settle(async () => {
        const content = await text(stream);
        options.check("data", session.remoteAddress, "");
        await options.accept(incomingMessage(options.name, session, content));
      }, done);
    },
  });
  // A client that goes away is its own affair.
  server.on("error", () => undefined);
  return server;
}

function settle(work: () => void | Promise<void>, done: Callback): void {
  Promise.resolve()
    .then(work)
    .then(
      () => done(),
      (error: unknown) => done(error instanceof SmtpRefusal ? error : internalError(error)),
    );
}

function internalError(cause: unknown): Error {
  const refusal = new SmtpRefusal(`451 4.3.0 The lab failed: ${String(cause)}`);
  refusal.cause = cause;
  return refusal;
}

function incomingMessage(
  name: string,
  session: SMTPServerSession,
  content: string,
): IncomingMessage {
  const { mailFrom, rcptTo } = session.envelope;
  const trace = receivedField({
    from: session.hostNameAppearsAs,
    clientAddress: session.remoteAddress,
    by: name,
    protocol: session.transmissionType,
  });
  return {
    sender: mailFrom === false ? "" : mailFrom.address,
    recipients: rcptTo.map(({ address }) => address),
    clientAddress: session.remoteAddress,
    localAddress: session.localAddress,
    content: trace + content,
    secure: session.secure,
    ...(typeof session.user === "string" ? { user: session.user } : {}),
  };
}
