/** `GET /health` on loopback: 200 where all is well, 503 where not, and what was seen as JSON. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { Health } from "./monitor.ts";

export interface HealthServerOptions {
  readonly port: number;
  readonly health: () => Health | undefined;
}

/** Starts the server. Resolves when it listens. */
export async function startHealthServer({
  port,
  health,
}: HealthServerOptions): Promise<AsyncDisposable> {
  const server = createServer((request, response) => {
    if (request.url !== "/health" || request.method !== "GET") {
      response.writeHead(404).end();
      return;
    }
    const found = health();
    response
      .writeHead(found?.healthy === true ? 200 : 503, { "content-type": "application/json" })
      .end(`${JSON.stringify(found ?? { healthy: false, faults: ["nothing was checked yet"] })}\n`);
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return {
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
