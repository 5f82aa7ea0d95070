/**
 * What a person has to do stands in the stack's outputs, already in the preview of the first `up`; and a gateway
 * that is given by its host names is asked before the MX move.
 */
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { z } from "zod";
import { testNet } from "../lab/test-net.ts";
import {
  failed,
  gatewayMx,
  mx,
  startTenantLab,
  succeeded,
  type TenantLab,
  type TenantZone,
  txt,
} from "./tenant.ts";

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let lab: TenantLab;

beforeAll(async () => {
  lab = await startTenantLab();
});

afterAll(() => lab[Symbol.asyncDispose]());

function addZone(name: string): Promise<TenantZone> {
  return lab.addZone(name, [mx(name, 10, `mail.${name}`), txt(name, `v=spf1 a:mail.${name} -all`)]);
}

function mxOf(zone: TenantZone): string[] {
  return zone
    .snapshot()
    .filter(({ type }) => type === "MX")
    .map(({ priority, content }) => `${priority} ${content}`);
}

/** What the gateway's operator does. */
function routesOfGateway() {
  const { gateway } = lab.world;
  if (gateway === undefined) throw new Error("The world has no gateway.");
  return gateway.routes;
}

/** As `npm run steps` does. */
async function printSteps(...args: string[]): Promise<string> {
  const program = fileURLToPath(new URL("../commands/steps.ts", import.meta.url));
  const { directory, env } = lab.project;
  const options = { cwd: directory, env, extendEnv: false };
  const { stdout } = await execa(process.execPath, [program, ...args], options);
  return stdout;
}

const lines = z.array(z.array(z.string()));
const outputs = z.object({
  domains: z.record(z.string(), z.object({ mx: z.object({ lockDownSafeFrom: z.string() }) })),
  steps: z.record(z.string(), z.object({ onboarding: lines, offboarding: lines })),
});

test("the steps before pulumi up are in the preview, and all of them in the outputs", async () => {
  await addZone("steps.test");
  const entry = { name: "steps.test", mailSystem: "microsoft365" } as const;
  const stack = await lab.addStack("steps", { domains: [entry] });
  const preview = await succeeded(stack.preview());
  expect(preview.text).toContain(
    "1. Before pulumi up: give the gateway its directives for steps.test",
  );
  expect(preview.text).toContain("3. Before pulumi up: make the inbound connector for the gateway");
  expect(preview.text).toContain("Before pulumi destroy: lift the lock-down");
  const before = await printSteps("steps");
  expect(before).toContain(
    "     Set-InboundConnector -Identity 'From gateway smtp-in.gateway.test'",
  );
  expect(before).toContain("not before the time lockDownSafeFrom");

  await succeeded(stack.up());
  const { domains, steps } = outputs.parse(await stack.outputs());
  const { onboarding = [], offboarding = [] } = steps["steps.test"] ?? {};
  const safeFrom = domains["steps.test"]?.mx.lockDownSafeFrom;
  expect(onboarding.at(-1)?.[0]).toContain(`and not before ${safeFrom}: lock Microsoft 365 down`);
  expect(onboarding.map(([title = ""]) => title.split(".")[0])).toEqual(
    onboarding.map((_, index) => `${index + 1}`),
  );
  expect(offboarding[1]).toContain(
    "     Set-InboundConnector -Identity 'From gateway smtp-in.gateway.test' -RestrictDomainsToIPAddresses $false",
  );
  // What is printed and what the outputs say is the same.
  const printed = (await printSteps("steps", "steps.test")).split("\n");
  expect(printed).toEqual([
    "steps.test onto the gateway",
    "",
    ...onboarding.flat(),
    "",
    "steps.test off the gateway",
    "",
    ...offboarding.flat(),
  ]);
  expect((await succeeded(stack.preview(["--expect-no-changes"]))).text).toMatch(/6 unchanged/);
});

test("a gateway that does not know the domain gets no MX; once it does, the next up moves them", async () => {
  const zone = await addZone("unknown.test");
  const stack = await lab.addStack("unknown", { domains: [{ name: "unknown.test" }] });
  routesOfGateway().delete("unknown.test");
  const { text } = await failed(stack.up());
  expect(text).toContain("The gateway refuses mail for unknown.test.");
  expect(text).toMatch(/RCPT TO:<postmaster@unknown\.test> → 550 5\.7\.1/);
  expect(text).toContain("at unknown.test, Server mail.unknown.test, MX Lookup off");
  expect(mxOf(zone)).toEqual(["10 mail.unknown.test"]);

  routesOfGateway().set("unknown.test", { server: "mail.unknown.test" });
  await succeeded(stack.up());
  expect(mxOf(zone)).toEqual(gatewayMx);
});

test("the administrator's word moves the MX to a gateway that refuses this machine", async () => {
  const zone = await addZone("word.test");
  const stack = await lab.addStack("word", { domains: [{ name: "word.test" }] });
  routesOfGateway().delete("word.test");
  const env = { MXHERO_GATEWAY_CONFIRMED: "word.test" };
  const { text } = await succeeded(stack.up([], { env }));
  expect(text).toContain("confirmed by the administrator");
  expect(mxOf(zone)).toEqual(gatewayMx);
});

test("a mailbox that the gateway does not know is a refusal only where it is said to exist", async () => {
  const zone = await addZone("lookup.test");
  const entry = { name: "lookup.test", rcptLookup: true };
  const stack = await lab.addStack("lookup", {
    domains: [{ ...entry, probeRecipient: "info@lookup.test" }],
  });
  const route = { server: "mail.lookup.test", recipients: ["ann@lookup.test"] };
  routesOfGateway().set("lookup.test", route);
  expect((await failed(stack.up())).text).toContain("The gateway refuses mail for lookup.test.");
  expect(mxOf(zone)).toEqual(["10 mail.lookup.test"]);

  await stack.write({ domains: [entry] });
  const { text } = await succeeded(stack.up());
  expect(text).toContain("it does not know the recipient postmaster");
  expect(mxOf(zone)).toEqual(gatewayMx);
});

test("a gateway that cannot be asked from here is a warning", async () => {
  const zone = await addZone("silent.test");
  // Nobody listens there.
  await lab.addZone("nobody.test", [
    { name: "mx.nobody.test", type: "A", content: `${testNet}.2.77` },
  ]);
  const mxOfGateway = { exchange: "mx.nobody.test", preference: 10 };
  const gateway = {
    mx: [mxOfGateway],
    smtpIn: mxOfGateway.exchange,
    smtpRelay: "smtp-relay.nobody.test",
    spfInclude: "_spf.gateway.test",
  };
  const stack = await lab.addStack("silent", { gateway, domains: [{ name: "silent.test" }] });
  const { text } = await succeeded(stack.up());
  expect(text).toContain("nothing shows that the gateway takes its mail");
  expect(text).toContain("it could not be asked from here");
  expect(mxOf(zone)).toEqual(["10 mx.nobody.test"]);
});
