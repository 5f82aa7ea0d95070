/**
 * The protocol's methods. What is missing here answers "unimplemented": methods, components.
 *
 * Protocol: `pulumirpc.ResourceProvider` (proto/pulumi/provider.proto of pulumi/pulumi).
 */
import type grpc from "@grpc/grpc-js";
import pluginPb from "@pulumi/pulumi/proto/plugin_pb.js";
import type { IResourceProviderServer } from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import providerPb from "@pulumi/pulumi/proto/provider_pb.js";

import emptyPb from "google-protobuf/google/protobuf/empty_pb.js";
import type { Settings } from "../settings.ts";
import { placeInStackFile } from "../stack-file-place.ts";
import { check } from "./check.ts";
import type { EngineLog } from "./engine-log.ts";
import { Exchange } from "./exchange.ts";
import { callFailure, errorTrace } from "./failures.ts";
import { callFunction } from "./functions.ts";
import type { Provider } from "./provider.ts";
import {
  checkFailure,
  checkResource,
  createResource,
  deleteResource,
  diffResource,
  type Kinds,
  readResource,
  updateResource,
} from "./resource-calls.ts";
import { Cancelled, type RunningCalls } from "./running-calls.ts";
import { schemaOf } from "./schema.ts";
import { decode, type ValueObject } from "./wire.ts";

export type Handlers = Pick<
  IResourceProviderServer,
  | "attach"
  | "cancel"
  | "check"
  | "checkConfig"
  | "configure"
  | "create"
  | "delete"
  | "diff"
  | "diffConfig"
  | "getPluginInfo"
  | "getSchema"
  | "handshake"
  | "invoke"
  | "read"
  | "update"
>;

export interface HandlerOptions {
  readonly provider: Provider;
  readonly calls: RunningCalls;
  readonly log: EngineLog;
}

export function handlers({ provider, calls, log }: HandlerOptions): Handlers {
  const { kinds, functions = {}, version, configuration } = provider;
  let settings: Settings | undefined;

  /** A call about a resource can be cancelled, writes to the log, and shows no secret. */
  function aboutResource<Request extends { getUrn(): string }, Response>(
    work: (kinds: Kinds, request: Request, exchange: Exchange) => Promise<Response>,
  ): grpc.handleUnaryCall<Request, Response> {
    return unary(async (request, signal) => {
      const exchange = new Exchange(request.getUrn(), signal, settings, log);
      try {
        return await work(kinds, request, exchange);
      } catch (error) {
        exchange.show("debug", errorTrace(error));
        const place = placeInStackFile(request.getUrn());
        throw callFailure(error, (text) => exchange.redact(text), place);
      } finally {
        await log.written();
      }
    }, calls);
  }

  return {
    handshake: unary(async (request: providerPb.ProviderHandshakeRequest) => {
      log.connect(request.getEngineAddress());
      return new providerPb.ProviderHandshakeResponse().setAcceptSecrets(true);
    }),
    attach: unary(async (request: pluginPb.PluginAttach) => {
      log.connect(request.getAddress());
      calls.reopen();
      return new emptyPb.Empty();
    }),
    cancel: unary(async () => {
      calls.stop("The run was cancelled.");
      return new emptyPb.Empty();
    }),
    getPluginInfo: unary(async () => new pluginPb.PluginInfo().setVersion(version)),
    getSchema: unary(async () => {
      const schema = await schemaOf(provider);
      return new providerPb.GetSchemaResponse().setSchema(JSON.stringify(schema));
    }),
    checkConfig: unary((request: providerPb.CheckRequest) => checkConfig(provider, request)),
    diffConfig: unary(async () => new providerPb.DiffResponse()),
    configure: unary(async (request: providerPb.ConfigureRequest) => {
      settings = configuration.read(withoutEngineKeys(decode(request.getArgs()).value));
      return new providerPb.ConfigureResponse().setAcceptsecrets(true).setSupportspreview(true);
    }),
    invoke: unary((request: providerPb.InvokeRequest) => callFunction(functions, request)),
    check: aboutResource(checkResource),
    diff: aboutResource(diffResource),
    create: aboutResource(createResource),
    read: aboutResource(readResource),
    update: aboutResource(updateResource),
    delete: aboutResource(deleteResource),
  };
}

async function checkConfig({ configuration }: Provider, request: providerPb.CheckRequest) {
  const news = decode(request.getNews());
  const own = { ...news, value: withoutEngineKeys(news.value) };
  const { faults } = check(configuration.schema, own);
  const response = new providerPb.CheckResponse();
  if (faults.length > 0) return response.setFailuresList(faults.map(checkFailure));
  return response.setInputs(request.getNews());
}

/** The engine mixes the options of a provider resource into its configuration. */
function withoutEngineKeys(configuration: ValueObject): ValueObject {
  const { version: _version, pluginDownloadURL: _url, ...own } = configuration;
  return own;
}

/** A handler of which no exception escapes. With `calls` it counts as running, and can be refused. */
function unary<Request, Response>(
  work: (request: Request, signal: AbortSignal) => Promise<Response>,
  calls?: RunningCalls,
): grpc.handleUnaryCall<Request, Response> {
  return (call, callback) => {
    const gone = new AbortController();
    let done = false;
    // grpc-js emits this after finished calls, too.
    call.on("cancelled", () => {
      if (!done) gone.abort(new Cancelled("The engine has gone away."));
    });
    const answer = async (signal: AbortSignal): Promise<void> => {
      try {
        const response = await work(call.request, signal);
        done = true;
        callback(null, response);
      } catch (error) {
        done = true;
        callback(callFailure(error));
      }
    };
    const answered = calls === undefined ? answer(gone.signal) : calls.run(gone.signal, answer);
    answered.catch((refused: unknown) => callback(callFailure(refused)));
  };
}
