/** A slot that is taken away, with real Postfix: nothing more comes in, and all that is in goes out. */
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  exampleRoute,
  type FleetWorld,
  queueOf,
  startFleetWorld,
} from "../lab/hosts/fleet-world.ts";
import type { MailSystem } from "../lab/mail-system.ts";
import { SmtpDialogue } from "../lab/smtp-dialogue.ts";
import { testNet as net } from "../lab/test-net.ts";

let world: FleetWorld;
let contoso: MailSystem;
let fabrikam: MailSystem;

const outside = `${net}.6.1`;
const until = { timeout: 30_000, interval: 200 };
const refused = /^421 4\.3\.2 .*This host takes no more mail/;
const content = "Subject: test\r\n\r\nHello.\r\n";

beforeAll(async () => {
  world = await startFleetWorld({ net, slots: 1 });
  contoso = await addTenant("contoso", `${net}.2.1`);
  fabrikam = await addTenant("fabrikam", `${net}.2.2`);
}, 240_000);

afterAll(() => world?.[Symbol.asyncDispose]());

async function addTenant(name: string, address: string): Promise<MailSystem> {
  const domain = `${name}.test`;
  const system = await world.addMailSystem({ name: `mail.${domain}`, address, domains: [domain] });
  await world.addDomain(domain);
  const identities = [{ kind: "network", network: `${address}/32` }] as const;
  await world.fleet.activate([exampleRoute(domain, { identities })]);
  return system;
}

/** From the outside to smtp-in, or from contoso's mail system to smtp-relay. */
async function open(side: "inbound" | "relay", port = 25): Promise<SmtpDialogue> {
  const address = world.slot("a")[side].public;
  const localAddress = side === "inbound" ? outside : contoso.address;
  const session = await SmtpDialogue.open({ address, port, localAddress });
  if (session.greeting.startsWith("220")) await session.hello();
  return session;
}

async function send(side: "inbound" | "relay", sender: string, recipient: string): Promise<string> {
  await using session = await open(side);
  return await session.deliver(sender, recipient, content);
}

/** A session in which the content of a message is being handed in. */
async function openInTheMiddle(side: "inbound" | "relay", sender: string, recipient: string) {
  const session = await open(side);
  for (const command of [`MAIL FROM:<${sender}>`, `RCPT TO:<${recipient}>`]) {
    expect(await session.say(command)).toMatch(/^250/);
  }
  expect(await session.say("DATA")).toMatch(/^354/);
  session.write("Subject: half\r\n");
  return session;
}

const report = async () => (await world.fleet.store.reports())[0];
const closing = async () => (await report())?.closing;

async function health() {
  const { stdout } = await world
    .slot("a")
    .host.exec(["curl", "--silent", "--max-time", "5", "http://127.0.0.1:8025/health"]);
  return stdout === "" ? undefined : JSON.parse(stdout);
}

function postfix(side: "in" | "relay", program: string, ...args: readonly string[]) {
  return world.slot("a").host.run([program, "-c", `/etc/postfix-${side}`, ...args]);
}

/** The relay side keeps what would go by MX, or not any more. */
async function keepAtRelay(keep: boolean): Promise<void> {
  const setting = keep ? ["defer_transports=smtp"] : ["-X", "defer_transports"];
  await postfix("relay", "postconf", ...setting);
  await postfix("relay", "postfix", "reload");
}

test("a slot that is told to close answers 421, in open sessions too, and empties its queues", async () => {
  contoso.refuse("recipient", "451 4.3.2 Try later");
  await keepAtRelay(true);
  expect(await send("inbound", "a@outside.test", "info@contoso.test")).toMatch(/^250/);
  // A letter of one tenant to another: it still has to pass from the relay side to the inbound one.
  expect(await send("relay", "info@contoso.test", "info@fabrikam.test")).toMatch(/^250/);
  await expect.poll(async () => (await report())?.queued, until).toBe(2);
  const half = await openInTheMiddle("inbound", "b@outside.test", "info@contoso.test");
  const halfOut = await openInTheMiddle("relay", "info@contoso.test", "b@outside.test");
  await using idle = await open("inbound");

  const mark = await world.fleet.store.closeSlot("a");
  await expect.poll(closing, until).toEqual({ mark, isClosed: false });
  for (const [side, port] of [
    ["inbound", 25],
    ["relay", 25],
    ["relay", 587],
  ] as const) {
    expect((await open(side, port)).greeting).toMatch(refused);
  }
  for (const session of [half, halfOut]) {
    session.write("\r\nHalf.\r\n.\r\n");
    expect(await session.reply()).toMatch(refused);
    expect(await session.reply()).toBe("");
  }
  expect(await idle.say("MAIL FROM:<c@outside.test>")).toMatch(refused);

  await expect.poll(closing, { ...until, timeout: 60_000 }).toEqual({ mark, isClosed: true });
  expect(await report()).toMatchObject({ healthy: true, queued: 2 });
  await keepAtRelay(false);
  contoso.refuse("recipient", undefined);
  const left = async () => {
    await postfix("relay", "postqueue", "-f");
    await postfix("in", "postqueue", "-f");
    return (await report())?.queued;
  };
  await expect.poll(left, { timeout: 60_000, interval: 2000 }).toBe(0);
  const arrived = () => [contoso.messages.length, fabrikam.messages.length];
  await expect.poll(arrived).toEqual([1, 1]);
  expect(contoso.messages.map(({ recipients }) => recipients)).toEqual([["info@contoso.test"]]);
  expect(fabrikam.messages.map(({ recipients }) => recipients)).toEqual([["info@fabrikam.test"]]);
  expect(await report()).toMatchObject({ healthy: true, closing: { mark, isClosed: true } });
  expect(await queueOf(world.slot("a"), "postfix-relay")).toEqual([]);
}, 240_000);

test("it stays closed without the store, across the agent's restart and the host's", async () => {
  const { host } = world.slot("a");
  await world.fleet.moto.pause();
  await host.run(["systemctl", "restart", "mxhero-gateway"], { timeout: 120 });
  await expect.poll(async () => (await health())?.closing, until).toBeDefined();
  expect((await open("inbound")).greeting).toMatch(refused);
  await host.kill();
  await host.boot();
  await expect.poll(async () => (await health())?.closing, until).toBeDefined();
  expect((await open("inbound")).greeting).toMatch(refused);
  expect((await open("relay")).greeting).toMatch(refused);
  world.fleet.moto.resume();
}, 180_000);

test("it takes mail again once it is told to", async () => {
  await world.fleet.store.openSlot("a");
  await expect.poll(closing, { ...until, timeout: 60_000 }).toBeUndefined();
  expect(await send("inbound", "a@outside.test", "info@contoso.test")).toMatch(/^250/);
  expect(await send("relay", "info@contoso.test", "info@fabrikam.test")).toMatch(/^250/);
}, 120_000);
