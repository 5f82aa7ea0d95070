/** Mail flows in and out while one thing after the other breaks: nothing is lost. */
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { FleetSlot } from "../lab/hosts/fleet.ts";
import { type Stream, startSoak } from "../lab/hosts/fleet-soak.ts";
import {
  exampleRoute,
  type FleetWorld,
  flushQueues,
  queuesOf,
  startFleetWorld,
} from "../lab/hosts/fleet-world.ts";
import { SmtpDialogue } from "../lab/smtp-dialogue.ts";
import { testNet as net } from "../lab/test-net.ts";

let world: FleetWorld;

beforeAll(async () => {
  world = await startFleetWorld({ net });
}, 240_000);

afterAll(() => world?.[Symbol.asyncDispose]());

/** Mail from outside to a tenant, and from a tenant's mail system to the outside. */
async function startStreams(): Promise<Stream[]> {
  const tenant = await world.addMailSystem({
    name: "mail.tenant.test",
    address: `${net}.2.1`,
    domains: ["tenant.test"],
  });
  const outside = await world.addMailSystem({
    name: "mail.outside.test",
    address: `${net}.6.1`,
    domains: ["outside.test"],
  });
  await world.addDomain("outside.test", "mail.outside.test");
  await world.addDomain("tenant.test");
  const identities = [{ kind: "network", network: `${net}.2.1/32` }] as const;
  await world.fleet.activate([exampleRoute("tenant.test", { identities })]);
  const { slots } = world.fleet;
  return [
    {
      name: "in",
      from: `${net}.6.1`,
      to: slots.map(({ inbound }) => inbound.public),
      senderDomain: "outside.test",
      recipient: "bob@tenant.test",
      destination: tenant,
    },
    {
      name: "out",
      from: `${net}.2.1`,
      to: slots.map(({ relay }) => relay.public),
      senderDomain: "tenant.test",
      recipient: "bob@outside.test",
      destination: outside,
    },
  ];
}

async function killPostfix({ host }: FleetSlot): Promise<void> {
  const pids = ["in", "relay"].map((side) => `/var/spool/postfix-${side}/pid/master.pid`);
  await host.run(["sh", "-c", `kill -9 $(cat ${pids.join(" ")}); pkill -9 -u postfix || true`]);
}

/** How long an instance may be away whose master process has died; docs/gateway.md says so. */
const RESTART_MILLISECONDS = 15_000;

/** Kills an instance's master alone, while a session of it is open, and waits until the host is well again. */
async function killMaster({ host }: FleetSlot, side: "in" | "relay", address: string) {
  const localAddress = side === "in" ? `${net}.6.1` : `${net}.2.1`;
  await using session = await SmtpDialogue.open({ address, localAddress });
  await session.hello();
  const readPid = () => host.run(["cat", `/var/spool/postfix-${side}/pid/master.pid`]);
  const pid = (await readPid()).trim();
  await host.run(["kill", "-9", pid]);
  const killed = Date.now();
  await expect.poll(() => greetingOf(address), { timeout: RESTART_MILLISECONDS }).toMatch(/^220 /);
  console.log(`  postfix-${side} answers after ${Date.now() - killed} ms`);
  expect((await readPid()).trim()).not.toBe(pid);
  const health = async () => {
    const { exitCode, stdout } = await host.exec(HEALTH);
    return exitCode === 0 && Date.parse(JSON.parse(stdout).at) > killed;
  };
  await expect.poll(health, { timeout: 60_000 }).toBe(true);
}

const HEALTH = ["/opt/mxhero-gateway/node", "/opt/mxhero-gateway/agent.js", "health"];

/** What a new connection is greeted with; nothing where there is none. */
async function greetingOf(address: string): Promise<string> {
  try {
    await using session = await SmtpDialogue.open({ address, localAddress: `${net}.4.1` });
    return session.greeting;
  } catch {
    return "";
  }
}

/** Each breaks one thing and mends it. */
function faults(): Record<string, () => Promise<void>> {
  const [a, b] = [world.slot("a"), world.slot("b")];
  const { moto } = world.fleet;
  const queues = "/var/spool/mxhero-gateway";
  return {
    "a host loses its power": async () => {
      await a.host.kill();
      await sleep(2000);
      await a.host.boot();
    },
    "a host is cut off": async () => {
      await b.host.cutOff(true);
      await sleep(4000);
      await b.host.cutOff(false);
    },
    "a disk is full": async () => {
      await a.host.fillDisk(queues, true);
      await sleep(3000);
      await a.host.fillDisk(queues, false);
    },
    "the store is stopped": async () => {
      await moto.pause();
      await sleep(3000);
      moto.resume();
    },
    "the store is slow": async () => {
      for (let round = 0; round < 6; round += 1) {
        await moto.pause();
        await sleep(400);
        moto.resume();
        await sleep(100);
      }
    },
    "an agent is killed": async () => {
      await b.host.run(["pkill", "-9", "-f", "[a]gent.js run"]);
      await sleep(3000);
    },
    "the master process of Postfix is killed alone": async () => {
      await killMaster(a, "in", a.inbound.public);
      await killMaster(b, "relay", b.relay.public);
    },
    "all of Postfix is killed": async () => {
      await killPostfix(a);
      await sleep(3000);
    },
  };
}

async function queuedMessages(): Promise<number> {
  const { slots } = world.fleet;
  await flushQueues(slots);
  return (await queuesOf(slots)).length;
}

test("while hosts, disks, the store, agents and Postfix fail, every message is accounted for", async () => {
  const streams = await startStreams();
  const soak = startSoak(world, streams);
  for (const [name, fault] of Object.entries(faults())) {
    console.log(`${name}, after ${soak.sent} messages`);
    await fault();
    await sleep(1500);
  }
  await soak.stop();
  await expect.poll(queuedMessages, { timeout: 90_000, interval: 2000 }).toBe(0);

  const account = await soak.account(streams.map(({ destination }) => destination));
  console.log(`Soak: ${JSON.stringify(account)}`);
  expect(account).toMatchObject({ lost: [], refused: 0, queued: 0, kept: 0 });
  expect(account.delivered).toBe(account.sent);
  expect(account.sent).toBeGreaterThan(100);
}, 300_000);
