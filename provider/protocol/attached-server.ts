/**
 * The provider inside of a process that runs engines itself: each run attaches to a server of its own
 * (`PULUMI_DEBUG_PROVIDERS`), so that no process is started for it, and all share what the process knows of
 * Cloudflare's rate limit.
 *
 * The engine opens one connection for each provider resource in each phase. Each has its own configuration and its
 * own engine to tell, as it would have its own process.
 */
import grpc from "@grpc/grpc-js";
import providerGrpc from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import { EngineLog } from "./engine-log.ts";
import { type Handlers, handlers } from "./handlers.ts";
import { listen } from "./listen.ts";
import type { Provider } from "./provider.ts";
import { RunningCalls } from "./running-calls.ts";

export interface AttachedServer {
  /** For `PULUMI_DEBUG_PROVIDERS`: `mxhero:<port>`. */
  readonly port: number;
  /** Tells what is under way to stop at its next safe point, waits for it, and closes. */
  close(reason: string): Promise<void>;
}

interface Session {
  readonly calls: RunningCalls;
  readonly log: EngineLog;
  readonly handlers: Handlers;
}

export async function openAttachedServer(provider: Provider): Promise<AttachedServer> {
  const sessions = new Map<string, Session>();
  const sessionOf = (peer: string): Session => {
    const known = sessions.get(peer);
    if (known !== undefined) return known;
    const calls = new RunningCalls();
    const log = new EngineLog();
    const session = { calls, log, handlers: handlers({ provider, calls, log }) };
    sessions.set(peer, session);
    return session;
  };
  const server = new grpc.Server({ "grpc.max_receive_message_length": -1 });
  server.addService(
    providerGrpc.ResourceProviderService,
    byPeer((peer) => sessionOf(peer).handlers),
  );
  const port = await listen(server);
  return {
    port,
    close: async (reason) => {
      for (const { calls } of sessions.values()) calls.stop(reason);
      await Promise.all([...sessions.values()].map(({ calls }) => calls.untilIdle()));
      for (const { log } of sessions.values()) log.close();
      server.forceShutdown();
    },
  };
}

/** Gives each call to the handlers of the connection on which it came. */
function byPeer(of: (peer: string) => Handlers): Handlers {
  return {
    attach: (call, answer) => of(call.getPeer()).attach(call, answer),
    cancel: (call, answer) => of(call.getPeer()).cancel(call, answer),
    check: (call, answer) => of(call.getPeer()).check(call, answer),
    checkConfig: (call, answer) => of(call.getPeer()).checkConfig(call, answer),
    configure: (call, answer) => of(call.getPeer()).configure(call, answer),
    create: (call, answer) => of(call.getPeer()).create(call, answer),
    delete: (call, answer) => of(call.getPeer()).delete(call, answer),
    diff: (call, answer) => of(call.getPeer()).diff(call, answer),
    diffConfig: (call, answer) => of(call.getPeer()).diffConfig(call, answer),
    getPluginInfo: (call, answer) => of(call.getPeer()).getPluginInfo(call, answer),
    getSchema: (call, answer) => of(call.getPeer()).getSchema(call, answer),
    handshake: (call, answer) => of(call.getPeer()).handshake(call, answer),
    invoke: (call, answer) => of(call.getPeer()).invoke(call, answer),
    read: (call, answer) => of(call.getPeer()).read(call, answer),
    update: (call, answer) => of(call.getPeer()).update(call, answer),
  };
}
