/** A fleet over time: routes that are given up, a store that is gone, agents and hosts that start again. */
import { afterAll, beforeAll, expect, test } from "vitest";
import type { FleetSlot } from "../lab/hosts/fleet.ts";
import { exampleRoute, type FleetWorld, startFleetWorld } from "../lab/hosts/fleet-world.ts";
import { composeMessage } from "../lab/message.ts";
import { testNet as net } from "../lab/test-net.ts";
import type { LeavingTimes } from "../mail/route.ts";

let world: FleetWorld;

beforeAll(async () => {
  world = await startFleetWorld({ net });
}, 240_000);

afterAll(() => world?.[Symbol.asyncDispose]());

const identity = (number: number) =>
  ({ kind: "network", network: `${net}.2.${number}/32` }) as const;

/** The reply at RCPT, in and out, of one slot. */
async function answers(slot: string, domain: string, number: number, mailbox = "y") {
  await using inbound = await world.toInbound(slot);
  await using outbound = await world.toRelay(slot, `2.${number}`);
  const { rcpt: into } = await inbound.ask("x@outside.test", `${mailbox}@${domain}`);
  const { rcpt: out } = await outbound.ask(`${mailbox}@${domain}`, "x@outside.test");
  return { into, out };
}

const accepted = { into: expect.stringMatching(/^250 /), out: expect.stringMatching(/^250 /) };

/** An agent writes a new stage into its maps once a second, and later where it has to wait. */
const STAGE_SECONDS = 20;
/** So long it may take until both agents have the record, and are asked what they say of it. */
const FIRST_SECONDS = 30;

/** What both slots say of a route. */
function ofBoth(domain = "leaving.test", number = 1) {
  return Promise.all(["a", "b"].map((slot) => answers(slot, domain, number)));
}

function each(pattern: RegExp) {
  const reply = expect.stringMatching(pattern);
  return [
    { into: reply, out: reply },
    { into: reply, out: reply },
  ];
}

/** Waits until both slots say this, which must not be before that time. */
async function turnsAt(time: string, pattern: RegExp, domain?: string, number?: number) {
  const timeout = (FIRST_SECONDS + STAGE_SECONDS) * 1000;
  const answer = () => ofBoth(domain, number);
  await expect.poll(answer, { timeout, interval: 500 }).toEqual(each(pattern));
  expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(time));
}

test("a route that was given up delivers, then puts off, then refuses, at its own times, and is forgotten", async () => {
  const route = exampleRoute("leaving.test", { identities: [identity(1)] });
  await world.fleet.activate([route]);
  const now = Date.now();
  const after = (seconds: number) => new Date(now + seconds * 1000).toISOString();
  const leaving: LeavingTimes = {
    since: after(0),
    deferFrom: after(FIRST_SECONDS),
    refuseFrom: after(FIRST_SECONDS + STAGE_SECONDS),
    expires: after(FIRST_SECONDS + 2 * STAGE_SECONDS),
  };
  const holder = { organisation: "leaving.test", claims: [] };
  await world.fleet.write({
    domain: "leaving.test",
    holder,
    active: { version: 1, route },
    leaving,
  });
  expect(await ofBoth()).toEqual(each(/^250 /));
  expect(Date.now()).toBeLessThan(Date.parse(leaving.deferFrom));
  await turnsAt(leaving.deferFrom, /^450 4\.7\.1 .*https:\/\/help\.gateway\.test\/inactive/);
  await turnsAt(leaving.refuseFrom, /^550 5\.7\.1 .*https:\/\/help\.gateway\.test\/inactive/);
  await turnsAt(leaving.expires, /^55[04] 5\.7\.1 (?!.*https:)/);
}, 240_000);

test("an inactive route is put off, then refused, at its own time, and serves again at once", async () => {
  const domain = "paused.test";
  const route = exampleRoute(domain, { identities: [identity(4)] });
  await world.fleet.activate([route]);
  const now = Date.now();
  const inactive = {
    since: new Date(now).toISOString(),
    refuseFrom: new Date(now + FIRST_SECONDS * 1000).toISOString(),
  };
  const served = {
    domain,
    holder: { organisation: domain, claims: [] },
    active: { version: 1, route },
  };
  await world.fleet.write({ ...served, inactive });
  const putOff = /^450 4\.7\.1 .*is inactive .*https:\/\/help\.gateway\.test\/inactive/;
  const refused = /^550 5\.7\.1 .*is inactive .*https:\/\/help\.gateway\.test\/inactive/;
  expect(await ofBoth(domain, 4)).toEqual(each(putOff));
  expect(Date.now()).toBeLessThan(Date.parse(inactive.refuseFrom));
  await turnsAt(inactive.refuseFrom, refused, domain, 4);
  await world.fleet.write(served);
  expect(await ofBoth(domain, 4)).toEqual(each(/^250 /));
}, 120_000);

/** What the agent says of itself. */
async function healthOf({ host }: FleetSlot) {
  const command = ["/opt/mxhero-gateway/node", "/opt/mxhero-gateway/agent.js", "health"];
  const { exitCode, stdout, stderr } = await host.exec(command);
  return { exitCode, text: stdout + stderr };
}

const healthy = expect.objectContaining({ exitCode: 0 });

test("without the store, the gateway goes on with what it knows: across restarts of the agent and of the host", async () => {
  const server = await world.addMailSystem({
    name: "mail.steady.test",
    address: `${net}.6.1`,
    domains: ["steady.test"],
  });
  await world.fleet.activate([exampleRoute("steady.test", { identities: [identity(2)] })]);
  const slot = world.slot("a");
  expect(await healthOf(slot)).toEqual(healthy);
  const deliver = async (id: string) => {
    await using session = await world.toInbound("a");
    const content = composeMessage({
      id,
      from: "x@outside.test",
      to: "y@steady.test",
      subject: "x",
    });
    expect(await session.deliver("x@outside.test", "y@steady.test", content)).toMatch(/^250 /);
    const found = () => server.messages.some((message) => message.id === id);
    await expect.poll(found).toBe(true);
  };
  await world.fleet.moto.pause();
  try {
    expect(await answers("a", "steady.test", 2)).toEqual(accepted);
    await deliver("store-gone");

    await slot.host.run(["systemctl", "restart", "mxhero-gateway"]);
    await expect.poll(() => answers("a", "steady.test", 2)).toEqual(accepted);
    await deliver("agent-restarted");

    await slot.host.kill();
    await slot.host.boot();
    await expect.poll(() => answers("a", "steady.test", 2), { timeout: 40_000 }).toEqual(accepted);
    await deliver("host-restarted");
    expect((await answers("a", "unknown.test", 2)).into).toMatch(/^554 5\.7\.1 /);
    // Stale routes are no reason to take a slot out, but are said.
    const said = async () => (await healthOf(slot)).text;
    await expect.poll(said, { timeout: 60_000 }).toMatch(/store: /);
  } finally {
    world.fleet.moto.resume();
  }
  await world.fleet.activate([exampleRoute("after.test", { identities: [identity(3)] })]);
  expect(await answers("a", "after.test", 3)).toEqual(accepted);
  await expect.poll(() => healthOf(slot), { timeout: 60_000 }).toEqual(healthy);
}, 240_000);

test("health names what is wrong on the host", async () => {
  const slot = world.slot("b");
  expect(await healthOf(slot)).toEqual(healthy);
  await slot.host.run(["systemctl", "stop", "postfix@postfix-relay"]);
  const said = async () => (await healthOf(slot)).text;
  await expect.poll(said).toMatch(/relay banner/);
  await expect.poll(() => healthOf(slot)).toMatchObject({ exitCode: 1 });
  const report = async () =>
    (await world.fleet.store.reports()).find((candidate) => candidate.slot === "b");
  await expect.poll(report).toMatchObject({ healthy: false });
  await slot.host.run(["systemctl", "start", "postfix@postfix-relay"]);
  await expect.poll(report).toMatchObject({ healthy: true, faults: [] });
}, 120_000);
