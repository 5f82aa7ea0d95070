/** A route that is set inactive and active again, and that comes back from every state that it can be in. */
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import type { RouteRecord } from "../mail/route.ts";
import { inactiveTimes, leavingTimes, routeStage } from "../mail/route-life.ts";
import { type RouteLab, startRouteLab } from "./route-lab.ts";
import { failed, succeeded } from "./tenant.ts";
import { dead, sound } from "./test-agents.ts";

vi.setConfig({ testTimeout: 300_000, hookTimeout: 120_000 });

const SLOTS = ["a", "b"];
const DAY = 86_400_000;
const refusing = { proof: [{ action: "RCPT", outcome: "550 no" }], acknowledges: true } as const;

let lab: RouteLab;

beforeAll(async () => {
  lab = await startRouteLab(SLOTS);
});

afterAll(() => lab[Symbol.asyncDispose]());

afterEach(() => {
  for (const slot of SLOTS) lab.agents.behave(slot, sound);
});

async function recordOf(domain: string): Promise<RouteRecord> {
  const { record } = await lab.store.readDomain(domain);
  if (record === undefined) throw new Error(`There is no route of ${domain}`);
  return record;
}

function stageOf(record: RouteRecord): string {
  return routeStage(record, new Date());
}

function daysAgo(days: number): Date {
  return new Date(Date.now() - days * DAY);
}

test("one line sets it inactive, without a proof and on every slot; one line brings it back, proven", async () => {
  const domain = "paused.test";
  const stack = await lab.addStack("paused", [{ domain }]);
  await succeeded(stack.up());
  const before = await recordOf(domain);

  await lab.write(stack, [{ domain, inactive: true }]);
  const preview = await succeeded(stack.preview());
  expect(preview.text).toMatch(
    /Route of paused\.test: inactive: mail to and from the domain is put off from now on \(450 4\.7\.1\), and refused from 2\S+ \(550 5\.7\.1\), each time with https:\/\/help\.example\.com\/; the domain stays the organisation's, 2 slots \(a, b\) take it over/,
  );
  expect(await recordOf(domain)).toEqual(before);

  for (const slot of SLOTS) lab.agents.behave(slot, refusing);
  await succeeded(stack.up());
  const inactive = await recordOf(domain);
  expect(inactive).toMatchObject({ active: before.active, holder: before.holder });
  expect(inactive).not.toHaveProperty("proposed");
  expect(stageOf(inactive)).toBe("deferring");
  const { since = "", refuseFrom = "" } = inactive.inactive ?? {};
  expect(Date.parse(refuseFrom) - Date.parse(since)).toBe(2 * DAY);
  expect((await succeeded(stack.up())).text).toContain("unchanged");
  await succeeded(stack.refresh(["--expect-no-changes"]));

  await lab.write(stack, [{ domain }]);
  expect((await succeeded(stack.preview())).text).toContain(
    `active again (inactive since ${since}), 2 slots (a, b) will prove it`,
  );
  const { text } = await failed(stack.up());
  expect(text).toContain("RCPT → 550 no");
  expect(stageOf(await recordOf(domain))).toBe("deferring");
  for (const slot of SLOTS) lab.agents.behave(slot, sound);
  await succeeded(stack.up());
  const again = await recordOf(domain);
  expect(again).not.toHaveProperty("inactive");
  expect(again.active?.route).toEqual(before.active?.route);
});

test("a slot that did not take it over is named, and the same run goes on", async () => {
  const domain = "paused-lag.test";
  const stack = await lab.addStack("paused-lag", [{ domain }]);
  await succeeded(stack.up());
  await lab.write(stack, [{ domain, inactive: true }]);
  lab.agents.behave("b", dead);
  const shortWait = { env: { MXHERO_WAIT_SECONDS: "3" } };
  const { text } = await failed(stack.up([], shortWait));
  expect(text).toContain("only 1 of 2 slots have acknowledged it");
  const { inactive } = await recordOf(domain);
  lab.agents.behave("b", sound);
  await succeeded(stack.up());
  expect((await recordOf(domain)).inactive).toEqual(inactive);
});

test("what someone else has set inactive shows in a refresh, and comes back", async () => {
  const domain = "paused-else.test";
  const stack = await lab.addStack("paused-else", [{ domain }]);
  await succeeded(stack.up());
  const record = await recordOf(domain);
  await lab.store.writeRoute({ ...record, inactive: inactiveTimes(new Date()) }, record.revision);
  await succeeded(stack.refresh());
  expect((await succeeded(stack.preview())).text).toContain("active again (inactive since ");
  await succeeded(stack.up());
  expect(await recordOf(domain)).not.toHaveProperty("inactive");
});

test("a domain that the gateway does not serve cannot be inactive", async () => {
  const domain = "paused-new.test";
  const stack = await lab.addStack("paused-new", [{ domain, inactive: true }]);
  for (const run of [stack.preview(), stack.up()]) {
    expect((await failed(run)).text).toContain("(inactive-without-route");
  }
  expect((await lab.store.readDomain(domain)).record).toBeUndefined();
});

/** What the clock would have made of a route that was given up, or set inactive, some days ago. */
const STATES: readonly { readonly stage: string; readonly change: Partial<RouteRecord> }[] = [
  { stage: "leaving", change: { leaving: leavingTimes(daysAgo(1)) } },
  { stage: "deferring", change: { leaving: leavingTimes(daysAgo(8)) } },
  { stage: "refusing", change: { leaving: leavingTimes(daysAgo(20)) } },
  { stage: "expired", change: { leaving: leavingTimes(daysAgo(50)) } },
  { stage: "deferring", change: { inactive: inactiveTimes(daysAgo(1)) } },
  { stage: "refusing", change: { inactive: inactiveTimes(daysAgo(100)) } },
  {
    stage: "refusing",
    change: { leaving: leavingTimes(daysAgo(1)), inactive: inactiveTimes(daysAgo(3)) },
  },
];

async function makeOlder(domain: string, change: Partial<RouteRecord>): Promise<RouteRecord> {
  const { leaving: _, inactive: __, ...given } = await recordOf(domain);
  return lab.store.writeRoute({ ...given, ...change }, given.revision);
}

test.each(STATES.map((state, index) => ({ ...state, label: `again${index}` })))(
  "onboarding again from $stage ($label): what was stays until it is proven, then it serves",
  async ({ stage, change, label }) => {
    const domain = `${label}.test`;
    const first = await lab.addStack(label, [{ domain }]);
    await succeeded(first.up());
    if (change.leaving !== undefined) await succeeded(first.destroy());
    await makeOlder(domain, change);
    expect(stageOf(await recordOf(domain))).toBe(stage);

    // Who has left comes by another stack of the organisation. A change is refused first.
    const entry = { domain, server: `new.${domain}` };
    const again = change.leaving ? await lab.addStack(`${label}-next`, [entry]) : first;
    await lab.write(again, [entry]);
    for (const slot of SLOTS) lab.agents.behave(slot, refusing);
    await failed(again.up());
    expect(stageOf(await recordOf(domain))).toBe(stage === "expired" ? "proposed" : stage);
    for (const slot of SLOTS) lab.agents.behave(slot, sound);
    await succeeded(again.up());
    const back = await recordOf(domain);
    expect(back.active?.route.server).toBe(`new.${domain}`);
    expect(stageOf(back)).toBe("active");
    expect(back).not.toHaveProperty("leaving");
    expect(back).not.toHaveProperty("inactive");
    await succeeded(again.destroy());
    expect(stageOf(await recordOf(domain))).toBe("leaving");
  },
);

test("another organisation gets the domain once it has expired, and not before", async () => {
  const domain = "passed-on.test";
  const stack = await lab.addStack("passed-on", [{ domain }]);
  await succeeded(stack.up());
  await succeeded(stack.destroy());
  const other = await lab.addStack("successor", [{ domain, organisation: "fabrikam" }]);
  for (const { change } of STATES.filter(({ stage }) => stage !== "expired")) {
    const now = await makeOlder(domain, change);
    const { text } = await failed(other.up());
    expect(text).toContain("(domain-held");
    expect(await recordOf(domain)).toEqual(now);
  }
  const inactive = inactiveTimes(daysAgo(100));
  await makeOlder(domain, { leaving: leavingTimes(daysAgo(50)), inactive });
  await succeeded(other.up());
  const theirs = await recordOf(domain);
  expect(theirs).toMatchObject({ holder: { organisation: "fabrikam" } });
  expect(stageOf(theirs)).toBe("active");
  // What was inactive under the former owner is nothing to the new one.
  expect(theirs).not.toHaveProperty("inactive");
});
