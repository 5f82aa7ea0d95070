/** The toy provider as a process, called as the engine calls it, beside an engine that only takes log lines. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import grpc from "@grpc/grpc-js";
import engineGrpc, { type IEngineServer } from "@pulumi/pulumi/proto/engine_grpc_pb.js";
import providerGrpc from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import providerPb from "@pulumi/pulumi/proto/provider_pb.js";
import statusPb from "@pulumi/pulumi/proto/status_pb.js";
import emptyPb from "google-protobuf/google/protobuf/empty_pb.js";
import { encode, type Path } from "./wire.ts";

export const URN = "urn:pulumi:test::toys::mxhero:index:Toy::bear";

export interface LogLine {
  readonly message: string;
  readonly urn: string;
  readonly ephemeral: boolean;
  readonly severity: number;
}

export interface RequestOptions {
  readonly secrets?: readonly Path[];
  readonly preview?: boolean;
}

export class ToyClient {
  /** The folder in which toys are. */
  readonly world = mkdtempSync(join(tmpdir(), "toys-"));
  /** What the provider wrote to the engine's log. */
  readonly lines: LogLine[] = [];
  readonly #engine = new grpc.Server();
  #engineAddress = "";
  #running: { provider: ChildProcess; client: providerGrpc.ResourceProviderClient } | undefined;

  /** The process. */
  get provider(): ChildProcess {
    return this.#whileRunning().provider;
  }

  /** For calls that have no method here. */
  get client(): providerGrpc.ResourceProviderClient {
    return this.#whileRunning().client;
  }

  get engineAddress(): string {
    return this.#engineAddress;
  }

  /** Starts and configures the provider. */
  async start(): Promise<void> {
    if (this.#engineAddress === "") await this.#listen();
    const program = fileURLToPath(new URL("toy-provider.ts", import.meta.url));
    const provider = spawn(process.execPath, [program, this.#engineAddress], {
      env: { ...process.env, TOY_WORLD: this.world },
      stdio: ["pipe", "pipe", "inherit"],
    });
    const [port] = await once(createInterface(provider.stdout), "line");
    const credentials = grpc.credentials.createInsecure();
    const client = new providerGrpc.ResourceProviderClient(`127.0.0.1:${port}`, credentials);
    this.#running = { provider, client };
    const configuration = encode({ apiToken: "tok-en-1" });
    const request = new providerPb.ConfigureRequest().setArgs(configuration);
    await ask((answer) => client.configure(request, answer));
  }

  /** Kills the provider if it is still there. */
  async stop(): Promise<void> {
    const { provider, client } = this.#whileRunning();
    client.close();
    if (provider.exitCode !== null || provider.signalCode !== null) return;
    provider.kill("SIGKILL");
    await once(provider, "exit");
  }

  /** Forgets toys, calls and lines. */
  clear(): void {
    for (const file of readdirSync(this.world)) rmSync(join(this.world, file));
    this.lines.length = 0;
  }

  async end(): Promise<void> {
    await this.stop();
    this.#engine.forceShutdown();
    rmSync(this.world, { recursive: true });
  }

  /** What the resource was asked for. */
  calls(): string[] {
    return readFileSync(join(this.world, "calls.log"), "utf8").trim().split("\n");
  }

  create(inputs: object, { secrets = [], preview = false }: RequestOptions = {}) {
    const request = new providerPb.CreateRequest()
      .setUrn(URN)
      .setProperties(encode(inputs, secrets))
      .setPreview(preview);
    return ask<providerPb.CreateResponse>((answer) => this.client.create(request, answer));
  }

  update(olds: object, news: object, { secrets = [], preview = false }: RequestOptions = {}) {
    const request = new providerPb.UpdateRequest()
      .setUrn(URN)
      .setId("bear")
      .setOlds(encode(olds, secrets))
      .setNews(encode(news, secrets))
      .setPreview(preview);
    return ask<providerPb.UpdateResponse>((answer) => this.client.update(request, answer));
  }

  read(id: string, state: object = {}, inputs: object = {}, secrets: readonly Path[] = []) {
    const request = new providerPb.ReadRequest()
      .setUrn(URN)
      .setId(id)
      .setProperties(encode(state, secrets))
      .setInputs(encode(inputs, secrets));
    return ask<providerPb.ReadResponse>((answer) => this.client.read(request, answer));
  }

  remove(state: object) {
    const request = new providerPb.DeleteRequest()
      .setUrn(URN)
      .setId("bear")
      .setProperties(encode(state));
    return ask<emptyPb.Empty>((answer) => this.client.delete(request, answer));
  }

  check(news: object, secrets: readonly Path[] = [], urn = URN) {
    const request = new providerPb.CheckRequest().setUrn(urn).setNews(encode(news, secrets));
    return ask<providerPb.CheckResponse>((answer) => this.client.check(request, answer));
  }

  async diff(olds: object, news: object) {
    const request = new providerPb.DiffRequest()
      .setUrn(URN)
      .setOlds(encode(olds))
      .setNews(encode(news));
    const answer = await ask<providerPb.DiffResponse>((done) => this.client.diff(request, done));
    const kinds = new Map<string, number>();
    answer.getDetaileddiffMap().forEach((entry, path) => kinds.set(path, entry.getKind()));
    return { answer, kinds };
  }

  cancel() {
    return ask<emptyPb.Empty>((answer) => this.client.cancel(new emptyPb.Empty(), answer));
  }

  async #listen(): Promise<void> {
    const log: IEngineServer["log"] = ({ request }, callback) => {
      const { message, urn, ephemeral, severity } = request.toObject();
      this.lines.push({ message, urn, ephemeral, severity });
      callback(null, new emptyPb.Empty());
    };
    this.#engine.addService(engineGrpc.EngineService, { log });
    const credentials = grpc.ServerCredentials.createInsecure();
    const port = await new Promise<number>((resolve, reject) => {
      this.#engine.bindAsync("127.0.0.1:0", credentials, (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      );
    });
    this.#engineAddress = `127.0.0.1:${port}`;
  }

  #whileRunning() {
    if (this.#running === undefined) throw new Error("The toy provider was not started.");
    return this.#running;
  }
}

export function ask<Response>(
  send: (answer: (error: grpc.ServiceError | null, response: Response) => void) => unknown,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    send((error, response) => (error === null ? resolve(response) : reject(error)));
  });
}

/** What the engine takes out of an InitFailed error. */
export function partOf(error: unknown) {
  if (!(error instanceof Error) || !("metadata" in error)) throw new Error("no error of gRPC");
  const { metadata } = error;
  if (!(metadata instanceof grpc.Metadata)) throw new Error("no metadata");
  const [bytes] = metadata.get("grpc-status-details-bin");
  if (!(bytes instanceof Buffer)) throw new Error("no details");
  const [detail] = statusPb.Status.deserializeBinary(bytes).getDetailsList();
  if (detail?.getTypeName() !== "pulumirpc.ErrorResourceInitFailed")
    throw new Error("no InitFailed");
  return providerPb.ErrorResourceInitFailed.deserializeBinary(detail.getValue_asU8());
}
