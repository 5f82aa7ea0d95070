/** A takeover and an SPF term that exist are imported into a stack that does not know them. */
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import {
  failed,
  gatewayMx,
  gatewayTerm,
  mx,
  startTenantLab,
  succeeded,
  type TenantLab,
  type TenantStack,
  type TenantZone,
  txt,
} from "./tenant.ts";
import { assertNeverEmptyOrForeign, watchNameServers } from "./watch-name-servers.ts";

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

/** Both resources without components, as a program of somebody else's may have them. */
const program = `
import { Config } from "@pulumi/pulumi/config.js";
import { MxTakeover, SpfInclude } from "./provider/sdk.ts";

const config = new Config("test");
const domain = config.require("domain");
const zone = { organisation: "contoso", domain };
const mx = [{ exchange: "smtp-in.gateway.test", preference: 10 }];
const server = "mail." + domain;
const imported = (id) => (config.getBoolean("import") ? { import: id } : {});

export default async function program() {
  const spf = new SpfInclude(
    "spf",
    { ...zone, include: "_spf.gateway.test" },
    imported(domain + "/include:_spf.gateway.test"),
  );
  if (config.getBoolean("spfOnly")) return;
  const options = { dependsOn: [spf], ...imported(domain) };
  const args = { mx, server, overlapSeconds: 0, handBackConfirmed: true };
  new MxTakeover("mx", { ...zone, ...args }, options);
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

function addStack(name: string, config: Readonly<Record<string, string>>) {
  return lab.addStack(name, { domains: [], config });
}

/** On the gateway, by a stack whose state is gone. */
async function loseState(name: string, domain: string): Promise<void> {
  const lost = await addStack(name, { "test:domain": domain });
  await succeeded(lost.up());
  await succeeded(lost.run(["stack", "rm", "--yes", "--force", "--preserve-config"]));
}

async function importBoth(stack: TenantStack, domain: string): Promise<void> {
  const options = ["--yes", "--skip-preview", "--generate-code=false", "--protect=false"];
  await succeeded(stack.run(["import", "mxhero:index:SpfInclude", "spf", domain, ...options]));
  await succeeded(stack.run(["import", "mxhero:index:MxTakeover", "mx", domain, ...options]));
}

test("pulumi import reads both, up changes nothing in the zone, destroy puts everything back", async () => {
  const { cloudflare } = lab.world;
  const zone = await addZone("lost.test");
  const before = zone.snapshot();
  await loseState("lost", "lost.test");
  const held = zone.snapshot();

  const stack = await addStack("found", { "test:domain": "lost.test" });
  cloudflare.clearLogs();
  await importBoth(stack, "lost.test");
  const imported = await stack.resources();
  expect(imported.find(({ type }) => type.endsWith("MxTakeover"))).toMatchObject({
    id: "lost.test",
    inputs: {
      organisation: "contoso",
      domain: "lost.test",
      mx: [{ exchange: "smtp-in.gateway.test", preference: 10 }],
      server: "mail.lost.test",
    },
    outputs: { before: [{ exchange: "mail.lost.test", preference: 10 }] },
  });
  expect(imported.find(({ type }) => type.endsWith("SpfInclude"))).toMatchObject({
    id: "lost.test",
    inputs: { organisation: "contoso", domain: "lost.test", include: "_spf.gateway.test" },
    outputs: { before: "v=spf1 a:mail.lost.test -all" },
  });
  await succeeded(stack.up());
  expect(cloudflare.commits).toEqual([]);
  expect(zone.snapshot()).toEqual(held);

  await using watch = watchNameServers(lab.world, "lost.test");
  await succeeded(stack.destroy());
  expect(zone.snapshot()).toEqual(before);
  assertNeverEmptyOrForeign(await watch.stop(), gatewayMx, ["10 mail.lost.test"]);
});

test("where a lost stack also holds the domain, its claim is imported and handed back", async () => {
  const zone = await addZone("claimed.test");
  const before = zone.snapshot();
  await loseState("lost-claim", "claimed.test");
  const next = await addStack("next", { "test:domain": "claimed.test" });
  await succeeded(next.up());
  const { text } = await succeeded(next.destroy());
  expect(text).toMatch(
    /claimed\.test stays where it is: .*run pulumi import mxhero:index:MxTakeover for claimed\.test/,
  );
  const exchanges = zone.snapshot().filter(({ type }) => type === "MX");
  expect(exchanges).toEqual([expect.objectContaining({ content: "smtp-in.gateway.test" })]);

  const last = await addStack("last", { "test:domain": "claimed.test" });
  await importBoth(last, "claimed.test");
  await succeeded(last.up());
  await succeeded(last.destroy());
  expect(zone.snapshot()).toEqual(before);
});

test("the import option does the same in one run", async () => {
  const zone = await addZone("option.test");
  const before = zone.snapshot();
  await loseState("lost-option", "option.test");
  const held = zone.snapshot();
  const config = { "test:domain": "option.test" };
  const stack = await addStack("option", { ...config, "test:import": "true" });
  lab.world.cloudflare.clearLogs();
  await succeeded(stack.up());
  expect(lab.world.cloudflare.commits).toEqual([]);
  expect(zone.snapshot()).toEqual(held);
  await succeeded(stack.destroy());
  expect(zone.snapshot()).toEqual(before);
});

test("an SPF term that a person wrote is imported by its name, and goes with destroy", async () => {
  const zone = await lab.addZone("byhand.test", [
    mx("byhand.test", 10, "mail.byhand.test"),
    txt("byhand.test", `v=spf1 a:mail.byhand.test ${gatewayTerm} -all`),
  ]);
  const config = { "test:domain": "byhand.test", "test:import": "true", "test:spfOnly": "true" };
  const stack = await addStack("byhand", config);
  await succeeded(stack.up());
  await succeeded(stack.destroy());
  expect(zone.snapshot()).toEqual([
    expect.objectContaining({ type: "MX", content: "mail.byhand.test" }),
    expect.objectContaining({ type: "TXT", content: '"v=spf1 a:mail.byhand.test -all"' }),
    expect.objectContaining({ type: "A" }),
  ]);
});

test("a domain without a journal cannot be imported, and up is the way on", async () => {
  const zone = await addZone("fresh.test");
  const before = zone.snapshot();
  const stack = await addStack("fresh", { "test:domain": "fresh.test" });
  const options = ["--yes", "--skip-preview", "--generate-code=false"];
  const { text } = await failed(
    stack.run(["import", "mxhero:index:MxTakeover", "mx", "fresh.test", ...options]),
  );
  expect(text).toMatch(/There is no journal at _mxhero\.fresh\.test/);
  expect(text).toMatch(/Write the resource into the program instead and run pulumi up/);
  expect(zone.snapshot()).toEqual(before);
});
