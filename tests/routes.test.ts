/** A route's life: proposed, proven by every slot, active, acknowledged by every slot, and given up. */
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { leavingTimes } from "../mail/route-life.ts";
import { type RouteLab, startRouteLab } from "./route-lab.ts";
import { failed, succeeded } from "./tenant.ts";
import { dead, sound } from "./test-agents.ts";

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const SLOTS = ["a", "b", "c"];
const shortWait = { env: { MXHERO_WAIT_SECONDS: "3" } };

let lab: RouteLab;

beforeAll(async () => {
  lab = await startRouteLab(SLOTS);
});

afterAll(() => lab[Symbol.asyncDispose]());

afterEach(() => {
  for (const slot of SLOTS) lab.agents.behave(slot, sound);
});

async function recordOf(domain: string) {
  return (await lab.store.readDomain(domain)).record;
}

test("a new route, a change of it, and its end", async () => {
  const domain = "life.test";
  const stack = await lab.addStack("life", [{ domain }]);
  const preview = await succeeded(stack.preview());
  expect(preview.text).toContain(
    "Route of life.test: new, Server mail.life.test, MX Lookup off, Rcpt Lookup probe",
  );
  expect(preview.text).toContain("3 slots (a, b, c) will prove it");
  expect(await recordOf(domain)).toBeUndefined();

  await succeeded(stack.up());
  const first = await recordOf(domain);
  expect(first).toMatchObject({
    holder: { organisation: "contoso" },
    active: { version: 1, route: { server: "mail.life.test" } },
  });
  expect(first).not.toHaveProperty("proposed");
  const [resource] = (await stack.resources()).filter(({ type }) => type === "mxhero:index:Route");
  expect(resource).toMatchObject({ id: domain, outputs: { version: 1, slots: SLOTS } });

  await lab.write(stack, [{ domain, server: "b.life.test" }]);
  expect((await succeeded(stack.preview())).text).toContain(
    "Route of life.test: Server mail.life.test → b.life.test, 3 slots (a, b, c) will prove it",
  );
  await succeeded(stack.up());
  expect((await recordOf(domain))?.active).toMatchObject({ route: { server: "b.life.test" } });
  expect((await succeeded(stack.up())).text).toContain("unchanged");

  const { text } = await succeeded(stack.destroy());
  expect(text).toContain("it still delivers and relays until");
  const last = await recordOf(domain);
  expect(last?.leaving).toBeDefined();
  expect(last?.active).toMatchObject({ route: { server: "b.life.test" } });
});

test("a slot that lags is named, and the next run goes on where this one stopped", async () => {
  const domain = "lag.test";
  const stack = await lab.addStack("lag", [{ domain }]);
  lab.agents.behave("c", dead);
  const { text } = await failed(stack.up([], shortWait));
  expect(text).toContain("2 of 3 slots have proven the route of lag.test, not yet c");
  expect(text).toContain("only 2 of 3 slots have proven it: c has never been heard of");
  expect(text).toContain("excludeSlots: [c]");
  expect(text).toContain("(slots-lag");
  expect((await recordOf(domain))?.active).toBeUndefined();

  lab.agents.behave("c", { proof: "trying", acknowledges: true });
  const again = await failed(stack.up([], shortWait));
  expect(again.text).toContain(
    "c still tries (connect mail.contoso.test (192.0.2.7) port 25 → 451",
  );
  const version = (await recordOf(domain))?.proposed?.version;

  lab.agents.behave("c", { proof: "proven", acknowledges: false });
  const third = await failed(stack.up([], shortWait));
  expect(third.text).toContain("only 2 of 3 slots have acknowledged it");
  lab.agents.behave("c", sound);
  await succeeded(stack.up());
  expect((await recordOf(domain))?.active?.version).toBe(version);
});

test("a dead slot is left out in so many words", async () => {
  const domain = "excluded.test";
  lab.agents.behave("c", dead);
  const stack = await lab.addStack("excluded", [{ domain, excludeSlots: ["c"] }]);
  const { text } = await succeeded(stack.up());
  expect(text).toContain("Route of excluded.test: c left out by excludeSlots");
  const [resource] = (await stack.resources()).filter(({ type }) => type === "mxhero:index:Route");
  expect(resource?.outputs).toMatchObject({ slots: ["a", "b"] });
  // What is left out is no change of the route.
  await lab.write(stack, [{ domain }]);
  expect((await succeeded(stack.up([], shortWait))).text).toContain("unchanged");
  await lab.write(stack, [{ domain, excludeSlots: SLOTS, server: "b.excluded.test" }]);
  expect((await failed(stack.preview())).text).toContain("All slots of the gateway (a, b, c)");
});

test("a change that a slot refuses shows the dialogue, and what served goes on serving", async () => {
  const domain = "refused.test";
  const stack = await lab.addStack("refused", [{ domain }]);
  await succeeded(stack.up());
  const before = (await recordOf(domain))?.active;

  const action = "RCPT TO:<info@refused.test>";
  const outcome = "550 5.1.1 no such user";
  lab.agents.behave("b", { proof: [{ action, outcome }], acknowledges: true });
  await lab.write(stack, [{ domain, server: "b.refused.test" }]);
  const { text } = await failed(stack.up());
  expect(text).toContain("Slot b:");
  expect(text).toContain(`${action} → ${outcome}`);
  expect(text).toContain("The former version goes on serving.");
  expect((await recordOf(domain))?.active).toEqual(before);

  // The mail system was mended: the same configuration is tried again.
  lab.agents.behave("b", sound);
  await succeeded(stack.up());
  expect((await recordOf(domain))?.active?.route.server).toBe("b.refused.test");

  // Or the change is taken back.
  lab.agents.behave("b", { proof: [{ action, outcome }], acknowledges: true });
  await lab.write(stack, [{ domain, server: "c.refused.test" }]);
  await failed(stack.up());
  await lab.write(stack, [{ domain, server: "b.refused.test" }]);
  await succeeded(stack.up());
  const record = await recordOf(domain);
  expect(record?.active?.route.server).toBe("b.refused.test");
  expect(record).not.toHaveProperty("proposed");
});

test("another organisation is refused in the preview, and is not told whose the domain is", async () => {
  const domain = "owned.test";
  const stack = await lab.addStack("owner", [{ domain, organisation: "northwind" }]);
  await succeeded(stack.up());
  const before = await recordOf(domain);
  const sending = { outbound: "standard", nextHops: "private" };
  const sender = await lab.addStack("sender", [
    {
      domain: "sender.test",
      organisation: "northwind",
      ...sending,
      sendingFrom: ["10.20.30.0/24"],
    },
  ]);
  await succeeded(sender.up());

  for (const [name, entry, reason] of [
    ["thief", { domain }, "Another organisation holds owned.test"],
    ["sub", { domain: "sub.owned.test" }, "A domain above sub.owned.test is held"],
    [
      "spoofer",
      { domain: "spoofer.test", ...sending, sendingFrom: ["10.20.30.7"] },
      "overlaps with a sending identity of another organisation",
    ],
  ] as const) {
    const other = await lab.addStack(name, [{ ...entry, organisation: "fabrikam" }]);
    for (const run of [other.preview(), other.up()]) {
      const { text } = await failed(run);
      expect(text).toContain(reason);
      expect(text).not.toContain("northwind");
    }
  }
  expect(await recordOf(domain)).toEqual(before);
  expect(await recordOf("sub.owned.test")).toBeUndefined();
});

test("another name, and another stack of the organisation: the route goes on as it is", async () => {
  const domain = "renamed.test";
  const stack = await lab.addStack("renamed", [{ domain }]);
  await succeeded(stack.up());
  const before = (await recordOf(domain))?.active;

  await lab.write(stack, [{ domain, name: "other-name" }]);
  const { text } = await succeeded(stack.up());
  expect(text).toContain("another resource of the organisation holds it, too");
  expect((await recordOf(domain))?.active).toEqual(before);
  expect((await recordOf(domain))?.holder.claims).toHaveLength(1);

  const second = await lab.addStack("second", [{ domain }]);
  await succeeded(second.up());
  expect((await recordOf(domain))?.holder.claims).toHaveLength(2);
  await succeeded(stack.destroy());
  expect(await recordOf(domain)).toMatchObject({ active: before });
  expect(await recordOf(domain)).not.toHaveProperty("leaving");
  await succeeded(second.destroy());
  expect(await recordOf(domain)).toHaveProperty("leaving");
});

test("a route that is leaving comes back, and one that has expired begins anew", async () => {
  const domain = "back.test";
  const stack = await lab.addStack("back", [{ domain }]);
  await succeeded(stack.up());
  await succeeded(stack.destroy());
  const times = (await recordOf(domain))?.leaving;
  expect(times).toBeDefined();
  expect((await succeeded(stack.preview())).text).toContain("(it was leaving, and stays)");
  await succeeded(stack.up());
  expect(await recordOf(domain)).not.toHaveProperty("leaving");

  const active = await recordOf(domain);
  if (active === undefined) throw new Error("the route is gone");
  const leaving = leavingTimes(new Date("2020-01-01"));
  await lab.store.writeRoute({ ...active, leaving }, active.revision);
  const other = await lab.addStack("next-owner", [{ domain, organisation: "fabrikam" }]);
  expect((await succeeded(other.preview())).text).toContain("Route of back.test: new, Server");
  await succeeded(other.up());
  expect(await recordOf(domain)).toMatchObject({ holder: { organisation: "fabrikam" } });
  // What the former owner still has in its state is not its own any more.
  const { text } = await succeeded(stack.destroy());
  expect(text).toContain("this resource does not hold it any more. It was left as it is.");
  expect(await recordOf(domain)).not.toHaveProperty("leaving");
});

test("a refresh tells what others did; an import takes over what serves", async () => {
  const domain = "seen.test";
  const stack = await lab.addStack("seen", [{ domain }]);
  await succeeded(stack.up());
  await succeeded(stack.refresh(["--expect-no-changes"]));
  const record = await recordOf(domain);
  if (record?.active === undefined) throw new Error("nothing serves");
  const route = { ...record.active.route, server: "elsewhere.test" };
  const { revision } = record;
  await lab.store.writeRoute({ ...record, active: { version: 2, route } }, revision);
  await succeeded(stack.refresh());
  expect((await succeeded(stack.preview())).text).toContain(
    "Server elsewhere.test → mail.seen.test",
  );
  await succeeded(stack.up());
  expect((await recordOf(domain))?.active?.route.server).toBe("mail.seen.test");

  const { region, table } = lab.options;
  const other = await lab.addStack("importer", []);
  const id = `${domain}/${region}/${table}/mxhero/example`;
  const args = ["import", "mxhero:index:Route", domain, id, "--yes", "--generate-code=false"];
  const { text } = await succeeded(other.run(args));
  expect(text).toContain("is imported with the claim");
  await lab.write(other, [{ domain }]);
  await succeeded(other.up());
  expect((await recordOf(domain))?.active?.route.server).toBe("mail.seen.test");
  expect((await failed(other.run(args.with(2, "bad").with(3, domain)))).text).toContain(
    "import-without-store",
  );
});
