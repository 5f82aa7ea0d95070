/** The zone is made anew, or its records are read-only by then: every run goes on, or says how to. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { failed, mx, startTenantLab, succeeded, type TenantLab, txt } from "./tenant.ts";

let lab: TenantLab;

beforeAll(async () => {
  lab = await startTenantLab();
});

afterAll(() => lab[Symbol.asyncDispose]());

test("a zone that was made anew is found again when its zoneId is given", {
  timeout: 120_000,
}, async () => {
  const records = [mx("moved.test", 10, "mail.moved.test"), txt("moved.test", "v=spf1 -all")];
  const zone = await lab.addZone("moved.test", records);
  const entry = { name: "moved.test", overlapSeconds: 0 };
  const stack = await lab.addStack("moved", { domains: [entry] });
  await succeeded(stack.up());
  const taken = zone.snapshot();

  await lab.world.cloudflare.removeZone(zone.id);
  const id = await lab.world.cloudflare.addZone({ name: "moved.test" });
  await lab.world.cloudflare.seed(id, taken);
  expect((await failed(stack.refresh())).text).toMatch(/zoneId or credential.*\(zone-gone/s);

  await stack.write({ domains: [{ ...entry, zoneId: id }] });
  await succeeded(stack.up());
  await succeeded(stack.destroy());
  const left = lab.world.cloudflare.snapshot(id).map(({ type, content }) => `${type} ${content}`);
  expect(left.filter((record) => /^MX|mxhero|spf/.test(record))).toEqual([
    "MX mail.moved.test",
    'TXT "v=spf1 -all"',
  ]);
});

test("terms of the tenant's own stay when the journal was deleted", {
  timeout: 120_000,
}, async () => {
  const record = "v=spf1 mx a:mail.own.test -all";
  const records = [mx("own.test", 10, "mail.own.test"), txt("own.test", record)];
  const zone = await lab.addZone("own.test", records);
  const spf = { replaceMx: ["a:mail.own.test"] };
  const stack = await lab.addStack("own", {
    domains: [{ name: "own.test", overlapSeconds: 0, spf }],
  });
  await succeeded(stack.up());
  const journal = zone.snapshot().filter(({ content }) => content.includes("kind=spf"));
  expect(journal).toHaveLength(1);
  await lab.world.cloudflare.edit(zone.id, { remove: journal });

  await succeeded(stack.destroy());
  const texts = zone.snapshot().filter(({ type }) => type === "TXT");
  expect(texts.map(({ content }) => content)).toEqual([`"${record}"`]);
});

test("a read-only MX that came later does not keep our term in the record", {
  timeout: 120_000,
}, async () => {
  const records = [txt("sending.test", "v=spf1 -all")];
  const zone = await lab.addZone("sending.test", records);
  const entry = { name: "sending.test", inbound: "none" } as const;
  const stack = await lab.addStack("sending", { domains: [entry] });
  await succeeded(stack.up());
  const routed = { ...mx("sending.test", 10, "route1.mx.cloudflare.test"), readOnly: true };
  await lab.world.cloudflare.edit(zone.id, { add: [routed] });

  await succeeded(stack.destroy());
  const texts = zone.snapshot().filter(({ type }) => type === "TXT");
  expect(texts.map(({ content }) => content)).toEqual(['"v=spf1 -all"']);
});
