/** Another name, another stack, another token: none of them hands a live domain back. */
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import {
  failed,
  gatewayMx,
  gatewayTerm,
  mx,
  startTenantLab,
  succeeded,
  type TenantLab,
  type TenantZone,
  txt,
} from "./tenant.ts";
import { assertNeverEmptyOrForeign, lastAnswers, watchNameServers } from "./watch-name-servers.ts";

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

/** The tenant's program, with a name of the component that a test can change. */
const program = `
import { Config } from "@pulumi/pulumi/config.js";
import { Tenant } from "./components/tenant.ts";
import { readTenantConfig } from "./config/read-tenant.ts";
import { planTenant } from "./config/tenant-plan.ts";
import { stackConfiguration } from "./stacks/configuration.ts";

export default async function program() {
  const name = new Config("test").get("name") ?? "tenant";
  const plan = planTenant(await readTenantConfig(stackConfiguration()));
  const { domains } = new Tenant(name, { plan });
  return { domains };
}
`;

let lab: TenantLab;

beforeAll(async () => {
  lab = await startTenantLab({ program });
});

afterAll(() => lab[Symbol.asyncDispose]());

function addZone(name: string): Promise<TenantZone> {
  return lab.addZone(name, [
    { ...mx(name, 10, `mail.${name}`), comment: "main" },
    txt(name, `v=spf1 a:mail.${name} -all`),
  ]);
}

function spfOf({ name, snapshot }: TenantZone): string[] {
  return snapshot()
    .filter((record) => record.name === name && record.content.startsWith('"v=spf1'))
    .map(({ content }) => content);
}

test("resources under another name take the domain over from those of before", async () => {
  const zone = await addZone("renamed.test");
  const before = zone.snapshot();
  const domains = [{ name: "renamed.test" }];
  const stack = await lab.addStack("renamed", { domains });
  await succeeded(stack.up());

  await using held = watchNameServers(lab.world, "renamed.test");
  await stack.write({ domains, config: { "test:name": "customer" } });
  await succeeded(stack.up());
  const names = (await stack.resources()).map(({ urn }) => urn.split("::").at(-1));
  expect(names).toContain("customer-renamed.test-mx");
  expect(names).not.toContain("tenant-renamed.test-mx");
  expect(spfOf(zone)).toEqual([`"v=spf1 a:mail.renamed.test ${gatewayTerm} -all"`]);
  assertNeverEmptyOrForeign(await held.stop(), gatewayMx);

  await using handBack = watchNameServers(lab.world, "renamed.test");
  await succeeded(stack.destroy());
  expect(zone.snapshot()).toEqual(before);
  assertNeverEmptyOrForeign(await handBack.stop(), gatewayMx, ["10 mail.renamed.test"]);
});

test("a domain that moves to another stack stays on the gateway when it leaves the first", async () => {
  const moved = await addZone("moved.test");
  const stays = await addZone("stays.test");
  const before = [moved.snapshot(), stays.snapshot()];
  const first = await lab.addStack("first", {
    domains: [{ name: "moved.test" }, { name: "stays.test" }],
  });
  await succeeded(first.up());

  await using held = watchNameServers(lab.world, "moved.test");
  const second = await lab.addStack("second", { domains: [{ name: "moved.test" }] });
  await succeeded(second.up());
  await first.write({ domains: [{ name: "stays.test" }] });
  const { text } = await succeeded(first.up());
  expect(text).toMatch(
    /moved\.test stays where it is: another resource of "contoso" holds it, too/,
  );
  expect(spfOf(moved)).toEqual([`"v=spf1 a:mail.moved.test ${gatewayTerm} -all"`]);
  await succeeded(first.destroy());
  expect(stays.snapshot()).toEqual(before[1]);
  expect(spfOf(moved)).toEqual([`"v=spf1 a:mail.moved.test ${gatewayTerm} -all"`]);
  assertNeverEmptyOrForeign(await held.stop(), gatewayMx);

  await succeeded(second.destroy());
  expect(moved.snapshot()).toEqual(before[0]);
});

test("a stack of another organisation does not get the domain, and its destroy changes nothing", async () => {
  const zone = await addZone("other.test");
  const before = zone.snapshot();
  const own = await lab.addStack("own", { domains: [{ name: "other.test" }] });
  await succeeded(own.up());
  const held = zone.snapshot();
  const other = await lab.addStack("other", {
    organisation: "fabrikam",
    domains: [{ name: "other.test" }],
  });
  const { text } = await failed(other.up());
  expect(text).toMatch(/the organisation "contoso" holds the domain, not "fabrikam"/);
  await succeeded(other.destroy());
  expect(zone.snapshot()).toEqual(held);
  await succeeded(own.destroy());
  expect(zone.snapshot()).toEqual(before);
});

test("a token that was rotated between up and destroy", async () => {
  const { cloudflare } = lab.world;
  const zone = await addZone("rotated.test");
  const before = zone.snapshot();
  const former = cloudflare.addToken({ name: "former", zones: [zone.id] });
  const next = cloudflare.addToken({ name: "next", zones: [zone.id] });
  const stack = await lab.addStack("rotated", {
    domains: [{ name: "rotated.test" }],
    // It is stored with the provider in the state.
    config: { "mxhero:apiToken": former },
  });
  await using watch = watchNameServers(lab.world, "rotated.test");
  await succeeded(stack.up([], { env: { CLOUDFLARE_API_TOKEN: undefined } }));
  expect(lastAnswers(watch.log)).toEqual([gatewayMx, gatewayMx]);
  cloudflare.updateToken(former, { status: "expired" });

  const refused = await failed(stack.destroy([], { env: { CLOUDFLARE_API_TOKEN: undefined } }));
  expect(refused.text).toMatch(
    /Give CLOUDFLARE_API_TOKEN a valid token with Zone Read and DNS Write/,
  );
  expect(lastAnswers(watch.log)).toEqual([gatewayMx, gatewayMx]);

  cloudflare.clearLogs();
  const env = { CLOUDFLARE_API_TOKEN: next };
  await succeeded(stack.refresh([], { env }));
  await succeeded(stack.destroy([], { env }));
  expect(new Set(cloudflare.requests.map(({ token }) => token))).toEqual(new Set(["next"]));
  expect(zone.snapshot()).toEqual(before);
  assertNeverEmptyOrForeign(await watch.stop(), ["10 mail.rotated.test"], gatewayMx);
});
