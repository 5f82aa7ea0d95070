/** How a run ends: by cancel, by signals, by the end of the engine. */
import { once } from "node:events";
import grpc from "@grpc/grpc-js";
import providerPb from "@pulumi/pulumi/proto/provider_pb.js";
import { afterAll, afterEach, beforeEach, expect, test, vi } from "vitest";
import { partOf, ToyClient, URN } from "./protocol/toy-client.ts";
import { encode } from "./protocol/wire.ts";

const slow = { name: "bear", size: 1, mode: "slow" };
const toys = new ToyClient();

beforeEach(() => toys.start());
afterEach(async () => {
  await toys.stop();
  toys.clear();
});
afterAll(() => toys.end());

async function untilCalled(call: string) {
  await vi.waitFor(() => expect(toys.calls()).toContain(call), { timeout: 30_000 });
}

test("cancel stops running calls at a safe point and refuses new ones", async () => {
  const creating = toys.create(slow).catch((cause: unknown) => cause);
  await untilCalled("create bear");
  await toys.cancel();
  expect(partOf(await creating).getId()).toBe("bear");
  expect(toys.calls()).toContain("stopped");
  expect(toys.lines).toContainEqual({ message: "waiting", urn: URN, ephemeral: true, severity: 1 });
  await expect(toys.create({ name: "bear" })).rejects.toMatchObject({
    code: grpc.status.CANCELLED,
  });
  expect(toys.calls().filter((line) => line.startsWith("create"))).toHaveLength(1);
});

test("a call whose caller goes away stops at a safe point", async () => {
  const request = new providerPb.CreateRequest().setUrn(URN).setProperties(encode(slow));
  const sent = toys.client.create(request, () => undefined);
  await untilCalled("create bear");
  sent.cancel();
  await untilCalled("stopped");
  expect(toys.provider.exitCode).toBeNull();
});

test("SIGINT ends an idle provider at once, cleanly", async () => {
  toys.provider.kill("SIGINT");
  expect(await once(toys.provider, "exit")).toEqual([0, null]);
});

test("SIGINT lets a running call stop and answer first", async () => {
  const creating = toys.create(slow).catch((cause: unknown) => cause);
  await untilCalled("create bear");
  const exited = once(toys.provider, "exit");
  toys.provider.kill("SIGINT");
  expect(partOf(await creating).getReasonsList()).toHaveLength(1);
  expect(await exited).toEqual([0, null]);
});

test("the end of stdin ends an idle provider", async () => {
  const exited = once(toys.provider, "exit");
  toys.provider.stdin?.end();
  expect(await exited).toEqual([0, null]);
});

test("the end of stdin lets a running call stop first", async () => {
  const creating = toys.create(slow).catch((cause: unknown) => cause);
  await untilCalled("create bear");
  const exited = once(toys.provider, "exit");
  toys.provider.stdin?.end();
  expect(partOf(await creating).getId()).toBe("bear");
  expect(await exited).toEqual([0, null]);
  expect(toys.calls()).toContain("stopped");
});
