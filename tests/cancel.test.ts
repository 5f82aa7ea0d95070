/** One Ctrl-C: the run stops where nothing is lost, says so, and the next run goes on. */
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import type { PulumiRun } from "../lab/pulumi.ts";
import { gatewayMx, mx, startTenantLab, succeeded, type TenantLab } from "./tenant.ts";
import { assertNeverEmptyOrForeign, watchNameServers } from "./watch-name-servers.ts";

vi.setConfig({ testTimeout: 300_000, hookTimeout: 120_000 });

let lab: TenantLab;

beforeAll(async () => {
  lab = await startTenantLab();
});

afterAll(() => lab[Symbol.asyncDispose]());

/** Interrupts the run once it waits with old and new MX side by side. */
async function interruptOverlap(run: PulumiRun): Promise<string> {
  await expect.poll(run.output, { timeout: 120_000 }).toContain("side by side");
  run.kill("SIGINT");
  const { stdout, stderr, exitCode } = await run.result;
  expect(exitCode).toBe(255);
  return stdout + stderr;
}

test("an interrupted up and an interrupted destroy leave both MX, and are taken up again", async () => {
  const name = "cancelled.test";
  const former = [`10 mail.${name}`];
  const zone = await lab.addZone(name, [{ ...mx(name, 10, `mail.${name}`), comment: "main" }]);
  const before = zone.snapshot();
  const patient = { name, outbound: "none", overlapSeconds: 600 } as const;
  const stack = await lab.addStack("cancelled", { domains: [patient] });
  const both = () =>
    zone
      .snapshot()
      .filter(({ type }) => type === "MX")
      .map(({ priority, content }) => `${priority} ${content}`);
  await using watch = watchNameServers(lab.world, name);

  const up = await interruptOverlap(stack.start(["up", "--yes", "--skip-preview"]));
  expect(up).toMatch(/The run was cancelled\..*run pulumi up again/);
  expect(both()).toEqual([...former, ...gatewayMx]);

  await stack.write({ domains: [{ ...patient, overlapSeconds: 0 }] });
  await succeeded(stack.up());
  expect(both()).toEqual(gatewayMx);
  await stack.write({ domains: [patient] });
  await succeeded(stack.up());

  const destroy = await interruptOverlap(stack.start(["destroy", "--yes", "--skip-preview"]));
  expect(destroy).toMatch(/The run was cancelled/);
  expect(both()).toEqual([...former, ...gatewayMx]);

  await stack.write({ domains: [{ ...patient, overlapSeconds: 0 }] });
  await succeeded(stack.up());
  await succeeded(stack.destroy());
  expect(zone.snapshot()).toEqual(before);
  assertNeverEmptyOrForeign(await watch.stop(), former, gatewayMx);
});
