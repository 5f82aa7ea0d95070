/**
 * Runs the crash tests' domain by calling the provider over its protocol, as the engine would: much
 * faster than the engine, so that every point can be tried under every fault.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import grpc from "@grpc/grpc-js";
import providerGrpc from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import providerPb from "@pulumi/pulumi/proto/provider_pb.js";
import statusPb from "@pulumi/pulumi/proto/status_pb.js";
import type structPb from "google-protobuf/google/protobuf/struct_pb.js";
import type { World } from "../lab/world.ts";
import { decode, encode } from "../provider/protocol/wire.ts";
import { DOMAIN, GATEWAYS, type Runner, type Step } from "./crash-life.ts";

const EXECUTABLE = fileURLToPath(new URL("../provider/pulumi-resource-mxhero", import.meta.url));
const SPF = "mxhero:index:SpfInclude";
const MX = "mxhero:index:MxTakeover";

/** What the engine would have stored of a resource. */
interface Stored {
  readonly inputs: object;
  readonly outputs: object;
  /** Its last operation did not end: the next `up` updates it though nothing differs. */
  readonly unfinished: boolean;
}

type Up = Exclude<Step, "destroy">;
/** Each resource with its inputs, in the order in which they are created. */
type Program = readonly (readonly [type: string, inputs: object])[];
type Client = providerGrpc.ResourceProviderClient;

/** @param replaceMx terms that take the place of `mx` in the domain's SPF record */
export function createCallRunner(world: World, replaceMx?: readonly string[]): Runner {
  const state = new Map<string, Stored>();
  let provider: ChildProcess | undefined;
  return {
    async run(step: Step) {
      provider = spawn(EXECUTABLE, ["127.0.0.1:1"], {
        env: { ...process.env, ...world.env },
        stdio: ["pipe", "pipe", "inherit"],
      });
      const client = await connect(provider);
      try {
        if (step === "destroy") await destroyAll(client, state);
        else await upAll(client, state, inputsOf(step, replaceMx));
        return { ok: true, output: "" };
      } catch (error) {
        return { ok: false, output: error instanceof Error ? error.message : String(error) };
      } finally {
        client.close();
        await end(provider);
      }
    },
    async kill() {
      if (provider === undefined) throw new Error("nothing is running");
      await end(provider);
    },
    recover: async () => undefined,
    reset: async () => state.clear(),
  };
}

async function upAll(client: Client, state: Map<string, Stored>, program: Program) {
  for (const [type, wanted] of program) {
    const inputs = await check(client, type, wanted);
    const old = state.get(type);
    if (old === undefined) await create(client, state, type, inputs);
    else if (old.unfinished || (await differs(client, type, old, inputs))) {
      await update(client, state, type, old, inputs);
    }
  }
}

async function destroyAll(client: Client, state: Map<string, Stored>) {
  for (const type of [MX, SPF]) {
    const old = state.get(type);
    if (old === undefined) continue;
    const request = new providerPb.DeleteRequest()
      .setUrn(urn(type))
      .setId(DOMAIN)
      .setProperties(encode(old.outputs));
    await ask((answer) => client.delete(request, answer));
    state.delete(type);
  }
}

async function check(client: Client, type: string, inputs: object): Promise<object> {
  const request = new providerPb.CheckRequest().setUrn(urn(type)).setNews(encode(inputs));
  const response = await ask<providerPb.CheckResponse>((answer) => client.check(request, answer));
  const faults = response.getFailuresList().map((failure) => failure.getReason());
  if (faults.length > 0) throw new Error(faults.join("; "));
  return decode(response.getInputs()).value;
}

async function create(client: Client, state: Map<string, Stored>, type: string, inputs: object) {
  const request = new providerPb.CreateRequest().setUrn(urn(type)).setProperties(encode(inputs));
  await keep(state, type, inputs, async () => {
    const created = await ask<providerPb.CreateResponse>((answer) =>
      client.create(request, answer),
    );
    return created.getProperties();
  });
}

async function update(
  client: Client,
  state: Map<string, Stored>,
  type: string,
  old: Stored,
  inputs: object,
) {
  const request = new providerPb.UpdateRequest()
    .setUrn(urn(type))
    .setId(DOMAIN)
    .setOlds(encode(old.outputs))
    .setOldInputs(encode(old.inputs))
    .setNews(encode(inputs));
  await keep(state, type, inputs, async () => {
    const updated = await ask<providerPb.UpdateResponse>((answer) =>
      client.update(request, answer),
    );
    return updated.getProperties();
  });
}

async function differs(client: Client, type: string, old: Stored, inputs: object) {
  const request = new providerPb.DiffRequest()
    .setUrn(urn(type))
    .setId(DOMAIN)
    .setOlds(encode(old.outputs))
    .setOldInputs(encode(old.inputs))
    .setNews(encode(inputs));
  const diff = await ask<providerPb.DiffResponse>((answer) => client.diff(request, answer));
  return diff.getChanges() === providerPb.DiffResponse.DiffChanges.DIFF_SOME;
}

/** Stores what a call answers; of an unfinished one what its error carries, as the engine does. */
async function keep(
  state: Map<string, Stored>,
  type: string,
  inputs: object,
  call: () => Promise<structPb.Struct | undefined>,
) {
  try {
    state.set(type, { inputs, outputs: decode(await call()).value, unfinished: false });
  } catch (error) {
    const failed = initFailed(error);
    if (failed !== undefined) {
      const outputs = decode(failed.getProperties()).value;
      state.set(type, { inputs, outputs, unfinished: true });
    }
    throw error;
  }
}

function initFailed(error: unknown): providerPb.ErrorResourceInitFailed | undefined {
  const metadata = isServiceError(error) ? error.metadata : undefined;
  const [details] = metadata?.get("grpc-status-details-bin") ?? [];
  if (!Buffer.isBuffer(details)) return undefined;
  const [any] = statusPb.Status.deserializeBinary(details).getDetailsList();
  const bytes = any?.getValue_asU8();
  return bytes && providerPb.ErrorResourceInitFailed.deserializeBinary(bytes);
}

function isServiceError(error: unknown): error is grpc.ServiceError {
  return error instanceof Error && "metadata" in error;
}

async function connect({ stdout }: ChildProcess): Promise<Client> {
  if (stdout === null) throw new Error("the provider has no stdout");
  const [port] = await once(createInterface(stdout), "line");
  const credentials = grpc.credentials.createInsecure();
  const client = new providerGrpc.ResourceProviderClient(`127.0.0.1:${port}`, credentials);
  const configuration = new providerPb.ConfigureRequest().setArgs(encode({}));
  await ask((answer) => client.configure(configuration, answer));
  return client;
}

async function end(provider: ChildProcess): Promise<void> {
  if (provider.exitCode !== null || provider.signalCode !== null) return;
  const exited = once(provider, "exit");
  provider.kill("SIGKILL");
  await exited;
}

function ask<Response>(
  send: (answer: (error: grpc.ServiceError | null, response: Response) => void) => unknown,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    send((error, response) => (error === null ? resolve(response) : reject(error)));
  });
}

function urn(type: string): string {
  return `urn:pulumi:life::mail::${type}::${DOMAIN}`;
}

function inputsOf({ up, bypass = false }: Up, replaceMx?: readonly string[]): Program {
  const shared = { organisation: "contoso", domain: DOMAIN };
  const server = "contoso-test.mail.protection.outlook.test";
  const replacements = replaceMx && { replacements: replaceMx };
  const spfTerms = replaceMx && { spfTerms: replaceMx };
  return [
    [SPF, { ...shared, include: "_spf.gateway.test", ...replacements }],
    [MX, { ...shared, mx: GATEWAYS[up], server, bypass, overlapSeconds: 0, ...spfTerms }],
  ];
}
