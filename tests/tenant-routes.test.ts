/**
 * Tenants of a gateway that keeps its routes itself, with the real engine: the route comes before SPF and MX,
 * and leaves after them. The gateway's stack and the slots' agents are stand-ins.
 */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { type RoutingGateway, type RoutingLab, SLOTS, startRoutingLab } from "./routing-lab.ts";
import { type DomainEntry, failed, succeeded } from "./tenant.ts";

vi.setConfig({ testTimeout: 400_000, hookTimeout: 120_000 });

const PASSWORD = "correct-horse-battery-staple";

let lab: RoutingLab;
let fleet: RoutingGateway;

beforeAll(async () => {
  lab = await startRoutingLab();
  fleet = await lab.addGateway("fleet");
});

afterAll(() => lab[Symbol.asyncDispose]());

function addStack(name: string, domains: readonly DomainEntry[]) {
  return lab.addStack(name, fleet, domains);
}

/** In which order these words stand in a text. */
function inOrder(text: string, words: readonly string[]): string[] {
  return words
    .filter((word) => text.includes(word))
    .toSorted((a, b) => text.indexOf(a) - text.indexOf(b));
}

test("onto the gateway and off it again", async () => {
  await lab.addZone("routed.test");
  const { options } = lab;
  const stack = await addStack("routed", [{ name: "routed.test" }]);
  const preview = await succeeded(stack.preview([], options));
  expect(preview.text).toContain("2 slots (a, b) will prove it");
  expect(await fleet.recordOf("routed.test")).toBeUndefined();

  const up = await succeeded(stack.up([], options));
  const steps = ["tenant-routed.test-route created", "tenant-routed.test-spf created"];
  const created = [...steps, "tenant-routed.test-mx created"];
  expect(inOrder(up.text, created.toReversed())).toEqual(created);
  const { domains } = await stack.outputs();
  expect(domains).toMatchObject({
    "routed.test": {
      route: { server: "mail.routed.test", rcptLookup: "probe", version: 1, slots: SLOTS },
      mx: { after: [{ exchange: "smtp-in.gateway.test", preference: 10 }] },
    },
  });
  expect(await fleet.recordOf("routed.test")).toMatchObject({
    holder: { organisation: "contoso" },
    active: {
      route: {
        inbound: true,
        outbound: "standard",
        rcptLookup: { kind: "probe" },
        identities: [{ kind: "network", network: "11.22.33.44/32" }],
      },
    },
  });
  expect((await succeeded(stack.up([], options))).text).toContain("unchanged");

  const { text } = await succeeded(stack.destroy([], options));
  const deleted = ["mx", "drain", "spf", "route"].map(
    (role) => `tenant-routed.test-${role} deleted (`,
  );
  expect(inOrder(text, deleted.toReversed())).toEqual(deleted);
  expect(await fleet.recordOf("routed.test")).toHaveProperty("leaving");
});

test("the password of a Relay Server reaches the parameter store, and nothing else", async () => {
  await lab.addZone("relayed.test");
  const login = { user: "gateway@relayed.test", passwordName: "filter" };
  const relayServer = { host: "filter.example.net", port: 587, tls: "verified", login } as const;
  const stack = await addStack("relayed", [{ name: "relayed.test", relayServer }]);
  const { options } = lab;
  const unknown = await failed(stack.up([], options));
  expect(unknown.text).toContain("relayServer.login.passwordName: There is no password");
  const path = ["--path", "mail:relayPasswords.filter", PASSWORD];
  await succeeded(stack.run(["config", "set", "--secret", ...path]));
  const up = await succeeded(stack.up(["--debug"], options));
  const record = await fleet.recordOf("relayed.test");
  const stored = record?.active?.route.relayServer?.login;
  expect(stored?.user).toBe("gateway@relayed.test");
  expect(await fleet.store.readSecret(stored?.secret ?? "")).toBe(PASSWORD);
  const { domains } = await stack.outputs();
  expect(domains).toMatchObject({
    "relayed.test": {
      route: {
        relayServer: "filter.example.net, port 587, TLS verified, login gateway@relayed.test",
      },
    },
  });
  for (const text of [
    up.text,
    JSON.stringify(record),
    JSON.stringify(domains),
    await lab.tenants.storedState(),
  ]) {
    expect(text).not.toContain(PASSWORD);
  }
});

test("inbound mail is not stopped while the MX lead to the gateway: first they go back", async () => {
  const name = "outward.test";
  const zone = await lab.addZone(name);
  const stack = await addStack("outward", [{ name }]);
  const { options } = lab;
  await succeeded(stack.up([], options));
  await lab.write(stack, fleet, [{ name, inbound: "none" }]);
  const before = zone.snapshot();
  for (const run of [stack.preview([], options), stack.up([], options)]) {
    const { text } = await failed(run);
    expect(text).toContain("inbound-still-led-here");
    expect(text).toContain("the domain's MX still names smtp-in.gateway.test");
  }
  expect(await fleet.recordOf(name)).toMatchObject({ active: { route: { inbound: true } } });
  expect(zone.snapshot()).toEqual(before);

  await lab.write(stack, fleet, [{ name, bypass: true }]);
  await succeeded(stack.up([], options));
  await lab.write(stack, fleet, [{ name, inbound: "none" }]);
  await succeeded(stack.up([], options));
  // Resolvers may still remember the gateway's MX.
  expect(await fleet.recordOf(name)).toMatchObject({
    active: { route: { inbound: false } },
    formerServer: { server: `mail.${name}`, accepts: { until: expect.any(String) } },
  });
  const exchanges = zone.snapshot().filter(({ type }) => type === "MX");
  expect(exchanges.map(({ content }) => content)).toEqual([`mail.${name}`]);
});

test("a route that no resource holds is a leftover", async () => {
  await lab.addZone("lost.test");
  const stack = await addStack("lost", [{ name: "lost.test", inbound: "none" }]);
  const { options } = lab;
  await succeeded(stack.up([], options));
  expect(await leftovers("lost")).toEqual({ exitCode: 0, codes: [] });
  const route = (await stack.resources()).find(({ type }) => type === "mxhero:index:Route");
  const args = ["state", "delete", "--yes", "--force", "--target-dependents", route?.urn ?? ""];
  await succeeded(stack.run(args));
  expect(await leftovers("lost")).toMatchObject({
    exitCode: 1,
    codes: expect.arrayContaining(["claim-without-resource"]),
  });
  await succeeded(stack.up([], options));
  expect(await leftovers("lost")).toEqual({ exitCode: 0, codes: [] });
});

test("a gateway that a killed run moved a domain to is a leftover", async () => {
  const domain = "moving.test";
  await lab.addZone(domain);
  const { options } = lab;
  const second = await lab.addGateway("second");
  const stack = await addStack("moving", [{ name: domain, inbound: "none" }]);
  await succeeded(stack.up([], options));
  const { stdout: before } = await succeeded(stack.run(["stack", "export"]));
  await lab.write(stack, second, [{ name: domain, inbound: "none" }]);
  expect(await leftovers("moving")).toEqual({ exitCode: 0, codes: [] });
  await succeeded(stack.up([], options));
  // As a run leaves it that is killed before the engine hears of the move.
  const file = join(lab.tenants.project.directory, "before.json");
  await writeFile(file, before);
  await succeeded(stack.run(["stack", "import", "--file", file]));
  expect(await leftovers("moving")).toEqual({ exitCode: 1, codes: ["move-half-way"] });
  await succeeded(stack.up([], options));
  expect(await leftovers("moving")).toEqual({ exitCode: 0, codes: [] });
  await succeeded(stack.destroy([], options));
  expect(await second.recordOf(domain)).toHaveProperty("leaving");
});

async function leftovers(stack: string) {
  const program = join(import.meta.dirname, "../commands/leftovers.ts");
  const env = { ...lab.tenants.project.env, ...lab.moto.env };
  const { stdout, stderr, exitCode } = await execa(process.execPath, [program, stack, "--json"], {
    cwd: lab.tenants.project.directory,
    env,
    extendEnv: false,
    reject: false,
  });
  if (stdout === "") throw new Error(`No report: ${stderr}`);
  const report: { domains: { findings: { code: string }[] }[] } = JSON.parse(stdout);
  const codes = report.domains.flatMap(({ findings }) => findings.map(({ code }) => code));
  return { exitCode, codes };
}
