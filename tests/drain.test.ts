/** A domain leaves the gateway only once nothing more goes out through it, with the real engine. */
import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { inactiveTimes } from "../mail/route-life.ts";
import { type RoutingGateway, type RoutingLab, SLOTS, startRoutingLab } from "./routing-lab.ts";
import {
  failed,
  gatewayTerm,
  mxOf,
  spfOf,
  succeeded,
  type TenantStack,
  type TenantZone,
} from "./tenant.ts";

vi.setConfig({ testTimeout: 400_000, hookTimeout: 120_000 });

const DAY = 86_400;
const HOUR = 3_600;

let lab: RoutingLab;
let fleet: RoutingGateway;

beforeAll(async () => {
  lab = await startRoutingLab();
  fleet = await lab.addGateway("fleet");
});

afterAll(() => lab[Symbol.asyncDispose]());

beforeEach(() => {
  for (const slot of SLOTS) fleet.reports.set(slot, {});
});

interface Onboarded {
  readonly stack: TenantStack;
  readonly zone: TenantZone;
}

/** A domain on the gateway. */
async function onboard(name: string, domain: object = {}): Promise<Onboarded> {
  const zone = await lab.addZone(`${name}.test`);
  const entry = { name: `${name}.test`, quietSeconds: DAY, ...domain };
  const stack = await lab.addStack(name, fleet, [entry]);
  await succeeded(stack.up([], lab.options));
  return { stack, zone };
}

function withEnv(more: Readonly<Record<string, string>>) {
  return { env: { ...lab.options.env, ...more } };
}

function stopped(domain: string) {
  return withEnv({ MXHERO_OUTBOUND_STOPPED: domain });
}

test("who still sends is told, and all works: the MX is back, SPF and route stand; then it goes on", async () => {
  const domain = "sending.test";
  const { stack, zone } = await onboard("sending");
  await fleet.sent(domain, HOUR, 27);
  const { text } = await failed(stack.destroy([], lab.options));
  expect(text).toMatch(
    /sending\.test still sends through the gateway: 27 messages between .* and /,
  );
  expect(text).toContain("from 11.22.33.44.");
  expect(text).toContain("It must have been quiet for 24 h.");
  expect(text).toContain("the Send Connector with the smart host smtp-relay.gateway.test");
  expect(text).toContain(`MXHERO_OUTBOUND_STOPPED=${domain}`);
  // A day after the last message, which was an hour ago.
  const [, when = ""] = /run the same command again at (\S+) or later/.exec(text) ?? [];
  const { answers } = await fleet.store.readDomain(domain);
  const last = answers.find(({ slot }) => slot === "a")?.lastOutbound?.at ?? "";
  const seconds = (Date.parse(when) - Date.parse(last)) / 1000;
  expect(seconds).toBeGreaterThanOrEqual(DAY);
  expect(seconds).toBeLessThan(DAY + 60);
  expect(mxOf(zone)).toEqual([`mail.${domain}`]);
  expect(spfOf(zone)).toContain(gatewayTerm);
  expect(await fleet.recordOf(domain)).not.toHaveProperty("leaving");

  await failed(stack.destroy([], lab.options));
  // What was quiet before the run counts.
  await fleet.sent(domain, DAY + HOUR, 27);
  await succeeded(stack.destroy([], lab.options));
  expect(spfOf(zone)).not.toContain(gatewayTerm);
  expect(await fleet.recordOf(domain)).toHaveProperty("leaving");
});

test("it waits where the rest fits into the bound, and each message moves the time", async () => {
  const domain = "waiting.test";
  const { stack, zone } = await onboard("waiting", { quietSeconds: 8 });
  const run = stack.start(["destroy", "--yes", "--skip-preview"], lab.options);
  let last = Date.now();
  const sendAndLook = async () => {
    last = Date.now();
    await fleet.sent(domain, 0);
    return run.output();
  };
  // Mail goes out until the run waits for its end, however long it takes to get there.
  await expect
    .poll(sendAndLook, { timeout: 120_000, interval: 500 })
    .toContain("waiting until outbound mail is quiet");
  const { exitCode } = await run.result;
  expect(exitCode).toBe(0);
  expect(Date.now() - last).toBeGreaterThanOrEqual(8_000);
  expect(spfOf(zone)).not.toContain(gatewayTerm);
});

test("mail that waits in a slot's queue is waited for, and the run stops where that takes too long", async () => {
  const domain = "queued.test";
  const { stack, zone } = await onboard("queued");
  await fleet.queued(domain, 2);
  const { text } = await failed(stack.destroy([], withEnv({ MXHERO_WAIT_SECONDS: "3" })));
  expect(text).toContain("outbound-still-queued");
  expect(text).toMatch(/2 messages in the queue of slot a, the oldest since 20\d\d-/);
  expect(spfOf(zone)).toContain(gatewayTerm);
  expect(await fleet.recordOf(domain)).not.toHaveProperty("leaving");

  const run = stack.start(["destroy", "--yes", "--skip-preview"], lab.options);
  await expect
    .poll(() => run.output(), { timeout: 60_000 })
    .toContain("waiting until all is delivered that it has sent: 2 messages");
  await fleet.queued(domain, 0);
  expect((await run.result).exitCode).toBe(0);
  expect(spfOf(zone)).not.toContain(gatewayTerm);
  expect(await fleet.recordOf(domain)).toHaveProperty("leaving");
});

test("a mail system that still hands inbound mail over is told so, at the end and where it is to stop", async () => {
  const domain = "handing.test";
  const entry = { name: domain, inbound: "loopback", outbound: "none", quietSeconds: DAY } as const;
  const { stack } = await onboard("handing", entry);
  await fleet.handedOver(domain, HOUR);
  const ended = await failed(stack.destroy([], lab.options));
  expect(ended.text).toContain("inbound-still-handed-over");
  expect(ended.text).toMatch(
    /Mail for handing\.test is still handed over to the gateway: mail at /,
  );
  expect(ended.text).toContain("the Send Connector with the smart host smtp-in.gateway.test");
  expect(await fleet.recordOf(domain)).not.toHaveProperty("leaving");

  const sends = { name: domain, inbound: "none", quietSeconds: DAY } as const;
  await lab.write(stack, fleet, [sends]);
  expect((await succeeded(stack.preview([], lab.options))).text).toContain("is still handed over");
  expect((await failed(stack.up([], lab.options))).text).toContain("inbound-still-handed-over");
  expect((await fleet.recordOf(domain))?.active?.route.inbound).toBe(true);
  await fleet.handedOver(domain, DAY + 3 * 60);
  await succeeded(stack.up([], lab.options));
  expect((await fleet.recordOf(domain))?.active?.route.inbound).toBe(false);
});

test("who hands inbound mail over no more, for the MX lead to the gateway, is not asked for it", async () => {
  const domain = "leads.test";
  const entry = { name: domain, outbound: "none", quietSeconds: DAY } as const;
  const { stack, zone } = await onboard("leads", { ...entry, inbound: "loopback" });
  await fleet.handedOver(domain, HOUR);
  await lab.write(stack, fleet, [{ ...entry, inbound: "border" }]);
  await succeeded(stack.up([], lab.options));
  expect(mxOf(zone)).toEqual(["smtp-in.gateway.test"]);
  expect((await succeeded(stack.up([], lab.options))).text).toContain("unchanged");
});

test("mail that an inactive domain's senders try again is not refused by another change", async () => {
  const domain = "inactive.test";
  const entry = { name: domain, quietSeconds: DAY, inactive: true };
  const { stack, zone } = await onboard("inactive");
  await lab.write(stack, fleet, [entry]);
  await succeeded(stack.up([], lab.options));
  await fleet.sent(domain, HOUR);
  await lab.write(stack, fleet, [{ ...entry, inbound: "none" }]);
  expect((await failed(stack.up([], lab.options))).text).toContain("inbound-still-led-here");
  await lab.write(stack, fleet, [{ ...entry, sendingFrom: ["55.66.77.88"] }]);
  expect((await failed(stack.up([], lab.options))).text).toContain("outbound-still-sending");
  await lab.write(stack, fleet, [entry]);
  expect((await failed(stack.destroy([], lab.options))).text).toContain("outbound-still-sending");
  await fleet.sent(domain, DAY + HOUR);

  // Once it is refused, only what came before matters.
  const record = await fleet.recordOf(domain);
  if (record === undefined) throw new Error("There is no route");
  const inactive = inactiveTimes(new Date(Date.now() - 3 * DAY * 1000));
  await fleet.store.writeRoute({ ...record, inactive }, record.revision);
  await fleet.sent(domain, HOUR);
  await fleet.queued(domain, 1);
  const impatient = withEnv({ MXHERO_WAIT_SECONDS: "3" });
  expect((await failed(stack.destroy([], impatient))).text).toContain("outbound-still-queued");
  expect(spfOf(zone)).toContain(gatewayTerm);
  await fleet.queued(domain, 0);
  await succeeded(stack.destroy([], lab.options));
  expect(spfOf(zone)).not.toContain(gatewayTerm);
});

test("where nobody asks, what waits in a slot's queue is told", async () => {
  const domain = "unasked.test";
  const { stack, zone } = await onboard("unasked");
  await fleet.queued(domain, 2);
  const { text } = await succeeded(stack.destroy([], stopped(domain)));
  expect(text).toMatch(/Some mail of unasked\.test waits at the gateway: 2 messages in the queue/);
  expect(spfOf(zone)).not.toContain(gatewayTerm);
});

test("a wait can be cancelled, and the next run goes on", async () => {
  const domain = "cancelled.test";
  const { stack, zone } = await onboard("cancelled", { quietSeconds: 300 });
  await fleet.sent(domain, 1);
  const run = stack.start(["destroy", "--yes", "--skip-preview"], lab.options);
  await expect
    .poll(() => run.output(), { timeout: 60_000 })
    .toContain("waiting until outbound mail is quiet");
  run.kill("SIGINT");
  const { exitCode, stdout, stderr } = await run.result;
  expect(exitCode).toBe(255);
  expect(stdout + stderr).toContain("The run was cancelled");
  expect(spfOf(zone)).toContain(gatewayTerm);
  await fleet.sent(domain, 301);
  await succeeded(stack.destroy([], lab.options));
});

test("who never sent leaves at once, and so does who leaves from the file alone", async () => {
  const { stack, zone } = await onboard("silent");
  const other = await lab.addZone("other.test");
  const entries = ["silent.test", "other.test"].map((name) => ({ name, quietSeconds: DAY }));
  await lab.write(stack, fleet, entries);
  await succeeded(stack.up([], lab.options));
  await fleet.sent("other.test", HOUR);
  await lab.write(stack, fleet, entries.slice(0, 1));
  // The administrator's word is for the domain that it names, and for this run.
  expect((await failed(stack.up([], stopped("silent.test")))).text).toContain(
    "outbound-still-sending",
  );
  expect(spfOf(other)).toContain(gatewayTerm);
  const { text } = await succeeded(stack.up([], stopped("Other.test")));
  expect(text).toContain("MXHERO_OUTBOUND_STOPPED names it");
  expect(spfOf(other)).not.toContain(gatewayTerm);
  expect(spfOf(zone)).toContain(gatewayTerm);
  await succeeded(stack.destroy([], lab.options));
});

test("a slot that has told nothing lately cannot vouch that nothing passed it", async () => {
  const { stack, zone } = await onboard("unknown");
  const before = new Date(Date.now() - HOUR * 1000).toISOString();
  fleet.reports.set("b", { heartbeat: before, toldUntil: before });
  const { text } = await failed(stack.destroy([], withEnv({ MXHERO_WAIT_SECONDS: "3" })));
  expect(text).toContain(`slot b has told of mail until ${before} only`);
  expect(text).toContain("outbound-not-known");
  expect(spfOf(zone)).toContain(gatewayTerm);
  // Its agent looks at the log again: what passed it meanwhile counts.
  fleet.reports.set("b", {});
  await succeeded(stack.destroy([], lab.options));
});

test("where another stack of the organisation holds the domain, too, nothing is waited for", async () => {
  const domain = "moved.test";
  const { stack, zone } = await onboard("moved");
  const second = await lab.addStack("moved-to", fleet, [{ name: domain, quietSeconds: DAY }]);
  await succeeded(second.up([], lab.options));
  await fleet.sent(domain, 1);
  await succeeded(stack.destroy([], lab.options));
  expect(spfOf(zone)).toContain(gatewayTerm);
  expect(await fleet.recordOf(domain)).not.toHaveProperty("leaving");
  expect((await failed(second.destroy([], lab.options))).text).toContain("outbound-still-sending");
  await fleet.sent(domain, DAY + 60);
  await succeeded(second.destroy([], lab.options));
});

test("of a gateway that nobody here can ask, the administrator must say it", async () => {
  const domain = "hosted.test";
  const zone = await lab.addZone(domain);
  const { tenants } = lab;
  const google = { name: domain, mailSystem: "google", quietSeconds: DAY } as const;
  const stack = await tenants.addStack("hosted", { domains: [google] });
  await succeeded(stack.up());
  const { text } = await failed(stack.destroy());
  expect(text).toContain("outbound-stop-unconfirmed");
  expect(text).toContain("the outbound gateway smtp-relay.gateway.test, or the routing rules");
  expect(mxOf(zone)).toEqual([`mail.${domain}`]);
  expect(spfOf(zone)).toContain(gatewayTerm);
  await succeeded(stack.destroy([], { env: { MXHERO_OUTBOUND_STOPPED: domain } }));
  expect(spfOf(zone)).not.toContain(gatewayTerm);
});
