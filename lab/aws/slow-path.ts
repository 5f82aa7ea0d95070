/** A way to a server of the lab that a test can make slow, or cut: a TCP proxy with a delay. */
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";

export interface SlowPathOptions {
  /** Where it listens, for example `127.3.5.2`. */
  readonly address: string;
  /** @default any */
  readonly port?: number;
  /** The server behind it, e.g. `http://127.3.5.1:5000`. */
  readonly target: string;
}

export interface SlowPath extends AsyncDisposable {
  /** The server's URL by this path. */
  readonly url: string;
  /** What is sent from now on arrives so many milliseconds later, in each direction. 0: at once. */
  setDelay(milliseconds: number): void;
  /** Every connection is reset, and each new one too; `false` ends it. */
  cut(off: boolean): void;
}

/** Opens the way. Resolves when it listens. */
export async function startSlowPath(options: SlowPathOptions): Promise<SlowPath> {
  const { address, port = 0, target } = options;
  const { hostname, port: targetPort } = new URL(target);
  const path = new Path(Number(targetPort), hostname);
  const server = createServer((client) => path.accept(client));
  server.listen(port, address);
  await once(server, "listening");
  return {
    url: `http://${address}:${portOf(server)}`,
    setDelay: (milliseconds) => {
      path.delay = milliseconds;
    },
    cut: (off) => path.cut(off),
    [Symbol.asyncDispose]: () => close(server, path),
  };
}

class Path {
  delay = 0;
  readonly #port: number;
  readonly #host: string;
  readonly #sockets = new Set<Socket>();
  #off = false;

  constructor(port: number, host: string) {
    this.#port = port;
    this.#host = host;
  }

  accept(client: Socket): void {
    if (this.#off) {
      client.resetAndDestroy();
      return;
    }
    const server = connect(this.#port, this.#host);
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
    }
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      // Where one side breaks off, so does the other: nobody else is to be told.
      pipeline(from, this.#held(), to).catch(() => from.destroy());
    }
  }

  cut(off: boolean): void {
    this.#off = off;
    if (off) for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  #held(): Transform {
    return new Transform({
      transform: (chunk, _encoding, done) => {
        const { delay } = this;
        if (delay === 0) done(null, chunk);
        else void sleep(delay).then(() => done(null, chunk));
      },
    });
  }
}

function portOf(server: Server): number {
  const bound = server.address();
  if (bound === null || typeof bound === "string") throw new Error("The way has no port");
  return bound.port;
}

async function close(server: Server, path: Path): Promise<void> {
  const closed = once(server, "close");
  server.close();
  path.cut(true);
  await closed;
}
