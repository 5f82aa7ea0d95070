/**
 * The policy service that Postfix's relay instance asks at every RCPT.
 *
 * It fails closed: whatever goes wrong is answered with 451, so that the sender tries again.
 */
import { once } from "node:events";
import { rm } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import {
  formatAnswer,
  type PolicyRequest,
  parseRequest,
  RequestReader,
} from "./policy-protocol.ts";

/** What is answered where the service cannot decide. */
export const UNDECIDED = "451 4.3.5 The gateway cannot decide this now, try again later";

export interface PolicyServerOptions {
  /** Path of the unix socket. */
  readonly socket: string;
  /** The action of access(5) for a request. */
  readonly decide: (request: PolicyRequest) => string;
  /** Told what `decide` threw, or that something unknown was asked. */
  readonly onFault: (error: unknown) => void;
  /** After so long without a request a connection is closed; Postfix opens another one. @default 300 s */
  readonly idleMilliseconds?: number;
}

/** Postfix runs at most 1,000 smtpd processes here, each with one connection. */
const MAXIMUM_CONNECTIONS = 2_000;

/** Starts the service. Resolves when it listens. */
export async function startPolicyServer(options: PolicyServerOptions): Promise<AsyncDisposable> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    serve(socket, options);
  });
  server.maxConnections = MAXIMUM_CONNECTIONS;
  // A socket that an agent left behind when it was killed.
  await rm(options.socket, { force: true });
  server.listen({ path: options.socket, writableAll: true });
  await once(server, "listening");
  return {
    [Symbol.asyncDispose]: async () => {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, "close");
    },
  };
}

function serve(socket: Socket, options: PolicyServerOptions): void {
  const reader = new RequestReader();
  socket.setEncoding("utf8");
  socket.setTimeout(options.idleMilliseconds ?? 300_000, () => socket.destroy());
  // A client that goes away is its own affair.
  socket.on("error", () => undefined);
  socket.on("data", (chunk: string) => {
    try {
      for (const block of reader.read(chunk)) socket.write(answer(block, options));
    } catch (error) {
      options.onFault(error);
      socket.end(formatAnswer(UNDECIDED));
    }
    // A client that asks and does not read is not asked to wait, it is left.
    if (socket.writableLength > 1024 * 1024) socket.destroy();
  });
}

function answer(block: string, { decide, onFault }: PolicyServerOptions): string {
  try {
    return formatAnswer(decide(parseRequest(block)));
  } catch (error) {
    onFault(error);
    return formatAnswer(UNDECIDED);
  }
}
