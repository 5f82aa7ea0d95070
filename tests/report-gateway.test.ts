/** Previews of a gateway's stack, for the reports' golden files: as tests/report.test.ts, with the agents acted. */
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { buildReport } from "../report/build-report.ts";
import { startActingAgents } from "./acting-agents.ts";
import { type GatewayChanges, type GatewayLab, startGatewayLab, succeeded } from "./gateway-lab.ts";
import { asGolden, readEvents } from "./read-preview.ts";

vi.setConfig({ testTimeout: 600_000, hookTimeout: 120_000 });

const parts = new AsyncDisposableStack();
const larger = process.arch === "x64" ? "t3.medium" : "t4g.medium";
let lab: GatewayLab;
let keys: GatewayChanges;

beforeAll(async () => {
  lab = parts.use(await startGatewayLab());
  for (const [name, value] of Object.entries(lab.moto.env)) vi.stubEnv(name, value);
  parts.use(startActingAgents(lab.moto));
  keys = await lab.issue();
  await lab.configure(keys);
});

afterAll(async () => {
  await parts.disposeAsync();
  vi.unstubAllEnvs();
});

async function golden(name: string, args: readonly string[] = ["preview"]): Promise<string> {
  const env = { PULUMI_ENABLE_STREAMING_JSON_PREVIEW: "true" };
  const run = await lab.run([...args, "--json"], env);
  const preview = readEvents(run.stdout, { exitCode: run.exitCode, text: run.stderr.trim() });
  const file = join(import.meta.dirname, "../report/testdata", `${name}.preview.json`);
  await expect(asGolden(preview)).toMatchFileSnapshot(file);
  return buildReport(preview, { stack: "gateway", kind: "gateway" }).status;
}

test("a gateway is built, gets larger hosts, and is taken down", async () => {
  expect(await golden("gateway-build")).toBe("changed");
  await succeeded(lab.run(["up", "--yes", "--skip-preview"]));
  expect(await golden("gateway-unchanged")).toBe("unchanged");
  await lab.configure({ ...keys, "gateway:instanceType": larger });
  expect(await golden("gateway-larger")).toBe("changed");
  expect(await golden("gateway-destroy", ["destroy", "--preview-only"])).toBe("changed");
});
