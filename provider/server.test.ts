import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import grpc from "@grpc/grpc-js";
import engineGrpc, { type IEngineServer } from "@pulumi/pulumi/proto/engine_grpc_pb.js";
import type { LogRequest } from "@pulumi/pulumi/proto/engine_pb.js";
import type pluginPb from "@pulumi/pulumi/proto/plugin_pb.js";
import providerGrpc from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import providerPb from "@pulumi/pulumi/proto/provider_pb.js";
import statusPb from "@pulumi/pulumi/proto/status_pb.js";
import emptyPb from "google-protobuf/google/protobuf/empty_pb.js";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import packageJson from "../package.json" with { type: "json" };
import { decode, encode, type Path, UNKNOWN } from "./wire.ts";

const URN = "urn:pulumi:test::toys::mxhero:index:Toy::bear";
const program = fileURLToPath(new URL("toy-provider.ts", import.meta.url));
const password: Path = ["login", "password"];
const withLogin = { name: "bear", login: { user: "ann", password: "hunter22" } };

interface Line {
  readonly message: string;
  readonly urn: string;
  readonly ephemeral: boolean;
  readonly severity: number;
}

const world = mkdtempSync(join(tmpdir(), "toys-"));
const lines: Line[] = [];
let engine: grpc.Server;
let engineAddress: string;
let provider: ChildProcess;
let client: providerGrpc.ResourceProviderClient;

const log: IEngineServer["log"] = ({ request }, callback) => {
  lines.push(lineOf(request));
  callback(null, new emptyPb.Empty());
};

beforeAll(async () => {
  engine = new grpc.Server();
  engine.addService(engineGrpc.EngineService, { log });
  const credentials = grpc.ServerCredentials.createInsecure();
  engineAddress = await new Promise<string>((resolve, reject) => {
    engine.bindAsync("127.0.0.1:0", credentials, (error, port) =>
      error === null ? resolve(`127.0.0.1:${port}`) : reject(error),
    );
  });
  await start();
});

afterAll(async () => {
  await stop();
  engine.forceShutdown();
  rmSync(world, { recursive: true });
});

afterEach(() => {
  for (const file of readdirSync(world)) rmSync(join(world, file));
  lines.length = 0;
});

async function start() {
  provider = spawn(process.execPath, [program, engineAddress], {
    env: { ...process.env, TOY_WORLD: world },
    stdio: ["pipe", "pipe", "inherit"],
  });
  client = await connect(provider);
  const configuration = new providerPb.ConfigureRequest().setArgs(encode({ apiToken: "tok-en-1" }));
  await ask((answer) => client.configure(configuration, answer));
}

async function stop() {
  client.close();
  if (provider.exitCode !== null || provider.signalCode !== null) return;
  provider.kill("SIGKILL");
  await once(provider, "exit");
}

async function connect({ stdout }: ChildProcess) {
  if (stdout === null) throw new Error("the provider has no stdout");
  const [port] = await once(createInterface(stdout), "line");
  return new providerGrpc.ResourceProviderClient(
    `127.0.0.1:${port}`,
    grpc.credentials.createInsecure(),
  );
}

function lineOf(request: LogRequest): Line {
  const { message, urn, ephemeral, severity } = request.toObject();
  return { message, urn, ephemeral, severity };
}

function ask<Response>(
  send: (answer: (error: grpc.ServiceError | null, response: Response) => void) => unknown,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    send((error, response) => (error === null ? resolve(response) : reject(error)));
  });
}

function create(inputs: object, { secrets = [] as Path[], preview = false } = {}) {
  const request = new providerPb.CreateRequest()
    .setUrn(URN)
    .setProperties(encode(inputs, secrets))
    .setPreview(preview);
  return ask<providerPb.CreateResponse>((answer) => client.create(request, answer));
}

function update(olds: object, news: object, { secrets = [] as Path[], preview = false } = {}) {
  const request = new providerPb.UpdateRequest()
    .setUrn(URN)
    .setId("bear")
    .setOlds(encode(olds, secrets))
    .setNews(encode(news, secrets))
    .setPreview(preview);
  return ask<providerPb.UpdateResponse>((answer) => client.update(request, answer));
}

function read(id: string, state: object = {}, inputs: object = {}, secrets: Path[] = []) {
  const request = new providerPb.ReadRequest()
    .setUrn(URN)
    .setId(id)
    .setProperties(encode(state, secrets))
    .setInputs(encode(inputs, secrets));
  return ask<providerPb.ReadResponse>((answer) => client.read(request, answer));
}

function remove(state: object) {
  const request = new providerPb.DeleteRequest()
    .setUrn(URN)
    .setId("bear")
    .setProperties(encode(state));
  return ask<emptyPb.Empty>((answer) => client.delete(request, answer));
}

function check(news: object, secrets: Path[] = [], urn = URN) {
  const request = new providerPb.CheckRequest().setUrn(urn).setNews(encode(news, secrets));
  return ask<providerPb.CheckResponse>((answer) => client.check(request, answer));
}

async function diff(olds: object, news: object) {
  const request = new providerPb.DiffRequest()
    .setUrn(URN)
    .setOlds(encode(olds))
    .setNews(encode(news));
  const answer = await ask<providerPb.DiffResponse>((done) => client.diff(request, done));
  const kinds = new Map<string, number>();
  answer.getDetaileddiffMap().forEach((entry, path) => kinds.set(path, entry.getKind()));
  return { answer, kinds };
}

function cancel() {
  return ask<emptyPb.Empty>((answer) => client.cancel(new emptyPb.Empty(), answer));
}

/** What the engine takes out of an InitFailed error. */
function partOf(error: unknown) {
  if (!(error instanceof Error) || !("metadata" in error)) throw new Error("no error of gRPC");
  const { metadata } = error;
  if (!(metadata instanceof grpc.Metadata)) throw new Error("no metadata");
  const [bytes] = metadata.get("grpc-status-details-bin");
  if (!(bytes instanceof Buffer)) throw new Error("no details");
  const [detail] = statusPb.Status.deserializeBinary(bytes).getDetailsList();
  expect(detail?.getTypeName()).toBe("pulumirpc.ErrorResourceInitFailed");
  return providerPb.ErrorResourceInitFailed.deserializeBinary(
    detail?.getValue_asU8() ?? new Uint8Array(),
  );
}

function calls(): string[] {
  return readFileSync(join(world, "calls.log"), "utf8").trim().split("\n");
}

async function untilCalled(call: string) {
  await vi.waitFor(() => expect(calls()).toContain(call));
}

describe("the provider", () => {
  test("shakes hands: secrets are accepted", async () => {
    const request = new providerPb.ProviderHandshakeRequest().setEngineAddress(engineAddress);
    const answer = await ask<providerPb.ProviderHandshakeResponse>((done) =>
      client.handshake(request, done),
    );
    expect(answer.getAcceptSecrets()).toBe(true);
  });

  test("reports the version of the package", async () => {
    const info = await ask<pluginPb.PluginInfo>((answer) =>
      client.getPluginInfo(new emptyPb.Empty(), answer),
    );
    expect(info.getVersion()).toBe(packageJson.version);
  });

  test("has a schema with its resources", async () => {
    const answer = await ask<providerPb.GetSchemaResponse>((done) =>
      client.getSchema(new providerPb.GetSchemaRequest(), done),
    );
    expect(JSON.parse(answer.getSchema())).toMatchObject({
      name: "mxhero",
      resources: { "mxhero:index:Toy": {} },
    });
  });

  test("refuses unknown and faulty configuration without showing a value", async () => {
    const news = encode({ apiToken: UNKNOWN, waitSeconds: "hunter22", token: "hunter22" });
    const request = new providerPb.CheckRequest().setNews(news);
    const answer = await ask<providerPb.CheckResponse>((done) => client.checkConfig(request, done));
    const reasons = answer.getFailuresList().map((failure) => failure.getReason());
    expect(reasons).toHaveLength(2);
    expect(reasons.join()).toMatch(/waitSeconds: .*"token"/);
    expect(reasons.join()).not.toContain("hunter22");
  });

  test("takes the engine's own keys for no configuration", async () => {
    const news = encode({ version: "0.1.0", pluginDownloadURL: "", waitSeconds: 5 });
    const request = new providerPb.CheckRequest().setNews(news);
    const answer = await ask<providerPb.CheckResponse>((done) => client.checkConfig(request, done));
    expect(answer.getFailuresList()).toEqual([]);
    expect(decode(answer.getInputs()).value).toEqual(decode(news).value);
  });

  test("answers unimplemented for functions", async () => {
    const invoked = ask((answer) => client.invoke(new providerPb.InvokeRequest(), answer));
    await expect(invoked).rejects.toMatchObject({ code: grpc.status.UNIMPLEMENTED });
  });
});

describe("check", () => {
  test("fills in defaults and keeps secrets wrapped", async () => {
    const answer = await check(withLogin, [password]);
    expect(answer.getFailuresList()).toEqual([]);
    expect(decode(answer.getInputs())).toEqual({
      value: { ...withLogin, size: 1 },
      secrets: [password],
      unknowns: [],
    });
  });

  test("reports faults without a property, since the engine would print its value", async () => {
    const answer = await check({ name: "Bear 7", size: "big", weight: 1 }, [["name"]]);
    const failures = answer.getFailuresList().map((failure) => failure.toObject());
    expect(failures.map(({ property }) => property)).toEqual(["", "", ""]);
    const reasons = failures.map(({ reason }) => reason).join("\n");
    expect(reasons).toMatch(/name: .*\nsize: .*\n.*"weight"/);
    expect(reasons).not.toContain("Bear 7");
  });

  test("lets unknown values pass as they are", async () => {
    const news = { name: UNKNOWN, login: { user: "ann", password: UNKNOWN } };
    const answer = await check(news, [password]);
    expect(answer.getFailuresList()).toEqual([]);
    expect(decode(answer.getInputs())).toMatchObject({ value: news, secrets: [password] });
  });

  test("names the types that there are", async () => {
    const asked = check({}, [], "urn:pulumi:test::toys::a:b:C$mxhero:index:Doll::bear");
    await expect(asked).rejects.toThrow(/"mxhero:index:Doll".*mxhero:index:Toy/);
  });
});

describe("diff", () => {
  const state = { ...withLogin, size: 1, done: true, shout: "BEAR" };
  const { Kind } = providerPb.PropertyDiff;

  test("of equal values is none", async () => {
    const { answer, kinds } = await diff(state, { ...withLogin, size: 1 });
    expect(answer.getChanges()).toBe(providerPb.DiffResponse.DiffChanges.DIFF_NONE);
    expect(kinds.size).toBe(0);
  });

  test("has the paths that the resource gives, and what replaces", async () => {
    const { answer, kinds } = await diff(state, { ...withLogin, name: "cat", size: 2 });
    expect(answer.getChanges()).toBe(providerPb.DiffResponse.DiffChanges.DIFF_SOME);
    expect(answer.getHasdetaileddiff()).toBe(true);
    expect(kinds).toEqual(
      new Map([
        ["name", Kind.UPDATE_REPLACE],
        ["size", Kind.UPDATE],
      ]),
    );
    expect(answer.getReplacesList()).toEqual(["name"]);
    expect(answer.getDiffsList()).toEqual(["name", "size"]);
  });

  test("has an unknown input at its path", async () => {
    const { answer, kinds } = await diff(state, {
      ...withLogin,
      size: 1,
      login: { user: UNKNOWN, password: "hunter22" },
    });
    expect(kinds).toEqual(new Map([["login.user", Kind.UPDATE]]));
    expect(answer.getDiffsList()).toEqual(["login"]);
  });

  test("of a state that cannot be read fails", async () => {
    const asked = diff({ name: "bear", size: 1, login: 7 }, { name: "bear" });
    await expect(asked).rejects.toThrow(/stored state .* cannot be read: .*login/);
  });
});

describe("create", () => {
  test("gives id and state, secrets wrapped again", async () => {
    const answer = await create({ ...withLogin, size: 1 }, { secrets: [password] });
    expect(answer.getId()).toBe("bear");
    expect(decode(answer.getProperties())).toEqual({
      value: { ...withLogin, size: 1, done: true, shout: "BEAR" },
      secrets: [password],
      unknowns: [],
    });
    expect(existsSync(join(world, "bear.toy"))).toBe(true);
  });

  test("logs in order, without secrets, before it answers", async () => {
    await create(withLogin, { secrets: [password] });
    const messages = ["one", "two", "three"].map((word) => `${word} of [secret]`);
    expect(lines).toEqual(
      messages.map((message) => ({ message, urn: URN, ephemeral: false, severity: 1 })),
    );
  });

  test("changes nothing in a preview and gives inputs and what is certain", async () => {
    const answer = await create(withLogin, { secrets: [password], preview: true });
    expect(decode(answer.getProperties())).toMatchObject({
      value: { ...withLogin, size: 1, shout: "BEAR" },
      secrets: [password],
    });
    expect(calls()).toEqual(["create bear (preview)"]);
    expect(existsSync(join(world, "bear.toy"))).toBe(false);
  });

  test("does not ask the resource in a preview with an unknown input", async () => {
    const answer = await create({ name: "bear", size: UNKNOWN }, { preview: true });
    expect(decode(answer.getProperties()).value).toEqual({ name: "bear", size: UNKNOWN });
    expect(existsSync(join(world, "calls.log"))).toBe(false);
  });

  test("shows the remedy of an error, and no secret or token", async () => {
    const failed = create({ ...withLogin, mode: "fail" }, { secrets: [password] });
    await expect(failed).rejects.toMatchObject({
      details: "The toy broke with [secret]. Mend it.",
    });
    const [trace] = lines;
    expect(trace?.message).toMatch(/The toy broke with \[secret\](.|\n)*caused by/);
    expect(trace?.severity).toBe(0);
    expect(JSON.stringify(lines)).not.toContain("hunter22");
  });

  test("that is unfinished gives id, state and reasons with the error", async () => {
    const half = { ...withLogin, size: 1, mode: "half" };
    const error: unknown = await create(half, { secrets: [password] }).catch((cause) => cause);
    const part = partOf(error);
    expect(part.getId()).toBe("bear");
    expect(part.getReasonsList()).toEqual(["half of [secret]"]);
    expect(decode(part.getProperties())).toMatchObject({
      value: { ...half, done: false },
      secrets: [password],
    });
  });
});

describe("read", () => {
  test("gives nothing for what is gone", async () => {
    const answer = await read("bear");
    expect(answer.getId()).toBe("");
  });

  test("of an import gives inputs and state", async () => {
    await create(withLogin);
    const answer = await read("bear");
    expect(answer.getId()).toBe("bear");
    expect(decode(answer.getInputs()).value).toEqual({ ...withLogin, size: 1 });
    expect(decode(answer.getProperties()).value).toMatchObject({ shout: "BEAR" });
    expect(calls()).toContain("read bear (import)");
  });

  test("of a refresh wraps secrets again in both", async () => {
    const state = { ...withLogin, size: 1, done: true, shout: "BEAR" };
    await create(withLogin);
    const answer = await read("bear", state, withLogin, [password]);
    expect(decode(answer.getInputs()).secrets).toEqual([password]);
    expect(decode(answer.getProperties()).secrets).toEqual([password]);
    expect(calls()).toContain("read bear");
  });

  test("of an unfinished resource says so, and keeps the inputs", async () => {
    const half = { name: "bear", size: 1, mode: "half" };
    await create(half).catch(() => undefined);
    const state = { ...half, done: false, shout: "BEAR" };
    const part = partOf(await read("bear", state, half).catch((cause: unknown) => cause));
    expect(part.getReasonsList()).toEqual(["still half"]);
    expect(decode(part.getInputs()).value).toEqual(half);
  });
});

describe("update", () => {
  const state = { name: "bear", size: 1, done: true, shout: "BEAR" };

  test("gives the new state", async () => {
    const answer = await update(state, { ...withLogin, size: 2 }, { secrets: [password] });
    expect(decode(answer.getProperties())).toMatchObject({
      value: { ...withLogin, size: 2, done: true },
      secrets: [password],
    });
  });

  test("in a preview leaves out what is not certain", async () => {
    const answer = await update(state, { name: "bear", size: 2 }, { preview: true });
    expect(decode(answer.getProperties()).value).toEqual({ name: "bear", size: 2 });
    expect(calls()).toEqual(["update bear (preview)"]);
  });
});

test("delete takes the resource away", async () => {
  await create(withLogin);
  await remove({ ...withLogin, size: 1, done: true, shout: "BEAR" });
  expect(existsSync(join(world, "bear.toy"))).toBe(false);
});

describe("the end of a run", () => {
  const slow = { name: "bear", size: 1, mode: "slow" };

  afterEach(async () => {
    await stop();
    await start();
  });

  test("cancel stops running calls at a safe point and refuses new ones", async () => {
    const creating = create(slow).catch((cause: unknown) => cause);
    await untilCalled("create bear");
    await cancel();
    expect(partOf(await creating).getId()).toBe("bear");
    expect(calls()).toContain("stopped");
    expect(lines).toContainEqual({ message: "waiting", urn: URN, ephemeral: true, severity: 1 });
    await expect(create(withLogin)).rejects.toMatchObject({ code: grpc.status.CANCELLED });
    expect(calls().filter((line) => line.startsWith("create"))).toHaveLength(1);
  });

  test("a call whose caller goes away stops at a safe point", async () => {
    const request = new providerPb.CreateRequest().setUrn(URN).setProperties(encode(slow));
    const sent = client.create(request, () => undefined);
    await untilCalled("create bear");
    sent.cancel();
    await untilCalled("stopped");
    expect(provider.exitCode).toBeNull();
  });

  test("SIGINT ends an idle provider at once, cleanly", async () => {
    provider.kill("SIGINT");
    expect(await once(provider, "exit")).toEqual([0, null]);
  });

  test("SIGINT lets a running call stop and answer first", async () => {
    const creating = create(slow).catch((cause: unknown) => cause);
    await untilCalled("create bear");
    const exited = once(provider, "exit");
    provider.kill("SIGINT");
    expect(partOf(await creating).getReasonsList()).toHaveLength(1);
    expect(await exited).toEqual([0, null]);
  });

  test("the end of stdin ends an idle provider", async () => {
    const exited = once(provider, "exit");
    provider.stdin?.end();
    expect(await exited).toEqual([0, null]);
  });

  test("the end of stdin lets a running call stop first", async () => {
    const creating = create(slow).catch((cause: unknown) => cause);
    await untilCalled("create bear");
    const exited = once(provider, "exit");
    provider.stdin?.end();
    expect(partOf(await creating).getId()).toBe("bear");
    expect(await exited).toEqual([0, null]);
    expect(calls()).toContain("stopped");
  });
});
