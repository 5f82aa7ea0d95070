/** What mentions a tenant: all of it while it is on the gateway, what deletes itself after it has left, then nothing. */
import { join } from "node:path";
import { execa } from "execa";
import { expect, test } from "vitest";
import { z } from "zod";
import { letTimePass } from "../lab/aws/passing-time.ts";
import { RouteStore } from "../store/route-store.ts";
import { startActedPlace } from "./crash-place.ts";
import { type CrashPlace, type CrashTenant, type Phase, startTenant } from "./crash-tenant.ts";

const trace = z.object({ place: z.string(), text: z.string(), ends: z.string().optional() });

/** Asks the command, as a person would who no longer has the tenant's stack. */
async function askCommand({ lab }: CrashPlace, tenant: CrashTenant) {
  const program = join(import.meta.dirname, "../commands/leftovers.ts");
  const { domain, organisation } = tenant;
  const options = ["--gateway", "organization/mail/fleet", "--organisation", organisation];
  const args = [program, "--domain", domain, ...options, "--json"];
  const { stdout, stderr, exitCode } = await execa(process.execPath, args, {
    cwd: lab.project.directory,
    env: { ...lab.project.env, ...tenant.env },
    extendEnv: false,
    reject: false,
  });
  if (stdout === "") throw new Error(`No list of traces: ${stderr}`);
  return { exitCode, traces: z.array(trace).parse(JSON.parse(stdout)) };
}

async function mustRun(tenant: CrashTenant, phase: Phase): Promise<void> {
  const run = await tenant.start(phase);
  const { exitCode } = await run.result;
  if (exitCode !== 0) throw new Error(`${phase} failed:\n${run.output()}`);
}

test("a tenant's traces, from its life until after its route's end", {
  timeout: 900_000,
}, async () => {
  await using acted = await startActedPlace();
  const { place } = acted.matrix;
  await using tenant = await startTenant(place, "gains-relay");
  using store = new RouteStore(acted.options);
  const { domain, organisation } = tenant;
  await mustRun(tenant, "up");
  const living = await askCommand(place, tenant);
  expect(living.exitCode).toBe(1);
  const texts = living.traces.map(({ text }) => text);
  expect(texts).toEqual(
    expect.arrayContaining([
      `MX of ${domain}: 10 smtp-in.gateway.test`,
      `MX of ${domain}: 30 mx1.gateway.test`,
      `TXT of ${domain}: v=spf1 a:mail.${domain} include:_spf.gateway.test -all`,
      expect.stringContaining(`TXT of _mxhero.${domain}: `),
      "the route",
    ]),
  );
  expect(living.traces.filter(({ ends }) => ends !== undefined)).toEqual([]);

  await mustRun(tenant, "change");
  await mustRun(tenant, "destroy");
  await acted.matrix.traces(tenant);
  const left = await askCommand(place, tenant);
  expect(left.exitCode).toBe(0);
  const { record } = await store.readDomain(domain);
  const secret = record?.active?.route.relayServer?.login?.secret;
  expect(left.traces.map(({ text }) => text).toSorted()).toEqual([
    `11.${tenant.number}.33.44/32 is held by ${organisation}`,
    `${domain} is held by ${organisation}`,
    `the password ${acted.options.secretPrefix}/${secret}`,
    "the route",
    "what slot a answered",
    "what slot b answered",
  ]);
  const end = Date.parse(record?.leaving?.expires ?? "");
  for (const { ends = "" } of left.traces) {
    expect(Math.abs(Date.parse(ends) - end)).toBeLessThan(1000);
  }

  await letTimePass(acted.options, new Date(end + 1000));
  expect(await askCommand(place, tenant)).toEqual({ exitCode: 0, traces: [] });

  // The slots still have what they knew of the former life.
  await mustRun(tenant, "up");
  expect((await store.readDomain(domain)).record).toHaveProperty("active");
});
