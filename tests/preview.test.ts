/** What is read in a pull request: previews with the real reads, and what a refresh finds. */
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import {
  failed,
  mx,
  startTenantLab,
  succeeded,
  type TenantLab,
  type TenantStack,
  type TenantZone,
  txt,
} from "./tenant.ts";

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let lab: TenantLab;
let zone: TenantZone;
let stack: TenantStack;

/** One stack for all tests: the first ones see it before `up`, the others after it. */
beforeAll(async () => {
  lab = await startTenantLab();
  zone = await lab.addZone("preview.test", [
    mx("preview.test", 10, "mail.preview.test"),
    txt("preview.test", "v=spf1 a:mail.preview.test include:_spf.marketing.test -all"),
  ]);
  stack = await lab.addStack("preview", { domains: [{ name: "preview.test" }] });
});

afterAll(() => lab[Symbol.asyncDispose]());

test("a preview shows MX and SPF before and after, and who uses how many lookups", async () => {
  const { cloudflare } = lab.world;
  cloudflare.clearLogs();
  const { text } = await succeeded(stack.preview());
  expect(text).toContain("MX of preview.test: 10 mail.preview.test. → 10 smtp-in.gateway.test.");
  expect(text).toContain(
    "v=spf1 a:mail.preview.test include:_spf.marketing.test -all → v=spf1 a:mail.preview.test include:_spf.marketing.test include:_spf.gateway.test -all",
  );
  expect(text).toContain(
    "6 of 10 lookups: include:_spf.marketing.test 4, a:mail.preview.test 1, include:_spf.gateway.test 1",
  );
  expect(text).toMatch(/before: "sender → MX 10 mail\.preview\.test"/);
  expect(text).toMatch(/after : "sender → MX 10 smtp-in\.gateway\.test → gateway → /);
  expect(cloudflare.requests.length).toBeGreaterThan(0);
  expect(cloudflare.commits).toEqual([]);
});

test("without a token it still previews, and says what it could not read", async () => {
  lab.world.cloudflare.clearLogs();
  const { text } = await succeeded(stack.preview([], { env: { CLOUDFLARE_API_TOKEN: undefined } }));
  expect(text).toMatch(/MX of preview\.test not read: No Cloudflare API token was given/);
  expect(text).toMatch(/Planned, but not checked against the zone: 10 smtp-in\.gateway\.test\./);
  expect(text).toMatch(/SPF of preview\.test not read: .*add include:_spf\.gateway\.test/);
  expect(lab.world.cloudflare.requests).toEqual([]);
});

test("a preview refuses what up would refuse", async () => {
  await lab.addZone("refused.test", [mx("refused.test", 10, "mail.refused.test")]);
  const other = await lab.addStack("refused", { domains: [{ name: "refused.test" }] });
  const { text } = await failed(other.preview());
  expect(text).toMatch(/has no SPF record to put include:_spf\.gateway\.test into/);
});

test("once it is up, a preview asks nothing, and a refresh at most twice", async () => {
  const { cloudflare } = lab.world;
  await succeeded(stack.up());
  cloudflare.clearLogs();
  const preview = await succeeded(stack.preview(["--expect-no-changes"]));
  expect(preview.text).toMatch(/6 unchanged/);
  expect(cloudflare.requests).toEqual([]);

  await succeeded(stack.refresh(["--expect-no-changes"]));
  expect(cloudflare.requests.length).toBeGreaterThan(0);
  expect(cloudflare.requests.length).toBeLessThanOrEqual(2);
  expect(cloudflare.commits).toEqual([]);
});

test("a preview of a bypass says where the mail will go", async () => {
  await stack.write({ domains: [{ name: "preview.test", bypass: true }] });
  const { text } = await succeeded(stack.preview(["--diff"]));
  expect(text).toContain("MX of preview.test: 10 smtp-in.gateway.test. → 10 mail.preview.test.");
  expect(text).toMatch(/~ bypass\s*: false => true/);
  await stack.write({ domains: [{ name: "preview.test" }] });
});

test("a preview without a token also works for what is up already", async () => {
  const env = { CLOUDFLARE_API_TOKEN: undefined };
  await stack.write({ domains: [{ name: "preview.test", bypass: true }] });
  const { text } = await succeeded(stack.preview([], { env }));
  expect(text).toMatch(/MX of preview\.test not read: No Cloudflare API token was given/);
  await stack.write({ domains: [{ name: "preview.test" }] });
});

test("a refresh shows what someone changed, and up mends it", async () => {
  const { cloudflare } = lab.world;
  const held = zone.snapshot();
  const spf = held.find(({ content }) => content.startsWith('"v=spf1'));
  if (spf === undefined) throw new Error("no SPF record");
  await cloudflare.edit(zone.id, {
    remove: [spf, mx("preview.test", 10, "smtp-in.gateway.test")],
    add: [
      { ...spf, content: spf.content.replace(" include:_spf.gateway.test", "") },
      mx("preview.test", 10, "mail.preview.test"),
    ],
  });
  const drift = await failed(
    stack.run(["refresh", "--preview-only", "--diff", "--expect-no-changes"]),
  );
  expect(drift.text).toMatch(/smtp-in\.gateway\.test"? => "?mail\.preview\.test/);
  expect(drift.text).toMatch(
    /include:_spf\.gateway\.test -all" => "v=spf1 .*marketing\.test -all"/,
  );

  await succeeded(stack.refresh());
  await succeeded(stack.up());
  const exchanges = zone.snapshot().filter(({ type }) => type === "MX");
  expect(exchanges).toEqual([expect.objectContaining({ content: "smtp-in.gateway.test" })]);
  expect(zone.snapshot()).toContainEqual(spf);
  await succeeded(stack.refresh(["--expect-no-changes"]));
});
