/** Lines for the engine's display, sent in the order in which they were written. */
import grpc from "@grpc/grpc-js";
import engineGrpc from "@pulumi/pulumi/proto/engine_grpc_pb.js";
import enginePb from "@pulumi/pulumi/proto/engine_pb.js";

/** `progress` lines are not kept in the summary; `debug` lines show with `pulumi --debug` only. */
export type Level = "debug" | "info" | "warn" | "progress";

const SEVERITY = {
  debug: enginePb.LogSeverity.DEBUG,
  info: enginePb.LogSeverity.INFO,
  progress: enginePb.LogSeverity.INFO,
  warn: enginePb.LogSeverity.WARNING,
} as const;

/** A line that the engine does not take within this time is given up. */
const TIMEOUT_MS = 5000;

export class EngineLog {
  #engine: engineGrpc.EngineClient | undefined;
  #sent: Promise<void> = Promise.resolve();

  /** From now on lines go to the engine at this address. Before, they are dropped. */
  connect(address: string): void {
    this.#engine?.close();
    this.#engine = new engineGrpc.EngineClient(address, grpc.credentials.createInsecure());
  }

  /** Lines are dropped from now on. */
  close(): void {
    this.#engine?.close();
    this.#engine = undefined;
  }

  /** Without a URN the line belongs to the stack. */
  write(level: Level, message: string, urn: string): void {
    const line = new enginePb.LogRequest()
      .setSeverity(SEVERITY[level])
      .setEphemeral(level === "progress")
      .setMessage(message)
      .setUrn(urn);
    this.#sent = this.#sent.then(() => this.#send(line));
  }

  /** Resolves when all lines so far have been sent or given up. */
  written(): Promise<void> {
    return this.#sent;
  }

  /** A line that is lost is no reason to fail what it tells of. */
  #send(line: enginePb.LogRequest): Promise<void> {
    const engine = this.#engine;
    if (engine === undefined) return Promise.resolve();
    const deadline = Date.now() + TIMEOUT_MS;
    return new Promise((resolve) => {
      engine.log(line, new grpc.Metadata(), { deadline }, () => resolve());
    });
  }
}
