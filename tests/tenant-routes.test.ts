/**
 * Tenants of a gateway that keeps its routes itself, with the real engine: the route comes before SPF and MX,
 * and leaves after them. The gateway's stack and the slots' agents are stand-ins.
 */
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { type Moto, startMoto } from "../lab/aws/moto.ts";
import { createRouteTable } from "../lab/aws/route-table.ts";
import { testNet } from "../lab/test-net.ts";
import { RouteStore } from "../store/route-store.ts";
import {
  type DomainEntry,
  failed,
  gateway,
  mx,
  startTenantLab,
  succeeded,
  type TenantLab,
  type TenantStack,
  txt,
} from "./tenant.ts";
import { startAgents } from "./test-agents.ts";

vi.setConfig({ testTimeout: 180_000, hookTimeout: 120_000 });

const PASSWORD = "correct-horse-battery-staple";
const GATEWAY = { stack: "organization/mail/fleet" };
const SLOTS = ["a", "b"];
const parts = new AsyncDisposableStack();

let lab: TenantLab;
let moto: Moto;
let store: RouteStore;

beforeAll(async () => {
  lab = parts.use(await startTenantLab());
  const { directory } = lab.world;
  moto = parts.use(await startMoto({ address: `${testNet}.5.1`, directory }));
  const options = await createRouteTable(moto);
  // The SDK looks for credentials there.
  Object.assign(process.env, moto.env);
  store = parts.use(new RouteStore(options));
  parts.use(await startAgents(store, SLOTS));
  const { table, region, secretPrefix, keyId } = options;
  const routeStore = { table, region, secretPrefix, keyId, nextHops: "public" };
  await lab.project.addOutputs("fleet", { ...gateway, slots: SLOTS, routeStore });
});

afterAll(() => parts.disposeAsync());

function addStack(name: string, domains: readonly DomainEntry[]): Promise<TenantStack> {
  return lab.addStack(name, {
    gateway: GATEWAY,
    domains: domains.map((domain) => ({
      mailSystem: "exchange",
      rcptLookup: true,
      sendingFrom: ["11.22.33.44"],
      probeRecipient: `info@${domain.name}`,
      fixIt: "https://help.example.com/",
      ...domain,
    })),
  });
}

async function addZone(name: string): Promise<void> {
  await lab.addZone(name, [mx(name, 10, `mail.${name}`), txt(name, `v=spf1 a:mail.${name} -all`)]);
}

/** In which order these words stand in a text. */
function inOrder(text: string, words: readonly string[]): string[] {
  return words
    .filter((word) => text.includes(word))
    .toSorted((a, b) => text.indexOf(a) - text.indexOf(b));
}

async function recordOf(domain: string) {
  return (await store.readDomain(domain)).record;
}

test("onto the gateway and off it again", async () => {
  await addZone("routed.test");
  const options = { env: moto.env };
  const stack = await addStack("routed", [{ name: "routed.test" }]);
  const preview = await succeeded(stack.preview([], options));
  expect(preview.text).toContain("2 slots (a, b) will prove it");
  expect(await recordOf("routed.test")).toBeUndefined();

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
  expect(await recordOf("routed.test")).toMatchObject({
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
  const deleted = ["mx", "spf", "route"].map((role) => `tenant-routed.test-${role} deleted (`);
  expect(inOrder(text, deleted.toReversed())).toEqual(deleted);
  expect(await recordOf("routed.test")).toHaveProperty("leaving");
});

test("the password of a Relay Server reaches the parameter store, and nothing else", async () => {
  await addZone("relayed.test");
  const login = { user: "gateway@relayed.test", passwordName: "filter" };
  const relayServer = { host: "filter.example.net", port: 587, tls: "verified", login } as const;
  const stack = await addStack("relayed", [{ name: "relayed.test", relayServer }]);
  const options = { env: moto.env };
  const unknown = await failed(stack.up([], options));
  expect(unknown.text).toContain("relayServer.login.passwordName: There is no password");
  const path = ["--path", "mail:relayPasswords.filter", PASSWORD];
  await succeeded(stack.run(["config", "set", "--secret", ...path]));
  const up = await succeeded(stack.up(["--debug"], options));
  const record = await recordOf("relayed.test");
  const stored = record?.active?.route.relayServer?.login;
  expect(stored?.user).toBe("gateway@relayed.test");
  expect(await store.readSecret(stored?.secret ?? "")).toBe(PASSWORD);
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
    await lab.storedState(),
  ]) {
    expect(text).not.toContain(PASSWORD);
  }
});

test("a route that no resource holds is a leftover", async () => {
  await addZone("lost.test");
  const stack = await addStack("lost", [{ name: "lost.test", inbound: "none" }]);
  const options = { env: moto.env };
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

async function leftovers(stack: string) {
  const program = join(import.meta.dirname, "../commands/leftovers.ts");
  const env = { ...lab.project.env, ...moto.env };
  const { stdout, stderr, exitCode } = await execa(process.execPath, [program, stack, "--json"], {
    cwd: lab.project.directory,
    env,
    extendEnv: false,
    reject: false,
  });
  if (stdout === "") throw new Error(`No report: ${stderr}`);
  const report: { domains: { findings: { code: string }[] }[] } = JSON.parse(stdout);
  const codes = report.domains.flatMap(({ findings }) => findings.map(({ code }) => code));
  return { exitCode, codes };
}
