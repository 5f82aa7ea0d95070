/** The protocol, over real gRPC. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import grpc from "@grpc/grpc-js";
import type pluginPb from "@pulumi/pulumi/proto/plugin_pb.js";
import providerPb from "@pulumi/pulumi/proto/provider_pb.js";
import emptyPb from "google-protobuf/google/protobuf/empty_pb.js";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import packageJson from "../../package.json" with { type: "json" };
import { ask, partOf, ToyClient, URN } from "./toy-client.ts";
import { decode, encode, type Path, UNKNOWN } from "./wire.ts";

const password: Path = ["login", "password"];
const withLogin = { name: "bear", login: { user: "ann", password: "hunter22" } };
const toys = new ToyClient();

beforeAll(() => toys.start());
afterEach(() => toys.clear());
afterAll(() => toys.end());

describe("the provider", () => {
  test("shakes hands: secrets are accepted", async () => {
    const request = new providerPb.ProviderHandshakeRequest().setEngineAddress(toys.engineAddress);
    const answer = await ask<providerPb.ProviderHandshakeResponse>((done) =>
      toys.client.handshake(request, done),
    );
    expect(answer.getAcceptSecrets()).toBe(true);
  });

  test("reports the version of the package", async () => {
    const info = await ask<pluginPb.PluginInfo>((answer) =>
      toys.client.getPluginInfo(new emptyPb.Empty(), answer),
    );
    expect(info.getVersion()).toBe(packageJson.version);
  });

  test("has a schema with its resources", async () => {
    const answer = await ask<providerPb.GetSchemaResponse>((done) =>
      toys.client.getSchema(new providerPb.GetSchemaRequest(), done),
    );
    expect(JSON.parse(answer.getSchema())).toMatchObject({
      name: "mxhero",
      resources: { "mxhero:index:Toy": {} },
    });
  });

  test("refuses unknown and faulty configuration without showing a value", async () => {
    const news = encode({ apiToken: UNKNOWN, waitSeconds: "hunter22", token: "hunter22" });
    const request = new providerPb.CheckRequest().setNews(news);
    const answer = await ask<providerPb.CheckResponse>((done) =>
      toys.client.checkConfig(request, done),
    );
    const reasons = answer.getFailuresList().map((failure) => failure.getReason());
    expect(reasons).toHaveLength(2);
    expect(reasons.join()).toMatch(/waitSeconds: .*"token"/);
    expect(reasons.join()).not.toContain("hunter22");
  });

  test("takes the engine's own keys for no configuration", async () => {
    const news = encode({ version: "0.1.0", pluginDownloadURL: "", waitSeconds: 5 });
    const request = new providerPb.CheckRequest().setNews(news);
    const answer = await ask<providerPb.CheckResponse>((done) =>
      toys.client.checkConfig(request, done),
    );
    expect(answer.getFailuresList()).toEqual([]);
    expect(decode(answer.getInputs()).value).toEqual(decode(news).value);
  });

  test("answers unimplemented for functions", async () => {
    const invoked = ask((answer) => toys.client.invoke(new providerPb.InvokeRequest(), answer));
    await expect(invoked).rejects.toMatchObject({ code: grpc.status.UNIMPLEMENTED });
  });
});

describe("check", () => {
  test("fills in defaults and keeps secrets wrapped", async () => {
    const answer = await toys.check(withLogin, [password]);
    expect(answer.getFailuresList()).toEqual([]);
    expect(decode(answer.getInputs())).toEqual({
      value: { ...withLogin, size: 1 },
      secrets: [password],
      unknowns: [],
    });
  });

  test("reports faults without a property, since the engine would print its value", async () => {
    const answer = await toys.check({ name: "Bear 7", size: "big", weight: 1 }, [["name"]]);
    const failures = answer.getFailuresList().map((failure) => failure.toObject());
    expect(failures.map(({ property }) => property)).toEqual(["", "", ""]);
    const reasons = failures.map(({ reason }) => reason).join("\n");
    expect(reasons).toMatch(/name: .*\nsize: .*\n.*"weight"/);
    expect(reasons).not.toContain("Bear 7");
  });

  test("lets unknown values pass as they are", async () => {
    const news = { name: UNKNOWN, login: { user: "ann", password: UNKNOWN } };
    const answer = await toys.check(news, [password]);
    expect(answer.getFailuresList()).toEqual([]);
    expect(decode(answer.getInputs())).toMatchObject({ value: news, secrets: [password] });
  });

  test("names the types that there are", async () => {
    const asked = toys.check({}, [], "urn:pulumi:test::toys::a:b:C$mxhero:index:Doll::bear");
    await expect(asked).rejects.toThrow(/"mxhero:index:Doll".*mxhero:index:Toy/);
  });
});

describe("diff", () => {
  const state = { ...withLogin, size: 1, done: true, shout: "BEAR" };
  const { Kind } = providerPb.PropertyDiff;

  test("of equal values is none", async () => {
    const { answer, kinds } = await toys.diff(state, { ...withLogin, size: 1 });
    expect(answer.getChanges()).toBe(providerPb.DiffResponse.DiffChanges.DIFF_NONE);
    expect(kinds.size).toBe(0);
  });

  test("has the paths that the resource gives, and what replaces", async () => {
    const { answer, kinds } = await toys.diff(state, { ...withLogin, name: "cat", size: 2 });
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
    const { answer, kinds } = await toys.diff(state, {
      ...withLogin,
      size: 1,
      login: { user: UNKNOWN, password: "hunter22" },
    });
    expect(kinds).toEqual(new Map([["login.user", Kind.UPDATE]]));
    expect(answer.getDiffsList()).toEqual(["login"]);
  });

  test("of a state that cannot be read fails", async () => {
    const asked = toys.diff({ name: "bear", size: 1, login: 7 }, { name: "bear" });
    await expect(asked).rejects.toThrow(/stored state .* cannot be read: .*login/);
  });
});

describe("create", () => {
  test("gives id and state, secrets wrapped again", async () => {
    const answer = await toys.create({ ...withLogin, size: 1 }, { secrets: [password] });
    expect(answer.getId()).toBe("bear");
    expect(decode(answer.getProperties())).toEqual({
      value: { ...withLogin, size: 1, done: true, shout: "BEAR" },
      secrets: [password],
      unknowns: [],
    });
    expect(existsSync(join(toys.world, "bear.toy"))).toBe(true);
  });

  test("logs in order, without secrets, before it answers", async () => {
    await toys.create(withLogin, { secrets: [password] });
    const messages = ["one", "two", "three"].map((word) => `${word} of [secret]`);
    expect(toys.lines).toEqual(
      messages.map((message) => ({ message, urn: URN, ephemeral: false, severity: 1 })),
    );
  });

  test("changes nothing in a preview and gives inputs and what is certain", async () => {
    const answer = await toys.create(withLogin, { secrets: [password], preview: true });
    expect(decode(answer.getProperties())).toMatchObject({
      value: { ...withLogin, size: 1, shout: "BEAR" },
      secrets: [password],
    });
    expect(toys.calls()).toEqual(["create bear (preview)"]);
    expect(existsSync(join(toys.world, "bear.toy"))).toBe(false);
  });

  test("does not ask the resource in a preview with an unknown input", async () => {
    const answer = await toys.create({ name: "bear", size: UNKNOWN }, { preview: true });
    expect(decode(answer.getProperties()).value).toEqual({ name: "bear", size: UNKNOWN });
    expect(existsSync(join(toys.world, "calls.log"))).toBe(false);
  });

  test("shows the remedy of an error, and no secret or token", async () => {
    const failed = toys.create({ ...withLogin, mode: "fail" }, { secrets: [password] });
    await expect(failed).rejects.toMatchObject({
      details: "The toy broke with [secret]. Mend it.",
    });
    const [trace] = toys.lines;
    expect(trace?.message).toMatch(/The toy broke with \[secret\](.|\n)*caused by/);
    expect(trace?.severity).toBe(0);
    expect(JSON.stringify(toys.lines)).not.toContain("hunter22");
  });

  test("that is unfinished gives id, state and reasons with the error", async () => {
    const half = { ...withLogin, size: 1, mode: "half" };
    const error: unknown = await toys.create(half, { secrets: [password] }).catch((cause) => cause);
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
    const answer = await toys.read("bear");
    expect(answer.getId()).toBe("");
  });

  test("of an import gives inputs and state", async () => {
    await toys.create(withLogin);
    const answer = await toys.read("bear");
    expect(answer.getId()).toBe("bear");
    expect(decode(answer.getInputs()).value).toEqual({ ...withLogin, size: 1 });
    expect(decode(answer.getProperties()).value).toMatchObject({ shout: "BEAR" });
    expect(toys.calls()).toContain("read bear (import)");
  });

  test("of a refresh wraps secrets again in both", async () => {
    const state = { ...withLogin, size: 1, done: true, shout: "BEAR" };
    await toys.create(withLogin);
    const answer = await toys.read("bear", state, withLogin, [password]);
    expect(decode(answer.getInputs()).secrets).toEqual([password]);
    expect(decode(answer.getProperties()).secrets).toEqual([password]);
    expect(toys.calls()).toContain("read bear");
  });

  test("of an unfinished resource says so, and keeps the inputs", async () => {
    const half = { name: "bear", size: 1, mode: "half" };
    await toys.create(half).catch(() => undefined);
    const state = { ...half, done: false, shout: "BEAR" };
    const part = partOf(await toys.read("bear", state, half).catch((cause: unknown) => cause));
    expect(part.getReasonsList()).toEqual(["still half"]);
    expect(decode(part.getInputs()).value).toEqual(half);
  });
});

describe("update", () => {
  const state = { name: "bear", size: 1, done: true, shout: "BEAR" };

  test("gives the new state", async () => {
    const answer = await toys.update(state, { ...withLogin, size: 2 }, { secrets: [password] });
    expect(decode(answer.getProperties())).toMatchObject({
      value: { ...withLogin, size: 2, done: true },
      secrets: [password],
    });
  });

  test("in a preview leaves out what is not certain", async () => {
    const answer = await toys.update(state, { name: "bear", size: 2 }, { preview: true });
    expect(decode(answer.getProperties()).value).toEqual({ name: "bear", size: 2 });
    expect(toys.calls()).toEqual(["update bear (preview)"]);
  });
});

test("delete takes the resource away", async () => {
  await toys.create(withLogin);
  await toys.remove({ ...withLogin, size: 1, done: true, shout: "BEAR" });
  expect(existsSync(join(toys.world, "bear.toy"))).toBe(false);
});
