/** The workflow `up` with a gateway's stack and a tenant's at it, with the real engine. The slots' agents are acted. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { testNet } from "../lab/test-net.ts";
import { startActingAgents } from "./acting-agents.ts";
import { type GatewayLab, startGatewayLab, tenantAtGateway } from "./gateway-lab.ts";
import { dividedEnv, Partner } from "./partner.ts";
import { mx, txt } from "./tenant.ts";

vi.setConfig({ testTimeout: 600_000, hookTimeout: 120_000 });

const domain = "t.test";
const parts = new AsyncDisposableStack();
let lab: GatewayLab;
let partner: Partner;

beforeAll(async () => {
  lab = parts.use(await startGatewayLab());
  for (const [name, value] of Object.entries(lab.moto.env)) vi.stubEnv(name, value);
  parts.use(startActingAgents(lab.moto));
  await lab.configure(await lab.issue());
  const zone = await lab.cloudflare.addZone({ name: domain });
  await lab.cloudflare.seed(zone, [mx(domain, 10, `mail.${domain}`), txt(domain, "v=spf1 -all")]);
  partner = parts.use(await startPartner());
});

afterAll(async () => {
  await parts.disposeAsync();
  vi.unstubAllEnvs();
});

function startPartner(): Promise<Partner> {
  const permissions = ["zone:read", "dns:read"] as const;
  const reads = lab.cloudflare.addToken({ name: "preview", permissions });
  const files = { "README.md": "Our mail.\n" };
  const { directory, project } = lab;
  return Partner.start({ net: testNet, directory, ...dividedEnv(project.env, reads), files });
}

test("the gateway's job comes first; the tenant, which nobody could preview before, is stopped then", async () => {
  const gateway = await readFile(join(lab.project.directory, "stacks/Pulumi.gateway.yaml"), "utf8");
  const request = await partner.open({
    "stacks/Pulumi.gateway.yaml": gateway,
    "stacks/Pulumi.tenant.yaml": tenantAtGateway(domain),
  });
  await partner.review(request);
  const up = await partner.merge(request);
  expect(up.jobs.map(({ name, result }) => [name, result])).toEqual([
    ["up / reviewed", "success"],
    ["up / preview", "skipped"],
    ["up / gateways gateway", "success"],
    ["up / tenants tenant", "failure"],
    ["up / tell", "success"],
  ]);
  expect(up.jobs[2]).toMatchObject({
    environment: "mail-production",
    concurrency: "mail-stack-gateway",
  });
  expect(up.jobs[3]?.summary).toContain("When it was reviewed the preview was: failed.");
  expect(lab.cloudflare.snapshot(lab.zoneId)).not.toEqual([]);
});
