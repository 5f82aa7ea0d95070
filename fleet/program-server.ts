/**
 * The project's program inside of this process, for engines that attach to it (`--client`), as the Automation API
 * serves an inline program. Many engines may run it at once: Pulumi keeps what belongs to a run in the run's
 * asynchronous context.
 *
 * Not the Automation API's own server, for two reasons. There a rejection that nobody handles fails every run that
 * is under way; here it fails its own. And up to version 3.205 of the engine its events go through a file, with the
 * SDK's debug events, in which secrets stand in clear.
 */
import grpc from "@grpc/grpc-js";
import * as errors from "@pulumi/pulumi/errors.js";
import * as log from "@pulumi/pulumi/log/index.js";
import languageGrpc from "@pulumi/pulumi/proto/language_grpc_pb.js";
import language from "@pulumi/pulumi/proto/language_pb.js";
import plugin from "@pulumi/pulumi/proto/plugin_pb.js";
import { setAllConfig } from "@pulumi/pulumi/runtime/config.js";
import { disconnect, resetOptions } from "@pulumi/pulumi/runtime/settings.js";
import { runInPulumiStack } from "@pulumi/pulumi/runtime/stack.js";
import * as state from "@pulumi/pulumi/runtime/state.js";
import empty from "google-protobuf/google/protobuf/empty_pb.js";
import { listen } from "../provider/protocol/listen.ts";
import { RunFaults } from "./run-faults.ts";

declare module "@pulumi/pulumi/runtime/state.js" {
  // It exists, but its declaration is left out. The Automation API's server asks it, too.
  export function withLocalStorage<T>(work: () => T): T;
}

declare module "@pulumi/pulumi/errors.js" {
  // As above.
  export function isGrpcError(error: unknown): boolean;
}

export type Program = () => Promise<Readonly<Record<string, unknown>> | undefined>;

export interface ProgramServer {
  /** For the engine: `--client=127.0.0.1:<port>`. */
  readonly port: number;
  close(): void;
}

export async function openProgramServer(program: Program): Promise<ProgramServer> {
  const server = new grpc.Server({ "grpc.max_receive_message_length": -1 });
  server.addService(languageGrpc.LanguageRuntimeService, {
    run: runWith(program),
    cancel: answerWith(() => new empty.Empty()),
    handshake: answerWith(() => new language.LanguageHandshakeResponse()),
    getPluginInfo: answerWith(() => new plugin.PluginInfo()),
    // The packages' own SDKs name the plugin and its version with each resource.
    getRequiredPackages: answerWith(() => new language.GetRequiredPackagesResponse()),
    getRequiredPlugins: answerWith(() => new language.GetRequiredPluginsResponse()),
  });
  return { port: await listen(server), close: () => server.forceShutdown() };
}

function answerWith<Response>(create: () => Response): grpc.handleUnaryCall<unknown, Response> {
  return (_, answer) => answer(null, create());
}

function runWith(
  program: Program,
): grpc.handleUnaryCall<language.RunRequest, language.RunResponse> {
  return ({ request }, answer) => {
    state
      .withLocalStorage(() => runProgram(program, request))
      .then(
        (response) => answer(null, response),
        (error: unknown) => answer(null, new language.RunResponse().setError(textOf(error))),
      );
  };
}

async function runProgram(
  program: Program,
  request: language.RunRequest,
): Promise<language.RunResponse> {
  resetOptions(
    request.getProject(),
    request.getStack(),
    request.getParallel(),
    request.getArgsList().at(0) ?? "",
    request.getMonitorAddress(),
    request.getDryrun(),
    request.getOrganization(),
  );
  setAllConfig(
    Object.fromEntries(request.getConfigMap().toArray()),
    request.getConfigsecretkeysList(),
  );
  const faults = RunFaults.begin();
  try {
    await runInPulumiStack(program);
  } catch (error) {
    faults.add(error);
  }
  await disconnect(faults.none);
  // What a failed call says, the engine has shown already.
  const own = faults.end().filter((error) => !errors.isGrpcError(error));
  for (const error of own) await log.error(textOf(error));
  const response = new language.RunResponse();
  return faults.none && !log.hasErrors() ? response : response.setBail(true);
}

/** A `RunError` is for people; of anything else the place in the program is needed. */
function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const isForPeople = errors.RunError.isInstance(error);
  const { message, stack = message } = error;
  return isForPeople ? message : stack;
}
