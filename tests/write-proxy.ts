/**
 * Stands between the provider and AWS's API: strikes at a write, cuts the way, or denies what the emulator's IAM
 * does not.
 */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { buffer } from "node:stream/consumers";

/** On which side of a write's commit. */
export type Moment = "before" | "after";

export interface WriteStrike {
  /** Which write since the last `arm`, from 1. */
  readonly write: number;
  readonly moment: Moment;
  /** The connection is closed then: a write is lost, or carried out and nobody is told. */
  readonly closes: boolean;
  /** What happens then. The write waits for it. */
  hit(): Promise<void>;
}

export interface WriteProxy extends AsyncDisposable {
  readonly url: string;
  /** The writes since the last `arm`, by the name of the API's action. */
  readonly writes: readonly string[];
  /** Strikes at a write; without arguments at none. Counts anew. */
  arm(at?: WriteStrike): void;
  /** From now on no request comes through, or every one again. */
  cut(off: boolean): void;
  /** From now on nobody has the right to these actions. */
  deny(actions: readonly string[]): void;
}

const WRITES = /^(TransactWriteItems|PutItem|UpdateItem|DeleteItem|PutParameter|DeleteParameters)$/;

export async function startWriteProxy(address: string, target: string): Promise<WriteProxy> {
  let writes: string[] = [];
  let armed: WriteStrike | undefined;
  let isCut = false;
  let denied: readonly string[] = [];
  const handle = async (request: IncomingMessage, response: ServerResponse) => {
    const body = await buffer(request);
    const action = String(request.headers["x-amz-target"]).split(".").at(-1) ?? "";
    if (isCut) return response.destroy();
    if (denied.includes(action)) return deny(response);
    if (WRITES.test(action)) writes.push(action);
    const strike = WRITES.test(action) && writes.length === armed?.write ? armed : undefined;
    if (strike?.moment === "before") await strike.hit();
    if (strike?.moment === "before" && strike.closes) return response.destroy();
    const answer = await fetch(`${target}${request.url ?? "/"}`, {
      method: request.method ?? "POST",
      headers: forwarded(request),
      body,
    });
    const content = Buffer.from(await answer.arrayBuffer());
    if (strike?.moment === "after") await strike.hit();
    if (strike?.moment === "after" && strike.closes) return response.destroy();
    response.writeHead(answer.status, { "content-type": answer.headers.get("content-type") ?? "" });
    response.end(content);
  };
  const server = createServer((request, response) => {
    handle(request, response).catch(() => response.destroy());
  });
  server.listen(0, address);
  await once(server, "listening");
  const place = server.address();
  if (place === null || typeof place === "string") throw new Error("the proxy has no port");
  return {
    url: `http://${address}:${place.port}`,
    get writes() {
      return writes;
    },
    arm: (at) => {
      writes = [];
      armed = at;
    },
    cut: (off) => {
      isCut = off;
    },
    deny: (actions) => {
      denied = actions;
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** As AWS's JSON protocol says it. */
function deny(response: ServerResponse): void {
  response.writeHead(400, { "content-type": "application/x-amz-json-1.1" });
  response.end(JSON.stringify({ __type: "AccessDeniedException", message: "not authorized" }));
}

/** What belongs to one connection is not passed on. */
function forwarded({ headers }: IncomingMessage): Record<string, string> {
  const own = new Set(["host", "connection", "content-length", "expect"]);
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      own.has(name) || value === undefined ? [] : [[name, String(value)] as const],
    ),
  );
}
