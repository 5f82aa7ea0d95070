/**
 * Language host: the engine starts it to run a program written for Node.js.
 *
 * Serves what `pulumi preview`, `up`, `destroy` and `about` ask of a `LanguageRuntime`; the rest is
 * answered with UNIMPLEMENTED, which the engine takes for a host older than the method.
 */
import grpc from "@grpc/grpc-js";
import languageGrpc from "@pulumi/pulumi/proto/language_grpc_pb.js";
import language from "@pulumi/pulumi/proto/language_pb.js";
import plugin from "@pulumi/pulumi/proto/plugin_pb.js";
import empty from "google-protobuf/google/protobuf/empty_pb.js";
import { ProgramRun } from "./program-run.ts";

const engineAddress = process.argv.at(-1) ?? "";
const runs = new Set<ProgramRun>();

const run: grpc.handleUnaryCall<language.RunRequest, language.RunResponse> = (call, answer) => {
  const fail = (error: unknown) =>
    answer({ code: grpc.status.INTERNAL, message: `Cannot run the program: ${String(error)}` });
  try {
    const program = new ProgramRun(call.request, engineAddress);
    runs.add(program);
    call.on("cancelled", () => program.stop());
    program.ended.then((response) => answer(null, response), fail);
  } catch (error) {
    fail(error);
  }
};

const about: grpc.handleUnaryCall<language.AboutRequest, language.AboutResponse> = (_, answer) => {
  const node = new language.AboutResponse();
  node.setExecutable(process.execPath);
  node.setVersion(process.version);
  answer(null, node);
};

const cancel: grpc.handleUnaryCall<empty.Empty, empty.Empty> = (_, answer) => {
  stopPrograms();
  answer(null, new empty.Empty());
};

function answerWith<Response>(create: () => Response): grpc.handleUnaryCall<unknown, Response> {
  return (_, answer) => answer(null, create());
}

function stopPrograms(): void {
  for (const program of runs) program.stop();
}

/** Ends once the programs have: with the engine's SIGINT, or with its end, which closes stdin. */
function end(): void {
  stopPrograms();
  const ended = Promise.allSettled([...runs].map((program) => program.ended));
  void ended.then(() => process.exit(0));
}

const server = new grpc.Server({ "grpc.max_receive_message_length": -1 });
server.addService(languageGrpc.LanguageRuntimeService, {
  run,
  about,
  cancel,
  handshake: answerWith(() => new language.LanguageHandshakeResponse()),
  getPluginInfo: answerWith(() => new plugin.PluginInfo()),
  // The packages' own SDKs name the plugin and its version with each resource.
  getRequiredPackages: answerWith(() => new language.GetRequiredPackagesResponse()),
  getProgramDependencies: answerWith(() => new language.GetProgramDependenciesResponse()),
});
server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) => {
  if (error !== null) throw error;
  process.stdout.write(`${port}\n`);
});
process.on("SIGINT", end);
process.on("SIGTERM", end);
process.stdin.on("end", end).resume();
