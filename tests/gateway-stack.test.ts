/** A gateway's stack under the real engine: its instances are hosts with the real Postfix and the real agent. */
import { Resolver } from "node:dns/promises";
import { connect } from "node:net";
import { text as readAll } from "node:stream/consumers";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { z } from "zod";
import { labCredentials, labRegion } from "../lab/aws/moto.ts";
import { type HostRunner, startRunner } from "../lab/hosts/runner.ts";
import { type MailSystem, startMailSystem } from "../lab/mail-system.ts";
import { composeMessage } from "../lab/message.ts";
import { createSender, type DeliveryReport } from "../lab/sender.ts";
import { transact } from "../lab/smtp-client.ts";
import { testNet as net } from "../lab/test-net.ts";
import { routeOf } from "../mail/testdata/routes.ts";
import { RouteStore } from "../store/route-store.ts";
import {
  failed,
  type GatewayChanges,
  type GatewayLab,
  startGatewayLab,
  succeeded,
} from "./gateway-lab.ts";

vi.setConfig({ testTimeout: 600_000, hookTimeout: 120_000 });

const parts = new AsyncDisposableStack();
const resolver = new Resolver();
let lab: GatewayLab;
let runner: HostRunner;
let contoso: MailSystem;
/** A certificate, kept from one change of the stack to the next. */
let keys: GatewayChanges;

beforeAll(async () => {
  lab = parts.use(await startGatewayLab());
  const { moto, dns, directory, authority } = lab;
  resolver.setServers([dns.resolver]);
  Object.assign(process.env, {
    AWS_REGION: labRegion,
    AWS_ACCESS_KEY_ID: labCredentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: labCredentials.secretAccessKey,
  });
  runner = parts.use(await startRunner({ moto, dns, net, directory, authority }));
  const certificate = await authority.issue("mail.contoso.test");
  contoso = parts.use(
    await startMailSystem({
      name: "mail.contoso.test",
      address: `${net}.2.1`,
      certificate,
      domains: ["contoso.test"],
    }),
  );
  await dns.addZone("contoso.test");
  await dns.publish("contoso.test", [
    { name: "contoso.test", type: "MX", ttl: 60, records: ["10 smtp-in.gateway.test."] },
    { name: "mail.contoso.test", type: "A", ttl: 60, records: [`${net}.2.1`] },
  ]);
  keys = await lab.issue();
});

afterAll(() => parts.disposeAsync());

const outputs = z.object({
  routeStore: z.object({ table: z.string(), secretPrefix: z.string(), keyId: z.string() }),
  addresses: z.record(z.string(), z.object({ inbound: z.string(), relay: z.string() })),
});

async function stackOutputs() {
  const { stdout } = await succeeded(lab.run(["stack", "output", "--json"]));
  return outputs.parse(JSON.parse(stdout));
}

async function openStore(): Promise<RouteStore> {
  const { routeStore } = await stackOutputs();
  return new RouteStore({ ...routeStore, region: labRegion, endpoint: lab.moto.url });
}

/** The instances that serve, by slot. */
function instancesBySlot(): Record<string, string> {
  return Object.fromEntries(runner.instances.map(({ id, tags }) => [tags["mxhero:slot"], id]));
}

function hostOf(slot: string) {
  return runner.instance("mxhero:slot", slot).host;
}

/** How many messages are in a slot's inbound queue. */
async function queued(slot: string): Promise<number> {
  const list = await hostOf(slot).run(["postqueue", "-c", "/etc/postfix-in", "-j"]);
  return list.split("\n").filter((line) => line !== "").length;
}

function flush(slot: string) {
  return hostOf(slot).run(["postqueue", "-c", "/etc/postfix-in", "-f"]);
}

async function bannerOf(address: string): Promise<string> {
  const socket = connect({ host: address, port: 25 });
  socket.on("connect", () => setTimeout(() => socket.end("QUIT\r\n"), 500));
  return readAll(socket);
}

/** One letter to contoso, to one address of the gateway. */
async function sendTo(address: string, id: string) {
  return transact({
    address,
    localAddress: `${net}.4.1`,
    name: "mx.sender.test",
    sender: "ann@sender.test",
    recipient: "info@contoso.test",
    content: composeMessage({ id, from: "ann@sender.test", to: "info@contoso.test", subject: id }),
  });
}

/** Sends letters the way every mail server does, until it is told to stop. */
function sendAllTheTime() {
  const sender = createSender({
    name: "mx.sender.test",
    address: `${net}.4.1`,
    resolver: lab.dns.resolver,
  });
  const reports: DeliveryReport[] = [];
  const end = new AbortController();
  const sending = (async () => {
    while (!end.signal.aborted) reports.push(await sender.send({ to: "info@contoso.test" }));
  })();
  return {
    stop: async () => {
      end.abort();
      await sending;
      return reports;
    },
  };
}

const arrived = () => contoso.messages.map(({ id }) => id);

/** Forward and reverse agree, and Postfix greets with the endpoint's name. */
async function assertAnswers(address: string, endpoint: string): Promise<void> {
  const [name = ""] = await resolver.reverse(address);
  expect(await resolver.resolve4(name)).toEqual([address]);
  expect(await bannerOf(address)).toMatch(`220 ${endpoint} ESMTP`);
}

/** A route that exists, without the tenant's stack. */
async function activateContoso(): Promise<void> {
  using store = await openStore();
  const route = routeOf("contoso.test");
  const { revision } = await store.writeRoute(
    {
      domain: "contoso.test",
      holder: { organisation: "contoso", claims: ["test.1"] },
      active: { version: 1, route },
    },
    undefined,
  );
  const known = async () => {
    const { answers } = await store.readDomain("contoso.test");
    return answers.filter(({ acknowledged }) => acknowledged === revision).length;
  };
  await expect.poll(known, { timeout: 20_000 }).toBe(2);
}

test("up builds a fleet that answers under its names", async () => {
  await lab.configure({ ...keys, "gateway:pool": 6 });
  await succeeded(lab.run(["preview"]));
  await succeeded(lab.run(["up", "--yes", "--skip-preview"]));
  expect(runner.failures).toEqual([]);

  const { addresses } = await stackOutputs();
  expect(Object.keys(addresses)).toEqual(["a", "b", "c"]);
  const of = (side: "inbound" | "relay") => ["a", "b"].map((slot) => addresses[slot]?.[side] ?? "");
  expect((await resolver.resolve4("smtp-in.gateway.test")).toSorted()).toEqual(
    of("inbound").toSorted(),
  );
  expect((await resolver.resolve4("smtp.gateway.test")).toSorted()).toEqual(of("relay").toSorted());
  for (const [side, name] of [
    ["inbound", "smtp-in.gateway.test"],
    ["relay", "smtp-relay.gateway.test"],
  ] as const) {
    for (const address of of(side)) await assertAnswers(address, name);
  }
  using store = await openStore();
  expect((await store.slots()).map(({ slot }) => slot).toSorted()).toEqual(["a", "b"]);
  await succeeded(lab.run(["up", "--yes", "--skip-preview", "--expect-no-changes"]));
});

test("a renewed certificate replaces one slot after the other: mail is always taken, and queues survive", async () => {
  await activateContoso();
  const { addresses } = await stackOutputs();
  contoso.refuse("recipient", "451 4.3.2 Try later");
  for (const slot of ["a", "b"]) {
    const { outcome } = await sendTo(addresses[slot]?.inbound ?? "", `queued-${slot}`);
    expect(outcome).toBe("delivered");
    await expect.poll(() => queued(slot)).toBe(1);
  }
  const before = instancesBySlot();
  const sending = sendAllTheTime();

  keys = await lab.issue();
  await lab.configure({ ...keys, "gateway:pool": 6 });
  await succeeded(lab.run(["up", "--yes", "--skip-preview"]));

  const reports = await sending.stop();
  expect(reports.length).toBeGreaterThan(10);
  expect(reports.filter(({ outcome }) => outcome !== "delivered")).toEqual([]);
  const after = instancesBySlot();
  expect(Object.keys(after).toSorted()).toEqual(["a", "b"]);
  for (const slot of ["a", "b"]) expect(after[slot]).not.toBe(before[slot]);

  contoso.refuse("recipient", undefined);
  const sent = ["queued-a", "queued-b", ...reports.map(({ id }) => id)];
  const missing = async () => {
    await Promise.all(["a", "b"].map(flush));
    return sent.filter((id) => !arrived().includes(id));
  };
  await expect.poll(missing, { timeout: 60_000, interval: 2000 }).toEqual([]);
  expect(arrived().toSorted()).toEqual(sent.toSorted());
});

test("a slot is added within the pool, and emptied before it is taken away again", async () => {
  await lab.configure({ ...keys, "gateway:pool": 6, "gateway:slots": 3 });
  await succeeded(lab.run(["up", "--yes", "--skip-preview"]));
  const { addresses } = await stackOutputs();
  expect(await resolver.resolve4("smtp-in.gateway.test")).toHaveLength(3);

  contoso.refuse("recipient", "451 4.3.2 Try later");
  const { outcome } = await sendTo(addresses["c"]?.inbound ?? "", "queued-c");
  expect(outcome).toBe("delivered");
  await expect.poll(() => queued("c")).toBe(1);
  await lab.configure({ ...keys, "gateway:pool": 6, "gateway:slots": 2 });
  const removing = lab.run(["up", "--yes", "--skip-preview"]);
  const left = () => resolver.resolve4("smtp-in.gateway.test");
  await expect.poll(left, { timeout: 120_000 }).toHaveLength(2);
  expect(await queued("c")).toBe(1);
  contoso.refuse("recipient", undefined);
  await flush("c");
  await succeeded(removing);
  expect(arrived()).toContain("queued-c");
  await expect.poll(() => Object.keys(instancesBySlot()).toSorted()).toEqual(["a", "b"]);
});

test("a fleet with an active route is not destroyed; without one it is, all of it", async () => {
  await activatedStill();
  const refused = await failed(lab.run(["destroy", "--yes", "--skip-preview"]));
  expect(refused.text).toContain("fleet-has-routes");
  expect(refused.text).toContain("contoso.test");
  expect(Object.keys(instancesBySlot()).toSorted()).toEqual(["a", "b"]);

  await expireContoso();
  await succeeded(lab.run(["destroy", "--yes", "--skip-preview"]));
  await expect.poll(() => runner.instances, { timeout: 20_000 }).toEqual([]);
  expect(lab.cloudflare.snapshot(lab.zoneId)).toEqual([]);
  expect(runner.failures).toEqual([]);
});

async function activatedStill(): Promise<void> {
  using store = await openStore();
  expect((await store.readDomain("contoso.test")).record?.active).toBeDefined();
}

function daysAgo(days: number): string {
  return new Date(Date.now() - days * 86_400_000).toISOString();
}

/** As when the tenant's stack was destroyed long ago. */
async function expireContoso(): Promise<void> {
  using store = await openStore();
  const { record } = await store.readDomain("contoso.test");
  if (record === undefined) throw new Error("no route");
  const { revision, ...content } = record;
  const leaving = {
    since: daysAgo(4),
    deferFrom: daysAgo(3),
    refuseFrom: daysAgo(2),
    expires: daysAgo(1),
  };
  await store.writeRoute({ ...content, leaving }, revision);
}
