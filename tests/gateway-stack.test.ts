/** A gateway's stack under the real engine: its instances are hosts with the real Postfix and the real agent. */
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { type HostRunner, startRunner } from "../lab/hosts/runner.ts";
import { testNet as net } from "../lab/test-net.ts";
import { type GatewayLab, startGatewayLab, succeeded } from "./gateway-lab.ts";

vi.setConfig({ testTimeout: 600_000, hookTimeout: 120_000 });

const parts = new AsyncDisposableStack();
let lab: GatewayLab;
let runner: HostRunner;

beforeAll(async () => {
  lab = parts.use(await startGatewayLab());
  const { moto, dns, directory, authority } = lab;
  runner = parts.use(await startRunner({ moto, dns, net, directory, authority }));
});

afterAll(() => parts.disposeAsync());

test("up", async () => {
  await lab.configure(await lab.issue());
  const timer = setInterval(() => {
    for (const f of runner.failures) console.log(String(f));
    for (const i of runner.instances) {
      i.host.exec(["tail", "-n", "5", "/var/log/cloud-init-output.log"]).then((r) => console.log(i.tags["mxhero:slot"], r.stdout), () => 0);
    }
  }, 10_000);
  try {
    const { text } = await succeeded(lab.run(["up", "--yes", "--skip-preview"]));
    console.log(text);
  } finally { clearInterval(timer); }
});
