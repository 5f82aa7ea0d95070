/** The provider as a process: the engine starts it, calls it over gRPC, and ends it. */
import grpc from "@grpc/grpc-js";
import providerGrpc from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import { EngineLog } from "./engine-log.ts";
import { handlers } from "./handlers.ts";
import { listen } from "./listen.ts";
import type { Provider } from "./provider.ts";
import { RunningCalls } from "./running-calls.ts";

/** How long the last answers may take to leave, in milliseconds. */
const FLUSH_MS = 2000;

/**
 * Serves the provider until the engine ends the process: by SIGINT, or, when the engine was
 * killed, by the end of stdin. Prints the port on stdout, as the engine expects.
 *
 * Without the engine's address as its last argument the process is attached by hand
 * (`PULUMI_DEBUG_PROVIDERS`), and the end of stdin means nothing.
 */
export async function serve(provider: Provider): Promise<void> {
  const calls = new RunningCalls();
  const log = new EngineLog();
  const server = new grpc.Server({ "grpc.max_receive_message_length": -1 });
  server.addService(providerGrpc.ResourceProviderService, handlers({ provider, calls, log }));

  const end = (reason: string) => void endProcess(server, calls, reason);
  process.on("SIGINT", () => end("The run has ended."));
  process.on("SIGTERM", () => end("The run has ended."));
  const engineAddress = process.argv.slice(2).at(-1);
  if (engineAddress !== undefined) {
    log.connect(engineAddress);
    process.stdin.on("end", () => end("The engine has gone away.")).resume();
  }
  process.stdout.write(`${await listen(server)}\n`);
}

/** Lets running calls reach their next safe point. A clean exit also saves Node's compile cache. */
async function endProcess(server: grpc.Server, calls: RunningCalls, reason: string): Promise<void> {
  const idle = calls.idle;
  calls.stop(reason);
  if (!idle) {
    await calls.untilIdle();
    await flushed(server);
  }
  process.exit(0);
}

function flushed(server: grpc.Server): Promise<void> {
  return new Promise((resolve) => {
    server.tryShutdown(() => resolve());
    setTimeout(resolve, FLUSH_MS);
  });
}
