/**
 * An emulator of Cloudflare's v4 API over the lab's DNS, with a log and switchable faults.
 *
 * `startCloudflare` serves zones, DNS records and token verification under `url`. What a test needs
 * to prepare, disturb and inspect is on `LabCloudflare`, and over HTTP under `labUrl`.
 */
import { once } from "node:events";
import { createAdaptorServer } from "@hono/node-server";
import { Hono } from "hono";
import { answerFaults, createApi } from "./api.ts";
import { createControl } from "./control.ts";
import { Emulator } from "./emulator.ts";
import { type ApiEnvironment, basePath } from "./http.ts";
import type { CloudflareOptions, LabCloudflare } from "./types.ts";

export type * from "./types.ts";

const port = 8787;

/** Starts the emulator. Resolves when it listens. */
export async function startCloudflare(options: CloudflareOptions): Promise<LabCloudflare> {
  const emulator = new Emulator(options);
  const origin = `http://${options.net}.0.20:${port}`;
  const app = new Hono<ApiEnvironment>();
  app.route("/", createApi(emulator));
  app.route("/", createControl(emulator));
  answerFaults(app, emulator);
  const server = createAdaptorServer({ fetch: app.fetch });
  server.listen(port, `${options.net}.0.20`);
  await once(server, "listening");
  return {
    url: `${origin}${basePath}`,
    labUrl: `${origin}/lab`,
    requests: emulator.requests,
    commits: emulator.commits,
    addZone: (zone) => emulator.addZone(zone),
    removeZone: (id) => emulator.removeZone(id),
    addToken: (token) => emulator.tokens.add(token),
    updateToken: (token, change) => emulator.tokens.update(token, change),
    limitRequests: (limit) => emulator.tokens.limit(limit),
    seed: (id, records) => emulator.seed(id, records),
    snapshot: (id) => emulator.zone(id).snapshot(),
    edit: (id, edit) => emulator.edit(id, edit),
    clearLogs: () => emulator.clearLogs(),
    addFault: (fault) => emulator.switches.addFault(fault),
    intercept: (moment, occasion, callback) =>
      emulator.switches.addHook(moment, occasion, callback),
    clearFaults: () => emulator.switches.clear(),
    settled: () => emulator.settled(),
    [Symbol.asyncDispose]: async () => {
      const closed = once(server, "close");
      server.close();
      if ("closeAllConnections" in server) server.closeAllConnections();
      await closed;
    },
  };
}
