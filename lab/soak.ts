/**
 * `npm run soak`: tenants go onto a gateway and off it again, cycle after cycle, while mail flows in both
 * directions, and every message is accounted for. Writes `soak.json` and `soak.svg`. It fails if a message is lost, goes to a
 * wrong tenant, or is refused.
 */
import { writeFile } from "node:fs/promises";
import { Command } from "commander";
import { z } from "zod";
import { chart } from "./soak/chart.ts";
import { faultsOf } from "./soak/ledger.ts";
import { figures, findings, table } from "./soak/report.ts";
import { runSoak } from "./soak/run-soak.ts";
import { startSoakWorld } from "./soak/soak-world.ts";
import { exampleTenants, Tenant } from "./soak/tenant.ts";
import { step } from "./step.ts";

const net = "127.1";
const restMilliseconds = 3000;

const count = z.coerce.number().int().min(1);
const { cycles, messages, interval } = z
  .object({ cycles: count, messages: count, interval: count })
  .parse(
    new Command("npm run soak --")
      .description("Tenants' whole lives under mail; every message is accounted for.")
      .option("--cycles <number>", "how often each tenant goes on and off", "20")
      .option("--messages <number>", "how many messages at least", "10000")
      .option("--interval <milliseconds>", "between two messages", "150")
      .parse()
      .opts(),
  );

await using parts = new AsyncDisposableStack();
const world = await step("Start DNS, Cloudflare's API, two gateway hosts, mail systems", async () =>
  parts.use(await startSoakWorld(net)),
);
const tenants = await step("Make the tenants' zones and stacks", () =>
  Promise.all(exampleTenants.map((spec) => Tenant.create(spec, world))),
);
const result = await step("Tenants go on and off the gateway, under mail", (onProgress) => {
  const options = { cycles, atLeastMessages: messages, intervalMilliseconds: interval };
  return runSoak(world, tenants, { ...options, restMilliseconds, onProgress });
});
await writeFile(
  new URL("../soak.json", import.meta.url),
  `${JSON.stringify(figures(result), null, 2)}\n`,
);
await writeFile(new URL("../soak.svg", import.meta.url), chart(result));
console.log(
  [table(result), "", ...findings(result), "", "Written: soak.json, soak.svg"].join("\n"),
);
if (faultsOf(result.account).length > 0) process.exitCode = 1;
